using System.Buffers;

namespace Post.Quic.Engine.Streams;

/// <summary>A run of readable stream bytes inside a block, chained so that a reader sees one sequence without a copy.</summary>
internal sealed class ReadSegment : ReadOnlySequenceSegment<byte>
{
    public MemoryBlock? Block { get; private set; }

    /// <summary>Where in the block the run ends: bytes appended to the block there extend the run.</summary>
    public int End { get; private set; }

    public int Length => Memory.Length;

    public ReadSegment? NextSegment => (ReadSegment?)Next;

    internal void Attach(MemoryBlock block, int start, int length, long runningIndex)
    {
        Block = block;
        End = start + length;
        RunningIndex = runningIndex;
        Memory = new ReadOnlyMemory<byte>(block.Bytes, start, length);
    }

    internal void Extend(int length)
    {
        int start = End - Memory.Length;
        End += length;
        Memory = new ReadOnlyMemory<byte>(Block!.Bytes, start, End - start);
    }

    internal void Append(ReadSegment next) => Next = next;

    internal void Detach()
    {
        Block = null;
        Memory = default;
        Next = null;
        RunningIndex = 0;
        End = 0;
    }
}
