using System.Buffers;
using System.Numerics;
using Post.Quic.Engine.Bounds;

namespace Post.Quic.Engine.Streams;

/// <summary>
/// The arrays behind blocks, for all connections. Those of busy streams are taken by one thread and given back by another,
/// by the hundred: more than the shared pool of .NET keeps for any one size.
/// </summary>
internal static class BlockArrays
{
    /// <summary>What a short stream begins with.</summary>
    public const int Smallest = 256;

    /// <summary>What a stream that goes on is given.</summary>
    public const int Largest = 16 * 1024;

    private static readonly Class[] Classes =
        [.. Enumerable.Range(0, BitOperations.Log2(Largest / Smallest) + 1).Select(power => new Class(Smallest << power))];

    /// <summary>An array of at least that size; a power of two where it is within the bounds.</summary>
    public static byte[] Rent(int size) => size <= Largest ? Of(size).Rent() : ArrayPool<byte>.Shared.Rent(size);

    public static void Return(byte[] array)
    {
        if (array.Length <= Largest)
        {
            Of(array.Length).Return(array);
        }
        else
        {
            ArrayPool<byte>.Shared.Return(array);
        }
    }

    private static Class Of(int size) =>
        Classes[BitOperations.Log2(BitOperations.RoundUpToPowerOf2((uint)Math.Max(size, Smallest)) / Smallest)];

    private sealed class Class(int size)
    {
        private readonly FreeList<byte[]> _free = new(Limits.PooledBlockBytes / size);
        private readonly Lock _gate = new();

        public byte[] Rent()
        {
            byte[]? kept;
            lock (_gate)
            {
                kept = _free.Take();
            }

            return kept ?? GC.AllocateUninitializedArray<byte>(size);
        }

        public void Return(byte[] array)
        {
            lock (_gate)
            {
                _free.Give(array);
            }
        }
    }
}
