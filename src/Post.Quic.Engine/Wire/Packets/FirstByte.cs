namespace Post.Quic.Engine.Wire.Packets;

/// <summary>
/// The bits of a packet's first byte (RFC 9000 sections 17.2 and 17.3), and the two ways of numbering long packets.
/// Those below the type and the spin bit mean something only after header protection is removed.
/// </summary>
internal static class FirstByte
{
    public const byte LongForm = 0x80;

    /// <summary>The QUIC bit: set, except where grease_quic_bit allows otherwise (RFC 9287).</summary>
    public const byte Fixed = 0x40;

    public const byte Spin = 0x20;

    public const byte KeyPhase = 0x04;

    public const byte PacketNumberLengthMask = 0x03;

    private const byte ShortReserved = 0x18;

    private const byte LongReserved = 0x0c;

    private const int TypeShift = 4;

    public static bool IsLong(byte value) => (value & LongForm) != 0;

    /// <summary>
    /// RFC 9000 sections 17.2 and 17.3.1: reserved bits that are not 0 are PROTOCOL_VIOLATION, to be judged only after
    /// both protections are removed: before that anyone on the path could have set them.
    /// </summary>
    public static bool HasReservedBits(byte unprotected) =>
        (unprotected & (IsLong(unprotected) ? LongReserved : ShortReserved)) != 0;

    /// <summary>RFC 9000 section 17.2, and RFC 9369 section 3.2, which turns the types by one.</summary>
    public static PacketType LongType(byte value, QuicVersion version)
    {
        int bits = (value >> TypeShift) & 0x03;
        return (PacketType)(version == QuicVersion.Version2 ? (bits + 3) & 0x03 : bits);
    }

    public static byte Long(PacketType type, QuicVersion version)
    {
        int bits = version == QuicVersion.Version2 ? ((int)type + 1) & 0x03 : (int)type;
        return (byte)(LongForm | Fixed | (bits << TypeShift));
    }
}
