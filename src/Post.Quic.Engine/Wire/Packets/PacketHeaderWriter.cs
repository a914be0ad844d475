namespace Post.Quic.Engine.Wire.Packets;

/// <summary>Writes the headers of packets that keys will protect (RFC 9000 sections 17.2 and 17.3).</summary>
internal static class PacketHeaderWriter
{
    /// <summary>Two bytes hold the length of any packet we build (up to 16383), and it is known only at the end.</summary>
    public const int DefaultLengthSize = 2;

    /// <summary>
    /// Writes an Initial, 0-RTT or Handshake header up to and with room for the Length field; the packet number comes
    /// next. Returns where the Length field stands, for <see cref="FillLength"/>.
    /// </summary>
    /// <param name="writer">Where to.</param>
    /// <param name="type">Initial, 0-RTT or Handshake.</param>
    /// <param name="version">Decides the type bits too.</param>
    /// <param name="destination">The peer's id.</param>
    /// <param name="source">Ours.</param>
    /// <param name="token">Of an Initial; must be empty in the others, which have no place for it.</param>
    /// <param name="packetNumberLength">1 to 4.</param>
    /// <param name="lengthSize">Bytes for the Length field: 2 or 4.</param>
    /// <param name="fixedBit">False only towards a peer that announced grease_quic_bit.</param>
    public static int WriteLong(
        ref WireWriter writer,
        PacketType type,
        QuicVersion version,
        in ConnectionId destination,
        in ConnectionId source,
        scoped ReadOnlySpan<byte> token,
        int packetNumberLength,
        int lengthSize = DefaultLengthSize,
        bool fixedBit = true)
    {
        byte first = (byte)(FirstByte.Long(type, version) | (packetNumberLength - 1));
        WriteLongStart(ref writer, fixedBit ? first : (byte)(first & ~FirstByte.Fixed), version, destination, source);
        if (type == PacketType.Initial)
        {
            writer.WriteVarBytes(token);
        }

        int position = writer.Position;
        writer.WriteVarInt(0, lengthSize);
        return position;
    }

    /// <summary>What <see cref="WriteLong"/> and the packet number take together.</summary>
    public static int LongLength(
        PacketType type,
        in ConnectionId destination,
        in ConnectionId source,
        int tokenLength,
        int packetNumberLength,
        int lengthSize = DefaultLengthSize) =>
        1 + sizeof(uint) + 1 + destination.Length + 1 + source.Length
        + (type == PacketType.Initial ? VarInt.Length((ulong)tokenLength) + tokenLength : 0)
        + lengthSize + packetNumberLength;

    /// <summary>Fills in the Length field: packet number, payload and tag.</summary>
    public static void FillLength(
        Span<byte> buffer,
        int position,
        int length,
        int lengthSize = DefaultLengthSize) =>
        VarInt.Write(buffer[position..], (ulong)length, lengthSize);

    /// <summary>Writes a short header; the packet number comes next.</summary>
    public static void WriteShort(
        ref WireWriter writer,
        in ConnectionId destination,
        int packetNumberLength,
        bool keyPhase,
        bool spin = false,
        bool fixedBit = true)
    {
        int first = packetNumberLength - 1;
        first |= fixedBit ? FirstByte.Fixed : 0;
        first |= keyPhase ? FirstByte.KeyPhase : 0;
        first |= spin ? FirstByte.Spin : 0;
        writer.WriteByte((byte)first);
        writer.WriteBytes(destination.Span);
    }

    /// <summary>What <see cref="WriteShort"/> and the packet number take together.</summary>
    public static int ShortLength(in ConnectionId destination, int packetNumberLength) =>
        1 + destination.Length + packetNumberLength;

    /// <summary>
    /// Writes a Retry packet up to and with its token; the integrity tag follows (RFC 9000 section 17.2.5).
    /// </summary>
    /// <param name="writer">Where to.</param>
    /// <param name="version">Decides the type bits too.</param>
    /// <param name="destination">The client's source id.</param>
    /// <param name="source">The id the client is to use from now on.</param>
    /// <param name="token">Not empty.</param>
    /// <param name="random">Its low four bits go into the unused ones.</param>
    public static void WriteRetry(
        ref WireWriter writer,
        QuicVersion version,
        in ConnectionId destination,
        in ConnectionId source,
        scoped ReadOnlySpan<byte> token,
        byte random)
    {
        byte first = (byte)(FirstByte.Long(PacketType.Retry, version) | (random & 0x0f));
        WriteLongStart(ref writer, first, version, destination, source);
        writer.WriteBytes(token);
    }

    private static void WriteLongStart(
        ref WireWriter writer,
        byte first,
        QuicVersion version,
        in ConnectionId destination,
        in ConnectionId source)
    {
        writer.WriteByte(first);
        writer.WriteUInt32((uint)version);
        writer.WriteByte((byte)destination.Length);
        writer.WriteBytes(destination.Span);
        writer.WriteByte((byte)source.Length);
        writer.WriteBytes(source.Span);
    }
}
