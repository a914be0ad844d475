using System.Buffers;
using System.Collections.Concurrent;

namespace Post.Sockets.Objects;

/// <summary>
/// The memory of the pipes by which objects come in and go out piece by piece, for all associations. What one thread fills another
/// gives back, by the hundred where several large objects are under way: more than the shared pool of .NET keeps for any one size.
/// </summary>
internal sealed class PipeBlocks : MemoryPool<byte>
{
    /// <summary>One read of a transport's stream: enough that its cost is the bytes', little enough for a pipe that holds few.</summary>
    public const int Size = 16 * 1024;

    /// <summary>16 MiB are kept: the pipes of 64 large objects at once.</summary>
    private const int MaxKept = 1024;

    private readonly ConcurrentStack<Block> _free = new();
    private int _kept;

    private PipeBlocks()
    {
    }

    /// <summary>The one there is.</summary>
    public static new PipeBlocks Shared { get; } = new();

    public override int MaxBufferSize => MemoryPool<byte>.Shared.MaxBufferSize;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        if (minBufferSize > Size)
        {
            return MemoryPool<byte>.Shared.Rent(minBufferSize);
        }

        if (!_free.TryPop(out Block? block))
        {
            return new Block(this);
        }

        Interlocked.Decrement(ref _kept);
        block.IsRented = true;
        return block;
    }

    protected override void Dispose(bool disposing)
    {
    }

    private void Return(Block block)
    {
        if (Interlocked.Increment(ref _kept) > MaxKept)
        {
            Interlocked.Decrement(ref _kept);
            return;
        }

        _free.Push(block);
    }

    private sealed class Block(PipeBlocks pool) : IMemoryOwner<byte>
    {
        private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(Size);

        public bool IsRented { get; set; } = true;

        public Memory<byte> Memory => _bytes;

        public void Dispose()
        {
            if (IsRented)
            {
                IsRented = false;
                pool.Return(this);
            }
        }
    }
}
