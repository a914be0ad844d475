using Post.Quic.Engine.Wire;

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
    /// <summary>
    /// RFC 9000 section 7.4.1: a server that accepts 0-RTT must not reduce a limit that the client remembers.
    /// </summary>
    public TransportError CheckNotBelow(in StreamCredits remembered)
    {
        bool lower = MaxData < remembered.MaxData
            || MaxStreamDataBidirectionalLocal < remembered.MaxStreamDataBidirectionalLocal
            || MaxStreamDataBidirectionalRemote < remembered.MaxStreamDataBidirectionalRemote
            || MaxStreamDataUnidirectional < remembered.MaxStreamDataUnidirectional
            || MaxStreamsBidirectional < remembered.MaxStreamsBidirectional
            || MaxStreamsUnidirectional < remembered.MaxStreamsUnidirectional;
        return lower
            ? new TransportError(TransportErrorCode.ProtocolViolation, "limit below the one remembered for 0-RTT")
            : TransportError.None;
    }
}
