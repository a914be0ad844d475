using Post.Quic.Engine.Connection;

namespace Post.Quic.Engine.Streams;

/// <summary>
/// Where the streams of one connection get their blocks and segments. The arrays come from the process-wide pool; the
/// small objects around them are kept here, up to a cap, so that a stream costs no allocation in steady state.
/// </summary>
internal sealed class BlockPool
{
    private MemoryBlock? _freeBlocks;
    private ReadSegment? _freeSegments;
    private int _freeBlockCount;
    private int _freeSegmentCount;

    /// <summary>Bytes of all arrays that are out: what the streams of this connection hold.</summary>
    public long RentedBytes { get; private set; }

    public MemoryBlock Rent(int size)
    {
        MemoryBlock? block = _freeBlocks;
        if (block is null)
        {
            block = new MemoryBlock();
        }
        else
        {
            _freeBlocks = block.NextFree;
            block.NextFree = null;
            _freeBlockCount--;
        }

        block.Attach(size);
        RentedBytes += block.Bytes.Length;
        return block;
    }

    public void Return(MemoryBlock block)
    {
        RentedBytes -= block.Bytes.Length;
        block.Detach();
        if (_freeBlockCount < Limits.PooledStreamObjects)
        {
            block.NextFree = _freeBlocks;
            _freeBlocks = block;
            _freeBlockCount++;
        }
    }

    public ReadSegment RentSegment()
    {
        ReadSegment? segment = _freeSegments;
        if (segment is null)
        {
            return new ReadSegment();
        }

        _freeSegments = segment.NextFree;
        segment.NextFree = null;
        _freeSegmentCount--;
        return segment;
    }

    public void Return(ReadSegment segment)
    {
        segment.Detach();
        if (_freeSegmentCount < Limits.PooledStreamObjects)
        {
            segment.NextFree = _freeSegments;
            _freeSegments = segment;
            _freeSegmentCount++;
        }
    }
}
