namespace Post.Sockets.Objects;

/// <summary>Who uses the memory or the source of a sent object.</summary>
internal enum MemoryUse : byte
{
    /// <summary>Nothing does.</summary>
    Free,

    /// <summary>A write is under way; the transport reads from it.</summary>
    Transport,

    /// <summary>The source is waited for.</summary>
    Source,
}
