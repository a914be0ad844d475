namespace Post.Quic.Engine.Streams;

/// <summary>Bytes of a stream that wait for what comes before them, and where in a block they are kept.</summary>
internal struct Fragment(ulong offset, MemoryBlock block, int start, int length)
{
    public ulong Offset = offset;
    public MemoryBlock Block = block;
    public int Start = start;
    public int Length = length;

    public readonly ulong End => Offset + (ulong)Length;

    public readonly ReadOnlySpan<byte> Bytes => Block.Bytes.AsSpan(Start, Length);
}
