namespace Post.Sockets.Testing;

/// <summary>How a sender on the in-memory network decides how much to send.</summary>
public enum InMemoryCongestion
{
    /// <summary>
    /// It keeps the link busy with no more than two packets waiting in front of it: what a perfect congestion controller would
    /// do. Differences that a test sees come from Post alone.
    /// </summary>
    Ideal,

    /// <summary>
    /// Slow start, then one packet more each round trip, half after a loss (as TCP Reno, and QUIC's RFC 9002): it fills the
    /// queue of the link until that drops packets.
    /// </summary>
    Reno,
}
