using System.Numerics;

namespace Post.Quic.Engine.Wire.Packets;

/// <summary>Shortens packet numbers to 1 to 4 bytes and completes them again (RFC 9000 section 17.1, appendix A).</summary>
internal static class PacketNumber
{
    public const int MaxLength = 4;

    /// <summary>RFC 9000 section 12.3: at this number a connection ends.</summary>
    public const ulong MaxValue = VarInt.MaxValue;

    /// <summary>
    /// RFC 9000 appendix A.2: the bytes that a number needs so that the peer can complete it, twice as many numbers being
    /// told apart as are unacknowledged.
    /// </summary>
    /// <param name="packetNumber">The number to send.</param>
    /// <param name="firstUnacknowledged">The largest acknowledged plus one; 0 where nothing is acknowledged.</param>
    public static int LengthFor(ulong packetNumber, ulong firstUnacknowledged)
    {
        ulong unacknowledged = packetNumber - firstUnacknowledged + 1;
        int bits = BitOperations.Log2(unacknowledged) + (BitOperations.IsPow2(unacknowledged) ? 0 : 1) + 1;
        return Math.Min((bits + 7) / 8, MaxLength);
    }

    public static void Write(ref WireWriter writer, ulong packetNumber, int length)
    {
        for (int shift = 8 * (length - 1); shift >= 0; shift -= 8)
        {
            writer.WriteByte((byte)(packetNumber >> shift));
        }
    }

    /// <summary>RFC 9000 appendix A.3, in 64 bits throughout: the number nearest to the expected one that ends so.</summary>
    /// <param name="expected">The largest number received so far plus one; 0 before the first packet.</param>
    /// <param name="truncated">What the packet holds.</param>
    /// <param name="length">The bytes it was held in, 1 to 4.</param>
    public static ulong Decode(ulong expected, uint truncated, int length)
    {
        ulong window = 1UL << (8 * length);
        ulong half = window / 2;
        ulong candidate = (expected & ~(window - 1)) | truncated;

        // Written so that no term falls below 0: the difference itself would wrap.
        if (candidate + half <= expected && candidate < (1UL << 62) - window)
        {
            return candidate + window;
        }

        return candidate > expected + half && candidate >= window ? candidate - window : candidate;
    }
}
