namespace Post.Quic.Engine.Streams;

/// <summary>
/// The six transport parameters that bound streams (RFC 9000 section 18.2), as one side announced them. "Local" and
/// "remote" are meant from the side that announced.
/// </summary>
internal readonly record struct StreamCredits(
    ulong MaxData,
    ulong MaxStreamDataBidirectionalLocal,
    ulong MaxStreamDataBidirectionalRemote,
    ulong MaxStreamDataUnidirectional,
    ulong MaxStreamsBidirectional,
    ulong MaxStreamsUnidirectional)
{
}
