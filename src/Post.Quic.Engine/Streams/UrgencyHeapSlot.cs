namespace Post.Quic.Engine.Streams;

/// <summary>Which of the heaps an item can stand in.</summary>
internal enum UrgencyHeapSlot
{
    /// <summary>Waits to be sent, and needs credit of the connection if it is a stream.</summary>
    Fresh,

    /// <summary>Has something to send that needs no such credit: lost data, or a bare end.</summary>
    Repair,

    /// <summary>Has a lifetime.</summary>
    Expiry,
}
