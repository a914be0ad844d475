namespace Post.Quic.Engine.Crypto.LibCrypto;

/// <summary>
/// The points of Ed25519 whose multiples are at most eight, in every encoding that libraries take. Under such a key one
/// signature fits many contents, so that it proves nothing; RFC 8032 does not forbid it, and libcrypto takes it.
/// </summary>
internal static class SmallOrderPoints
{
    private static ReadOnlySpan<byte> OrderEight =>
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
        0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ];

    private static ReadOnlySpan<byte> OrderEightNegative =>
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
        0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ];

    public static bool Contain(ReadOnlySpan<byte> key)
    {
        // The highest bit is the sign of the other coordinate (RFC 8032 section 5.1.2), and says nothing of the order.
        Span<byte> y = stackalloc byte[key.Length];
        key.CopyTo(y);
        y[^1] &= 0x7f;
        if (y.SequenceEqual(OrderEight) || y.SequenceEqual(OrderEightNegative))
        {
            return true;
        }

        // 0, 1 and -1, the first two also as the prime and one more, which fit 255 bits too: ed to ee, then ff.
        return y[1..].ContainsAnyExcept((byte)0)
            ? y[0] is 0xec or 0xed or 0xee && y[^1] == 0x7f && !y[1..^1].ContainsAnyExcept((byte)0xff)
            : y[0] is 0 or 1;
    }
}
