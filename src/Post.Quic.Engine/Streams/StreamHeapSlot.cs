namespace Post.Quic.Engine.Streams;

/// <summary>Which of the heaps a stream can stand in.</summary>
internal enum StreamHeapSlot
{
    /// <summary>Has something to send that needs no credit of the connection: lost data, or a bare end.</summary>
    Repair,

    /// <summary>Has new data that its own credit allows.</summary>
    Fresh,

    /// <summary>Has a lifetime.</summary>
    Expiry,
}
