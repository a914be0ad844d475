namespace Post.Quic.Engine.Streams;

/// <summary>What the two lowest bits of a stream id say (RFC 9000 section 2.1), and its place among its kind.</summary>
internal static class StreamId
{
    /// <summary>RFC 9000 section 19.11: no stream id may exceed 2^62-1, so no kind has more streams than this.</summary>
    public const ulong MaxCount = 1UL << 60;

    public static bool IsServerInitiated(ulong id) => (id & 1) != 0;

    public static bool IsBidirectional(ulong id) => (id & 2) == 0;

    public static ulong IndexOf(ulong id) => id >> 2;

    public static ulong Create(ulong index, bool bidirectional, bool serverInitiated) =>
        (index << 2) | (bidirectional ? 0UL : 2UL) | (serverInitiated ? 1UL : 0UL);
}
