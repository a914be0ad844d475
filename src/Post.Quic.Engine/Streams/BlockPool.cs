using Post.Quic.Engine.Bounds;

namespace Post.Quic.Engine.Streams;

/// <summary>
/// Where the streams of one connection get their blocks and segments. The arrays come from the process-wide pool; the
/// small objects around them are kept here, up to a cap, so that a stream costs no allocation in steady state.
/// </summary>
internal sealed class BlockPool
{
    private readonly FreeList<MemoryBlock> _blocks = new(Limits.PooledStreamObjects);
    private readonly FreeList<ReadSegment> _segments = new(Limits.PooledStreamObjects);

    /// <summary>Bytes of all arrays that are out: what the streams of this connection hold.</summary>
    public long RentedBytes { get; private set; }

    /// <summary>Keeps nothing for its next use.</summary>
    public void Rest()
    {
        _blocks.Clear();
        _segments.Clear();
    }

    public MemoryBlock Rent(int size)
    {
        MemoryBlock block = _blocks.Take() ?? new MemoryBlock();
        block.Attach(size);
        RentedBytes += block.Bytes.Length;
        return block;
    }

    public void Return(MemoryBlock block)
    {
        RentedBytes -= block.Bytes.Length;
        block.Detach();
        _blocks.Give(block);
    }

    public ReadSegment RentSegment() => _segments.Take() ?? new ReadSegment();

    public void Return(ReadSegment segment)
    {
        segment.Detach();
        _segments.Give(segment);
    }
}
