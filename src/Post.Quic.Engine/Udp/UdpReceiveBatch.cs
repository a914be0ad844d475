using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Congestion;

namespace Post.Quic.Engine.Udp;

/// <summary>
/// Datagrams that arrived in one call, all of one flow and one ECN mark. All are <see cref="SegmentSize"/> bytes long,
/// except the last, which may be shorter. The bytes may be changed in place, and are good until the call returns.
/// </summary>
internal readonly ref struct UdpReceiveBatch
{
    public UdpReceiveBatch(
        Span<byte> data,
        int segmentSize,
        NetworkAddress local,
        NetworkAddress remote,
        int interfaceIndex,
        EcnCodepoint ecn,
        long age)
    {
        Data = data;
        SegmentSize = segmentSize;
        Local = local;
        Remote = remote;
        InterfaceIndex = interfaceIndex;
        Ecn = ecn;
        Age = age;
    }

    /// <summary>The datagrams, one behind the other. Empty for an empty datagram, which UDP allows.</summary>
    public Span<byte> Data { get; }

    public int SegmentSize { get; }

    /// <summary>
    /// Where the datagrams were sent to; the socket's own address where it does not see more (see
    /// <see cref="UdpFeatures.PacketInfo"/>), which may then be unspecified.
    /// </summary>
    public NetworkAddress Local { get; }

    public NetworkAddress Remote { get; }

    /// <summary>The interface they came in by, or 0 where it is not known.</summary>
    public int InterfaceIndex { get; }

    public EcnCodepoint Ecn { get; }

    /// <summary>Microseconds since the first of them reached the machine; 0 where that is not known.</summary>
    public long Age { get; }
}
