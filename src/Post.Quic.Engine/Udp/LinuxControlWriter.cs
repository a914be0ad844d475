using System.Runtime.InteropServices;
using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Congestion;

namespace Post.Quic.Engine.Udp;

/// <summary>Writes the control messages that go with a sendmsg: ECN mark, source address and interface, segment size.</summary>
internal unsafe ref struct LinuxControlWriter(Span<byte> buffer)
{
    /// <summary>The three messages at their longest: 24 for the mark, 40 for the packet info, 24 for the segment size.</summary>
    public const int Capacity = 88;

    private readonly Span<byte> _buffer = buffer;

    public int Length { get; private set; }

    /// <param name="ecn">The mark.</param>
    /// <param name="asIPv4">The datagram leaves as IPv4, be it from a dual-stack socket: the kernel then asks for IPv4's message.</param>
    public void AddEcn(EcnCodepoint ecn, bool asIPv4) =>
        MemoryMarshal.Write(
            asIPv4
                ? Add(LinuxNative.SolIP, LinuxNative.IPTos, sizeof(int))
                : Add(LinuxNative.SolIPv6, LinuxNative.IPv6TrafficClass, sizeof(int)),
            (int)ecn);

    public void AddSource(in NetworkAddress local, int interfaceIndex, bool asIPv4)
    {
        Span<byte> address = stackalloc byte[16];
        local.WriteBytes(address);
        if (asIPv4)
        {
            // struct in_pktinfo { int ifindex; in_addr spec_dst; in_addr addr; }: the source is spec_dst.
            Span<byte> info = Add(LinuxNative.SolIP, LinuxNative.IPPacketInfo, 12);
            info.Clear();
            MemoryMarshal.Write(info, interfaceIndex);
            if (local.IsIPv4)
            {
                address[12..].CopyTo(info[4..]);
            }

            return;
        }

        // struct in6_pktinfo { in6_addr addr; unsigned ifindex; }. A link-local source is nothing without its interface.
        Span<byte> info6 = Add(LinuxNative.SolIPv6, LinuxNative.IPv6PacketInfo, 20);
        address.CopyTo(info6);
        MemoryMarshal.Write(info6[16..], interfaceIndex != 0 ? interfaceIndex : (int)local.ScopeId);
    }

    public void AddSegmentSize(int segmentSize) =>
        MemoryMarshal.Write(Add(LinuxNative.SolUdp, LinuxNative.UdpSegment, sizeof(ushort)), (ushort)segmentSize);

    private Span<byte> Add(int level, int type, int length)
    {
        int headerLength = sizeof(LinuxNative.ControlHeader);
        MemoryMarshal.Write(
            _buffer[Length..],
            new LinuxNative.ControlHeader { Length = (nuint)(headerLength + length), Level = level, Type = type });
        Span<byte> data = _buffer.Slice(Length + headerLength, length);

        // CMSG_SPACE: each message begins at a multiple of a word.
        Length += headerLength + ((length + sizeof(ulong) - 1) & ~(sizeof(ulong) - 1));
        return data;
    }
}
