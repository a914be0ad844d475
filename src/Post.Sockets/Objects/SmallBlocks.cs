using System.Numerics;

namespace Post.Sockets.Objects;

/// <summary>
/// The memory of small objects that arrive, for all associations. What the thread of one socket fills the thread of a handler gives back, by
/// the thousand where objects stream in: more than the shared pool of .NET keeps for any one size, or brings back to the thread that rents.
/// </summary>
internal static class SmallBlocks
{
    /// <summary>The largest block: what comes in one packet fits into it.</summary>
    public const int Largest = 2048;

    private const int Smallest = 256;

    /// <summary>Of each size so many bytes are kept.</summary>
    private const int MaxKeptBytes = 8 * 1024 * 1024;

    private static readonly Kept[] Sizes = [.. Enumerable.Range(0, BitOperations.Log2(Largest / Smallest) + 1).Select(static _ => new Kept())];

    /// <summary>A block of a size that is a power of two, from 256 to <see cref="Largest"/>.</summary>
    public static byte[] Rent(int size)
    {
        var kept = Of(size);
        lock (kept.Gate)
        {
            if (kept.Blocks.TryPop(out var block))
            {
                return block;
            }
        }

        return GC.AllocateUninitializedArray<byte>(size);
    }

    /// <summary>Gives a block back that <see cref="Rent"/> gave.</summary>
    public static void Return(byte[] block)
    {
        var kept = Of(block.Length);
        lock (kept.Gate)
        {
            if (kept.Blocks.Count < MaxKeptBytes / block.Length)
            {
                kept.Blocks.Push(block);
            }
        }
    }

    /// <summary>Whether blocks of a size are kept here.</summary>
    public static bool Keeps(int size) => size is >= Smallest and <= Largest && BitOperations.IsPow2(size);

    private static Kept Of(int size) => Sizes[BitOperations.Log2((uint)(size / Smallest))];

    private sealed class Kept
    {
        public Lock Gate { get; } = new();

        public Stack<byte[]> Blocks { get; } = new();
    }
}
