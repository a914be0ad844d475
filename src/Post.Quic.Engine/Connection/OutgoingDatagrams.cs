using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Congestion;

namespace Post.Quic.Engine.Connection;

/// <summary>
/// Where a batch of UDP datagrams goes, in the shape of one GSO send: one destination, one ECN mark, and every
/// datagram <see cref="SegmentSize"/> bytes long except the last, which may be shorter.
/// </summary>
internal readonly record struct OutgoingDatagrams(
    NetworkAddress Local,
    NetworkAddress Remote,
    EcnCodepoint Ecn,
    int SegmentSize,
    int Length)
{
    public int Count => SegmentSize == 0 ? 0 : (Length + SegmentSize - 1) / SegmentSize;
}
