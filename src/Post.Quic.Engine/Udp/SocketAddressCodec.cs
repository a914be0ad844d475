using System.Buffers.Binary;
using Post.Quic.Engine.Addressing;

namespace Post.Quic.Engine.Udp;

/// <summary>
/// Addresses in the form of sockaddr_in and sockaddr_in6. The first two bytes (the family, on BSDs also the length) differ
/// between systems and are not touched: a socket has one family.
/// </summary>
internal static class SocketAddressCodec
{
    public const int IPv4Length = 16;

    public const int IPv6Length = 28;

    private const int PortOffset = 2;
    private const int IPv4Offset = 4;
    private const int FlowOffset = 4;
    private const int IPv6Offset = 8;
    private const int ScopeOffset = 24;
    private const int MappedPrefixLength = 12;

    /// <summary>False: an IPv6 address cannot be reached from an IPv4 socket.</summary>
    public static bool TryWrite(in NetworkAddress address, bool isIPv6Socket, Span<byte> sockaddr)
    {
        BinaryPrimitives.WriteUInt16BigEndian(sockaddr[PortOffset..], address.Port);
        if (isIPv6Socket)
        {
            sockaddr.Slice(FlowOffset, sizeof(uint)).Clear();
            address.WriteBytes(sockaddr[IPv6Offset..]);

            // The scope is the one field in the machine's own byte order.
            BitConverter.TryWriteBytes(sockaddr[ScopeOffset..], address.ScopeId);
            return true;
        }

        Span<byte> bytes = stackalloc byte[16];
        address.WriteBytes(bytes);
        bytes[MappedPrefixLength..].CopyTo(sockaddr[IPv4Offset..]);
        sockaddr[(IPv4Offset + sizeof(uint))..IPv4Length].Clear();
        return address.IsIPv4;
    }

    public static NetworkAddress Read(ReadOnlySpan<byte> sockaddr, bool isIPv6Socket)
    {
        ushort port = BinaryPrimitives.ReadUInt16BigEndian(sockaddr[PortOffset..]);
        return isIPv6Socket
            ? NetworkAddress.FromBytes(
                sockaddr.Slice(IPv6Offset, 16), port, BitConverter.ToUInt32(sockaddr[ScopeOffset..]))
            : NetworkAddress.FromBytes(sockaddr.Slice(IPv4Offset, sizeof(uint)), port);
    }
}
