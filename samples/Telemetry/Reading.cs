using System.Buffers.Binary;

namespace Telemetry;

/// <summary>What a sensor measured: its number and a value, 12 bytes on the wire.</summary>
internal readonly record struct Reading(int Number, double Value)
{
    public byte[] ToBytes()
    {
        var bytes = new byte[12];
        BinaryPrimitives.WriteInt32BigEndian(bytes, Number);
        BinaryPrimitives.WriteDoubleBigEndian(bytes.AsSpan(4), Value);
        return bytes;
    }

    public static Reading? TryParse(ReadOnlySpan<byte> bytes) => bytes.Length == 12
        ? new Reading(BinaryPrimitives.ReadInt32BigEndian(bytes), BinaryPrimitives.ReadDoubleBigEndian(bytes[4..]))
        : null;
}
