using System.Runtime.InteropServices;
using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Congestion;

namespace Post.Quic.Engine.Udp;

/// <summary>Reads the control messages that a recvmsg brought. They are the kernel's, not the network's.</summary>
internal ref struct LinuxControlReader
{
    /// <summary>Mark, packet info, segment size, time of arrival, and as much again for what a kernel may add.</summary>
    public const int Capacity = 256;

    private const byte EcnMask = 0x03;

    /// <summary>0 where the datagrams were not coalesced.</summary>
    public int SegmentSize { get; private set; }

    public EcnCodepoint Ecn { get; private set; }

    public NetworkAddress Local { get; private set; }

    public int InterfaceIndex { get; private set; }

    /// <summary>When the kernel got the first of the datagrams, in nanoseconds since 1970; 0 where it does not say.</summary>
    public long ArrivedAt { get; private set; }

    public static unsafe LinuxControlReader Read(ReadOnlySpan<byte> control, ushort localPort)
    {
        LinuxControlReader result = default;
        int headerLength = sizeof(LinuxNative.ControlHeader);
        while (control.Length >= headerLength)
        {
            LinuxNative.ControlHeader header = MemoryMarshal.Read<LinuxNative.ControlHeader>(control);
            if (header.Length < (nuint)headerLength || header.Length > (nuint)control.Length)
            {
                break;
            }

            result.Take(header.Level, header.Type, control[headerLength..(int)header.Length], localPort);
            int space = ((int)header.Length + sizeof(ulong) - 1) & ~(sizeof(ulong) - 1);
            control = control[Math.Min(space, control.Length)..];
        }

        return result;
    }

    private void Take(int level, int type, ReadOnlySpan<byte> data, ushort localPort)
    {
        switch (level, type)
        {
            case (LinuxNative.SolUdp, LinuxNative.UdpGro):
                SegmentSize = MemoryMarshal.Read<int>(data);
                break;

            case (LinuxNative.SolSocket, LinuxNative.SocketTimestamp):
                ArrivedAt = (MemoryMarshal.Read<long>(data) * 1_000_000_000) + MemoryMarshal.Read<long>(data[sizeof(long)..]);
                break;

            case (LinuxNative.SolIP, LinuxNative.IPTos):
                // One byte here, four below.
                Ecn = (EcnCodepoint)(data[0] & EcnMask);
                break;

            case (LinuxNative.SolIPv6, LinuxNative.IPv6TrafficClass):
                Ecn = (EcnCodepoint)(MemoryMarshal.Read<int>(data) & EcnMask);
                break;

            case (LinuxNative.SolIP, LinuxNative.IPPacketInfo):
                // spec_dst: the address of ours to answer from, also where the datagram came to a broadcast address.
                InterfaceIndex = MemoryMarshal.Read<int>(data);
                Local = NetworkAddress.FromBytes(data.Slice(4, 4), localPort);
                break;

            case (LinuxNative.SolIPv6, LinuxNative.IPv6PacketInfo):
                InterfaceIndex = MemoryMarshal.Read<int>(data[16..]);
                Local = NetworkAddress.FromBytes(data[..16], localPort, IsLinkLocal(data) ? (uint)InterfaceIndex : 0);
                break;

            default:
                break;
        }
    }

    /// <summary>fe80::/10. Other addresses have no scope: with one, the same address would differ from itself.</summary>
    private static bool IsLinkLocal(ReadOnlySpan<byte> address) => address[0] == 0xfe && (address[1] & 0xc0) == 0x80;
}
