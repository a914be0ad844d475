using Post.Quic.Engine.Addressing;

namespace Post.Quic.Engine.Wire.Parameters;

/// <summary>preferred_address (RFC 9000 sections 9.6 and 18.2): where the server would rather be spoken to.</summary>
internal sealed record PreferredAddress(
    NetworkAddress IPv4,
    NetworkAddress IPv6,
    ConnectionId ConnectionId,
    StatelessResetToken ResetToken)
{
    private const int IPv4Length = 4;
    private const int IPv6Length = 16;

    /// <summary>Both families always stand on the wire; one that is not offered is all zeros.</summary>
    private int Length => IPv4Length + 2 + IPv6Length + 2 + 1 + ConnectionId.Length + StatelessResetToken.Length;

    internal static bool TryParse(ReadOnlySpan<byte> value, out PreferredAddress? address)
    {
        address = null;
        var reader = new WireReader(value);
        if (!reader.TryReadBytes(IPv4Length, out ReadOnlySpan<byte> ipv4)
            || !reader.TryReadUInt16(out ushort ipv4Port)
            || !reader.TryReadBytes(IPv6Length, out ReadOnlySpan<byte> ipv6)
            || !reader.TryReadUInt16(out ushort ipv6Port)
            || !reader.TryReadByte(out byte idLength)

            // RFC 9000 section 18.2: a connection id of zero length here is TRANSPORT_PARAMETER_ERROR.
            || idLength is < 1 or > ConnectionId.MaxLength
            || !reader.TryReadBytes(idLength, out ReadOnlySpan<byte> id)
            || !reader.TryReadBytes(StatelessResetToken.Length, out ReadOnlySpan<byte> token)
            || !reader.IsEmpty)
        {
            return false;
        }

        address = new PreferredAddress(
            FromWire(ipv4, ipv4Port),
            FromWire(ipv6, ipv6Port),
            new ConnectionId(id),
            new StatelessResetToken(token));
        return true;
    }

    internal void Write(ref WireWriter writer)
    {
        writer.WriteVarInt((ulong)Length);
        Span<byte> bytes = stackalloc byte[IPv6Length];
        IPv4.WriteBytes(bytes);
        writer.WriteBytes(bytes[^IPv4Length..]);
        writer.WriteUInt16(IPv4.Port);
        IPv6.WriteBytes(bytes);
        writer.WriteBytes(bytes);
        writer.WriteUInt16(IPv6.Port);
        writer.WriteByte((byte)ConnectionId.Length);
        writer.WriteBytes(ConnectionId.Span);
        writer.WriteBytes(ResetToken.Span);
    }

    /// <summary>RFC 9000 section 18.2: an address of zeros with port 0 is one that the server does not offer.</summary>
    private static NetworkAddress FromWire(ReadOnlySpan<byte> address, ushort port) =>
        port == 0 || !address.ContainsAnyExcept((byte)0)
            ? NetworkAddress.None
            : NetworkAddress.FromBytes(address, port);
}
