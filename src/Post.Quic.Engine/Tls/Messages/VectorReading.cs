using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tls.Messages;

/// <summary>Reads the length-prefixed vectors of TLS's presentation language (RFC 8446 section 3.4).</summary>
internal static class VectorReading
{
    public static bool TryReadVector8(this scoped ref WireReader reader, out ReadOnlySpan<byte> vector)
    {
        if (reader.TryReadByte(out byte length))
        {
            return reader.TryReadBytes(length, out vector);
        }

        vector = default;
        return false;
    }

    public static bool TryReadVector16(this scoped ref WireReader reader, out ReadOnlySpan<byte> vector)
    {
        if (reader.TryReadUInt16(out ushort length))
        {
            return reader.TryReadBytes(length, out vector);
        }

        vector = default;
        return false;
    }

    public static bool TryReadVector24(this scoped ref WireReader reader, out ReadOnlySpan<byte> vector)
    {
        if (reader.TryReadByte(out byte high) && reader.TryReadUInt16(out ushort low))
        {
            return reader.TryReadBytes((high << 16) | low, out vector);
        }

        vector = default;
        return false;
    }

    /// <summary>The whole of <paramref name="source"/> is one vector of at least one 16-bit number.</summary>
    public static bool TryReadNumbers(ReadOnlySpan<byte> source, out ReadOnlySpan<byte> numbers)
    {
        var reader = new WireReader(source);
        return reader.TryReadVector16(out numbers) && reader.IsEmpty && !numbers.IsEmpty && numbers.Length % 2 == 0;
    }

    public static bool ContainsNumber(ReadOnlySpan<byte> numbers, ushort number)
    {
        for (int i = 0; i + 1 < numbers.Length; i += 2)
        {
            if (((numbers[i] << 8) | numbers[i + 1]) == number)
            {
                return true;
            }
        }

        return false;
    }
}
