namespace Post.Quic.Engine.Streams;

/// <summary>One pooled array that stream bytes are copied into, counted by those who still hold a part of it.</summary>
internal sealed class MemoryBlock
{
    /// <summary>The array; longer than asked for where the pool's sizes say so.</summary>
    public byte[] Bytes { get; private set; } = [];

    /// <summary>How far it is filled. Bytes are only ever appended: what was handed out never moves.</summary>
    public int Used { get; set; }

    public int References { get; set; }

    public int Free => Bytes.Length - Used;

    internal void Attach(int size)
    {
        Bytes = BlockArrays.Rent(size);
        Used = 0;
        References = 0;
    }

    internal void Detach()
    {
        BlockArrays.Return(Bytes);
        Bytes = [];
        Used = 0;
    }
}
