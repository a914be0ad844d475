using System.Buffers.Binary;

namespace Post.Quic.Engine.Crypto;

/// <summary>
/// Where the core draws random bytes. Injected, so that a simulated world repeats from its seed; in production it is
/// always <see cref="SystemRandomSource"/>.
/// </summary>
internal abstract class RandomSource
{
    public abstract void Fill(Span<byte> destination);

    public ulong NextUInt64()
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        Fill(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }

    public byte NextByte()
    {
        Span<byte> one = stackalloc byte[1];
        Fill(one);
        return one[0];
    }

    public bool NextBool() => (NextByte() & 1) != 0;

    /// <summary>A number in [0, <paramref name="exclusiveMax"/>), without modulo bias.</summary>
    public ulong NextUInt64(ulong exclusiveMax)
    {
        ArgumentOutOfRangeException.ThrowIfZero(exclusiveMax);

        // The high half of a 128-bit product, refused where the low half falls into the uneven remainder (Lemire).
        ulong high = Math.BigMul(NextUInt64(), exclusiveMax, out ulong low);
        if (low < exclusiveMax)
        {
            ulong remainder = unchecked(0 - exclusiveMax) % exclusiveMax;
            while (low < remainder)
            {
                high = Math.BigMul(NextUInt64(), exclusiveMax, out low);
            }
        }

        return high;
    }

    /// <summary>A number in [0, <paramref name="exclusiveMax"/>).</summary>
    public int NextInt32(int exclusiveMax)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(exclusiveMax);
        return (int)NextUInt64((ulong)exclusiveMax);
    }
}
