namespace Post.Sockets.Scheduling;

/// <summary>The scheduler's view of something that has bytes to send: one object, or one stream.</summary>
internal sealed class SendEntry(object owner, int sendClass, long deadline, long order)
{
    /// <summary>The object or stream whose entry this is.</summary>
    public object Owner { get; } = owner;

    /// <summary>The effective class: its own niceness, or the smaller one of what waits for it.</summary>
    public int Class { get; set; } = sendClass;

    /// <summary>The effective deadline, for the order within the class only.</summary>
    public long Deadline { get; set; } = deadline;

    /// <summary>The start tag; see <see cref="SendKey"/>. -1 until it is first queued in its class.</summary>
    public long Turn { get; set; } = -1;

    public long Order { get; } = order;

    /// <summary>Its first byte was handed over: it has what it needs (credit, a stream) and competes for bandwidth only.</summary>
    public bool IsStarted { get; set; }

    /// <summary>It waits until fewer large objects share its class.</summary>
    public bool IsParked { get; set; }

    /// <summary>The place in the scheduler's heap.</summary>
    public int HeapIndex { get; set; } = -1;

    public SendKey Key => new(Class, Deadline, Turn, Order);

    /// <summary>The place in the heap, for the heap.</summary>
    internal readonly struct Slot : IHeapSlot<SendEntry>
    {
        public static int Get(SendEntry item) => item.HeapIndex;

        public static void Set(SendEntry item, int index) => item.HeapIndex = index;
    }
}
