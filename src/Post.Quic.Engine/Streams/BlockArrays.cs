using System.Buffers;
using Post.Quic.Engine.Connection;

namespace Post.Quic.Engine.Streams;

/// <summary>
/// The arrays behind blocks, for all connections. Those of busy streams are taken by one thread and given back by another,
/// by the hundred: more than the shared pool of .NET keeps for any one size.
/// </summary>
internal static class BlockArrays
{
    /// <summary>What a stream that goes on is given.</summary>
    public const int Large = 16 * 1024;

    private static readonly FreeList<byte[]> LargeArrays = new(Limits.PooledBlockArrays);
    private static readonly Lock Gate = new();

    public static byte[] Rent(int size)
    {
        if (size != Large)
        {
            return ArrayPool<byte>.Shared.Rent(size);
        }

        byte[]? kept;
        lock (Gate)
        {
            kept = LargeArrays.Take();
        }

        return kept ?? GC.AllocateUninitializedArray<byte>(Large);
    }

    public static void Return(byte[] array)
    {
        if (array.Length != Large)
        {
            ArrayPool<byte>.Shared.Return(array);
            return;
        }

        lock (Gate)
        {
            LargeArrays.Give(array);
        }
    }
}
