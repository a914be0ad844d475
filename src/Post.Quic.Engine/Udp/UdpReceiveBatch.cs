using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Congestion;

namespace Post.Quic.Engine.Udp;

/// <summary>
/// Datagrams that arrived in one call, all of one flow and one ECN mark. All are <see cref="SegmentSize"/> bytes long,
/// except the last, which may be shorter. The bytes may be changed in place, and are good until the call returns, unless
/// the buffer is taken.
/// </summary>
internal readonly ref struct UdpReceiveBatch
{
    private readonly ref UdpBuffer? _owner;

    public UdpReceiveBatch(
        ref UdpBuffer? owner,
        int length,
        int segmentSize,
        NetworkAddress local,
        NetworkAddress remote,
        int interfaceIndex,
        EcnCodepoint ecn,
        long age)
    {
        _owner = ref owner;
        Data = owner!.Span[..length];
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

    /// <summary>Takes the buffer out of the socket's hands: the data stands at its start. The taker returns it to the pool.</summary>
    public UdpBuffer TakeBuffer()
    {
        UdpBuffer taken = _owner ?? throw new InvalidOperationException("The buffer was already taken.");
        _owner = null;
        return taken;
    }
}
