using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Diagnostics;

/// <summary>Reads the parts of a record, which the trace has written whole.</summary>
internal static class QlogReading
{
    public static byte ReadByte(ref WireReader reader)
    {
        _ = reader.TryReadByte(out byte value);
        return value;
    }

    public static uint ReadUInt32(ref WireReader reader)
    {
        _ = reader.TryReadUInt32(out uint value);
        return value;
    }

    public static ulong ReadUInt64(ref WireReader reader)
    {
        _ = reader.TryReadUInt64(out ulong value);
        return value;
    }

    public static EncryptionLevel ReadLevel(ref WireReader reader) => (EncryptionLevel)ReadByte(ref reader);

    public static NetworkAddress ReadAddress(ref WireReader reader)
    {
        _ = reader.TryReadBytes(16, out ReadOnlySpan<byte> address);
        _ = reader.TryReadUInt16(out ushort port);
        return NetworkAddress.FromBytes(address, port, ReadUInt32(ref reader));
    }
}
