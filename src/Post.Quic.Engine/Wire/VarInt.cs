using System.Buffers.Binary;

namespace Post.Quic.Engine.Wire;

/// <summary>Variable-length integers (RFC 9000 section 16).</summary>
internal static class VarInt
{
    public const ulong MaxValue = (1UL << 62) - 1;

    public const int MaxLength = 8;

    public static int Length(ulong value) => value switch
    {
        < 1UL << 6 => 1,
        < 1UL << 14 => 2,
        < 1UL << 30 => 4,
        _ => 8,
    };

    public static bool TryRead(ReadOnlySpan<byte> source, out ulong value, out int consumed)
    {
        value = 0;
        consumed = 0;
        if (source.IsEmpty)
        {
            return false;
        }

        int length = 1 << (source[0] >> 6);
        if (source.Length < length)
        {
            return false;
        }

        consumed = length;
        value = length switch
        {
            1 => source[0],
            2 => BinaryPrimitives.ReadUInt16BigEndian(source) & 0x3fffUL,
            4 => BinaryPrimitives.ReadUInt32BigEndian(source) & 0x3fffffffUL,
            _ => BinaryPrimitives.ReadUInt64BigEndian(source) & MaxValue,
        };
        return true;
    }

    /// <summary>Writes in the shortest form; returns the number of bytes written.</summary>
    public static int Write(Span<byte> destination, ulong value) => Write(destination, value, Length(value));

    /// <summary>
    /// Writes in <paramref name="length"/> bytes (1, 2, 4 or 8), for fields whose value is filled in after the size
    /// of what they measure is known.
    /// </summary>
    public static int Write(Span<byte> destination, ulong value, int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, MaxValue);
        switch (length)
        {
            case 1:
                destination[0] = (byte)value;
                break;
            case 2:
                BinaryPrimitives.WriteUInt16BigEndian(destination, (ushort)(value | 0x4000));
                break;
            case 4:
                BinaryPrimitives.WriteUInt32BigEndian(destination, (uint)(value | 0x80000000));
                break;
            default:
                BinaryPrimitives.WriteUInt64BigEndian(destination, value | 0xc000000000000000);
                break;
        }

        return length;
    }
}
