namespace Post.Quic.Engine.Congestion;

/// <summary>How the ECN counts of a packet-number space grew since the last ACK that was looked at.</summary>
/// <param name="Present">The ACK had counts at all.</param>
/// <param name="Ect0">Growth of ECT(0).</param>
/// <param name="Ect1">Growth of ECT(1).</param>
/// <param name="Ce">Growth of CE.</param>
/// <param name="TotalMarks">ECT(0) and CE together since the beginning.</param>
/// <param name="TotalSent">Packets sent with ECT(0) in the space since the beginning.</param>
internal readonly record struct EcnFeedback(bool Present, long Ect0, long Ect1, long Ce, ulong TotalMarks, ulong TotalSent);
