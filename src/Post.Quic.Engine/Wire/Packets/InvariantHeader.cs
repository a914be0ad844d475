namespace Post.Quic.Engine.Wire.Packets;

/// <summary>What every version of QUIC has in common (RFC 8999): enough to route a packet or to answer its version.</summary>
internal readonly ref struct InvariantHeader
{
    private InvariantHeader(
        bool isLong,
        uint version,
        ReadOnlySpan<byte> destinationConnectionId,
        ReadOnlySpan<byte> sourceConnectionId,
        int length)
    {
        IsLong = isLong;
        Version = version;
        DestinationConnectionId = destinationConnectionId;
        SourceConnectionId = sourceConnectionId;
        Length = length;
    }

    public bool IsLong { get; }

    /// <summary>Of a long header; 0 is Version Negotiation.</summary>
    public uint Version { get; }

    /// <summary>Up to 255 bytes: only versions 1 and 2 limit themselves to 20.</summary>
    public ReadOnlySpan<byte> DestinationConnectionId { get; }

    public ReadOnlySpan<byte> SourceConnectionId { get; }

    /// <summary>Bytes up to and with the connection ids.</summary>
    public int Length { get; }

    /// <param name="datagram">A datagram, or what is left of it.</param>
    /// <param name="localConnectionIdLength">The length of the ids we give out: a short header does not say it.</param>
    /// <param name="header">What was found.</param>
    public static bool TryParse(ReadOnlySpan<byte> datagram, int localConnectionIdLength, out InvariantHeader header)
    {
        header = default;
        var reader = new WireReader(datagram);
        if (!reader.TryReadByte(out byte first))
        {
            return false;
        }

        if (!FirstByte.IsLong(first))
        {
            if (!reader.TryReadBytes(localConnectionIdLength, out ReadOnlySpan<byte> id))
            {
                return false;
            }

            header = new InvariantHeader(isLong: false, 0, id, default, reader.Position);
            return true;
        }

        if (!reader.TryReadUInt32(out uint version)
            || !reader.TryReadByte(out byte destinationLength)
            || !reader.TryReadBytes(destinationLength, out ReadOnlySpan<byte> destination)
            || !reader.TryReadByte(out byte sourceLength)
            || !reader.TryReadBytes(sourceLength, out ReadOnlySpan<byte> source))
        {
            return false;
        }

        header = new InvariantHeader(isLong: true, version, destination, source, reader.Position);
        return true;
    }
}
