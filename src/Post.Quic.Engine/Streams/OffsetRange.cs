namespace Post.Quic.Engine.Streams;

/// <summary>Stream offsets from <see cref="Start"/> up to but not including <see cref="End"/>.</summary>
internal readonly record struct OffsetRange(ulong Start, ulong End)
{
    public ulong Length => End - Start;
}
