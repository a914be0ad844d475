namespace Post.Quic.Engine.Wire.Packets;

/// <summary>
/// The header of a packet of version 1 or 2 as far as it can be read before header protection is removed
/// (RFC 9000 section 17).
/// </summary>
internal readonly ref struct PacketHeader
{
    /// <summary>The Retry Integrity Tag at the end of a Retry packet (RFC 9001 section 5.8).</summary>
    public const int RetryTagLength = 16;

    private PacketHeader(
        PacketType type,
        byte first,
        InvariantHeader invariant,
        ReadOnlySpan<byte> token,
        int contentOffset,
        int length)
    {
        Type = type;
        HasFixedBit = (first & FirstByte.Fixed) != 0;
        Version = (QuicVersion)invariant.Version;
        DestinationConnectionId = invariant.DestinationConnectionId;
        SourceConnectionId = invariant.SourceConnectionId;
        Token = token;
        PacketNumberOffset = contentOffset;
        Length = length;
    }

    public PacketType Type { get; }

    /// <summary>
    /// RFC 9000 section 17.2: without it a packet is dropped, except where we announced grease_quic_bit
    /// (RFC 9287 section 3).
    /// </summary>
    public bool HasFixedBit { get; }

    /// <summary>Of a long header; <see cref="QuicVersion.Negotiation"/> for a short one.</summary>
    public QuicVersion Version { get; }

    public ReadOnlySpan<byte> DestinationConnectionId { get; }

    public ReadOnlySpan<byte> SourceConnectionId { get; }

    /// <summary>Of Initial and Retry.</summary>
    public ReadOnlySpan<byte> Token { get; }

    /// <summary>Where the packet number stands; where the token or the list of versions stands in those without one.</summary>
    public int PacketNumberOffset { get; }

    /// <summary>The whole packet, so that the next of a datagram begins there.</summary>
    public int Length { get; }

    /// <summary>Retry and Version Negotiation are under no keys.</summary>
    public bool IsProtected => Type is not (PacketType.Retry or PacketType.VersionNegotiation);

    /// <summary>The keys that open a packet that <see cref="IsProtected"/>.</summary>
    public EncryptionLevel Level => Type switch
    {
        PacketType.Initial => EncryptionLevel.Initial,
        PacketType.ZeroRtt => EncryptionLevel.EarlyData,
        PacketType.Handshake => EncryptionLevel.Handshake,
        _ => EncryptionLevel.Application,
    };

    /// <param name="datagram">A datagram, or what is left of it.</param>
    /// <param name="localConnectionIdLength">The length of the ids we give out: a short header does not say it.</param>
    /// <param name="header">What was found.</param>
    public static PacketParseResult TryParse(
        ReadOnlySpan<byte> datagram,
        int localConnectionIdLength,
        out PacketHeader header)
    {
        header = default;
        if (!InvariantHeader.TryParse(datagram, localConnectionIdLength, out InvariantHeader invariant))
        {
            return PacketParseResult.Malformed;
        }

        byte first = datagram[0];
        if (!invariant.IsLong)
        {
            // RFC 9000 section 12.2: no length, so it reaches to the end of the datagram.
            header = new PacketHeader(PacketType.OneRtt, first, invariant, default, invariant.Length, datagram.Length);
            return PacketParseResult.Parsed;
        }

        if (invariant.Version == (uint)QuicVersion.Negotiation)
        {
            header = new PacketHeader(
                PacketType.VersionNegotiation, first, invariant, default, invariant.Length, datagram.Length);
            return PacketParseResult.Parsed;
        }

        if (!QuicVersions.IsSupported(invariant.Version))
        {
            return PacketParseResult.UnknownVersion;
        }

        // RFC 9000 section 17.2: a connection id above 20 bytes in version 1 is dropped.
        if (invariant.DestinationConnectionId.Length > ConnectionId.MaxLength
            || invariant.SourceConnectionId.Length > ConnectionId.MaxLength)
        {
            return PacketParseResult.Malformed;
        }

        return TryParseLong(datagram, invariant, out header) ? PacketParseResult.Parsed : PacketParseResult.Malformed;
    }

    private static bool TryParseLong(ReadOnlySpan<byte> datagram, InvariantHeader invariant, out PacketHeader header)
    {
        header = default;
        byte first = datagram[0];
        PacketType type = FirstByte.LongType(first, (QuicVersion)invariant.Version);
        var reader = new WireReader(datagram);
        _ = reader.TrySkip(invariant.Length);

        ReadOnlySpan<byte> token = default;
        if (type == PacketType.Retry)
        {
            // RFC 9000 section 17.2.5.2: a Retry with an empty token is dropped.
            if (!reader.TryReadBytes(reader.Remaining - RetryTagLength, out token) || token.IsEmpty)
            {
                return false;
            }

            header = new PacketHeader(type, first, invariant, token, invariant.Length, datagram.Length);
            return true;
        }

        // RFC 9000 section 17.2: a Length beyond the datagram is no packet.
        if ((type == PacketType.Initial && !reader.TryReadVarBytes(out token))
            || !reader.TryReadVarInt(out ulong length)
            || length > (ulong)reader.Remaining)
        {
            return false;
        }

        header = new PacketHeader(type, first, invariant, token, reader.Position, reader.Position + (int)length);
        return true;
    }
}
