namespace Post.Sockets.Transport.InMemory;

/// <summary>Something that happens at a moment of a <see cref="VirtualClock"/>; at one moment, in the order of scheduling.</summary>
internal abstract class ClockEntry : IHeapItem<ClockEntry>
{
    public long Due { get; set; }

    public long Sequence { get; set; }

    public int HeapIndex { get; set; } = -1;

    public bool IsScheduled => HeapIndex >= 0;

    public bool IsBefore(ClockEntry other) => Due < other.Due || (Due == other.Due && Sequence < other.Sequence);

    /// <summary>It is time. Called on the thread that runs the clock, without a lock.</summary>
    public abstract void Fire();
}
