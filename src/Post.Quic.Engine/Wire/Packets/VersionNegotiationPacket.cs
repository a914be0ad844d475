using System.Buffers.Binary;

namespace Post.Quic.Engine.Wire.Packets;

/// <summary>Version Negotiation (RFC 8999 section 6, RFC 9000 section 17.2.1).</summary>
internal readonly ref struct VersionNegotiationPacket
{
    private readonly ReadOnlySpan<byte> _versions;

    private VersionNegotiationPacket(InvariantHeader header, ReadOnlySpan<byte> versions)
    {
        DestinationConnectionId = header.DestinationConnectionId;
        SourceConnectionId = header.SourceConnectionId;
        _versions = versions;
    }

    public ReadOnlySpan<byte> DestinationConnectionId { get; }

    public ReadOnlySpan<byte> SourceConnectionId { get; }

    public int VersionCount => _versions.Length / sizeof(uint);

    public static bool TryParse(ReadOnlySpan<byte> datagram, out VersionNegotiationPacket packet)
    {
        packet = default;
        if (!InvariantHeader.TryParse(datagram, 0, out InvariantHeader header)
            || !header.IsLong
            || header.Version != (uint)QuicVersion.Negotiation)
        {
            return false;
        }

        // RFC 8999 section 6: an empty list, or one that ends within a version, is ignored.
        ReadOnlySpan<byte> versions = datagram[header.Length..];
        if (versions.IsEmpty || versions.Length % sizeof(uint) != 0)
        {
            return false;
        }

        packet = new VersionNegotiationPacket(header, versions);
        return true;
    }

    public uint Version(int index) => BinaryPrimitives.ReadUInt32BigEndian(_versions[(index * sizeof(uint))..]);

    /// <summary>
    /// RFC 9000 section 6.2: a client drops a packet that lists the version it chose; the answer cannot be honest.
    /// </summary>
    public bool Contains(uint version)
    {
        for (int i = 0; i < VersionCount; i++)
        {
            if (Version(i) == version)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Writes an answer to a packet of a version we do not speak.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="destination">The source id of the packet that is answered, up to 255 bytes.</param>
    /// <param name="source">Its destination id.</param>
    /// <param name="versions">What we speak, and perhaps a reserved one.</param>
    /// <param name="random">Bits for those that mean nothing.</param>
    public static void Write(
        ref WireWriter writer,
        scoped ReadOnlySpan<byte> destination,
        scoped ReadOnlySpan<byte> source,
        scoped ReadOnlySpan<uint> versions,
        byte random)
    {
        // RFC 9000 section 17.2.1: the bit that is the QUIC bit elsewhere is set here too, for those who tell QUIC from
        // other protocols by it.
        writer.WriteByte((byte)(FirstByte.LongForm | FirstByte.Fixed | (random & 0x3f)));
        writer.WriteUInt32((uint)QuicVersion.Negotiation);
        writer.WriteByte((byte)destination.Length);
        writer.WriteBytes(destination);
        writer.WriteByte((byte)source.Length);
        writer.WriteBytes(source);
        foreach (uint version in versions)
        {
            writer.WriteUInt32(version);
        }
    }
}
