using System.Buffers.Binary;

namespace Post.Sockets.Protocol;

/// <summary>
/// The integers of post/1: the variable-length integers of RFC 9000 section 16. They hold 62 bits, so a
/// <see cref="long"/> carries every one of them.
/// </summary>
internal static class PostInteger
{
    public const long MaxValue = (1L << 62) - 1;

    public const int MaxLength = 8;

    /// <summary>The number of bytes of the shortest form, which is the one that we write.</summary>
    public static int Length(long value) => value switch
    {
        < 1L << 6 => 1,
        < 1L << 14 => 2,
        < 1L << 30 => 4,
        _ => 8,
    };

    /// <summary>Reads any of the four forms; the value need not stand in its shortest one.</summary>
    public static bool TryRead(ReadOnlySpan<byte> source, out long value, out int consumed)
    {
        if (source.IsEmpty)
        {
            value = 0;
            consumed = 0;
            return false;
        }

        byte first = source[0];
        if (first < 0x40)
        {
            value = first;
            consumed = 1;
            return true;
        }

        int length = 1 << (first >> 6);
        if (source.Length < length)
        {
            value = 0;
            consumed = 0;
            return false;
        }

        consumed = length;
        value = length switch
        {
            2 => BinaryPrimitives.ReadUInt16BigEndian(source) & 0x3fffL,
            4 => BinaryPrimitives.ReadUInt32BigEndian(source) & 0x3fffffffL,
            _ => (long)(BinaryPrimitives.ReadUInt64BigEndian(source) & MaxValue),
        };
        return true;
    }

    /// <summary>Writes the shortest form; returns the number of bytes written.</summary>
    public static int Write(Span<byte> destination, long value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, MaxValue);
        int length = Length(value);
        switch (length)
        {
            case 1:
                destination[0] = (byte)value;
                break;
            case 2:
                BinaryPrimitives.WriteUInt16BigEndian(destination, (ushort)(value | 0x4000));
                break;
            case 4:
                BinaryPrimitives.WriteUInt32BigEndian(destination, (uint)value | 0x80000000);
                break;
            default:
                BinaryPrimitives.WriteUInt64BigEndian(destination, (ulong)value | 0xc000000000000000);
                break;
        }

        return length;
    }
}
