namespace Post.Quic.Benchmarks.Payloads;

/// <summary>
/// Endless bytes that look random and can be had without making them. The period is a prime, so no block that is lost, doubled
/// or swapped with another goes unnoticed, whatever its size.
/// </summary>
internal static class Pattern
{
    /// <summary>The most bytes that are had in one piece.</summary>
    public const int MaxPiece = 256 * 1024;

    private const int Period = 65_521;

    private static readonly byte[] Bytes = Make();

    /// <summary>The bytes from an offset on.</summary>
    public static ReadOnlyMemory<byte> At(long offset, int length) => Bytes.AsMemory((int)(offset % Period), length);

    /// <summary>Whether these are the bytes from that offset on.</summary>
    public static bool Is(long offset, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int length = Math.Min(bytes.Length, MaxPiece);
            if (!At(offset, length).Span.SequenceEqual(bytes[..length]))
            {
                return false;
            }

            offset += length;
            bytes = bytes[length..];
        }

        return true;
    }

    private static byte[] Make()
    {
        byte[] bytes = new byte[Period + MaxPiece];
        new Random(1).NextBytes(bytes.AsSpan(0, Period));
        for (int i = Period; i < bytes.Length; i++)
        {
            bytes[i] = bytes[i - Period];
        }

        return bytes;
    }
}
