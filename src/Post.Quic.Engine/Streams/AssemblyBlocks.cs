using System.Numerics;

namespace Post.Quic.Engine.Streams;

/// <summary>
/// The blocks that hold the bytes of one <see cref="ReceiveAssembler"/>: the one that is being filled, and a count of all
/// that are out.
/// </summary>
internal sealed class AssemblyBlocks(BlockPool pool)
{
    public const int Largest = BlockArrays.Largest;

    // It counts itself as one of the block's references.
    private MemoryBlock? _current;

    /// <summary>Bytes of the blocks that are out.</summary>
    public long AllocatedBytes { get; private set; }

    /// <summary>Bytes of the blocks that were taken since the pieces were last packed.</summary>
    public long RentedSincePacked { get; set; }

    /// <summary>The block being filled, unless it is full.</summary>
    public MemoryBlock? Unfilled => _current is { Free: > 0 } ? _current : null;

    /// <summary>A fresh block to be filled, for at least some of <paramref name="length"/> bytes.</summary>
    public MemoryBlock Next(int length)
    {
        // A stream that goes on gets larger blocks; a short one never pays for them.
        int doubled = (_current?.Bytes.Length ?? 0) * 2;
        int size = Math.Max(doubled, Math.Max(BlockArrays.Smallest, (int)BitOperations.RoundUpToPowerOf2((uint)length)));
        Drop();
        return _current = Rent(Math.Min(size, Largest));
    }

    /// <summary>A block with room for all of a piece that is moved there.</summary>
    public MemoryBlock ForPacking(int length)
    {
        if (_current is null || _current.Free < length)
        {
            Drop();
            _current = Rent(Largest);
        }

        return _current;
    }

    /// <summary>Nothing more is put into the block being filled.</summary>
    public void Drop()
    {
        if (_current is { } block)
        {
            _current = null;
            Dereference(block);
        }
    }

    public void Dereference(MemoryBlock block)
    {
        if (--block.References == 0)
        {
            AllocatedBytes -= block.Bytes.Length;
            pool.Return(block);
        }
    }

    private MemoryBlock Rent(int size)
    {
        MemoryBlock block = pool.Rent(size);
        block.References = 1;
        AllocatedBytes += block.Bytes.Length;
        RentedSincePacked += block.Bytes.Length;
        return block;
    }
}
