using Post.Sockets.Scheduling;

namespace Post.Sockets.Testing;

/// <summary>Something that happens at a moment of a <see cref="VirtualClock"/>; at one moment, in the order of scheduling.</summary>
internal abstract class ClockEntry
{
    private int _heapIndex = -1;

    public long Due { get; set; }

    public bool IsScheduled => _heapIndex >= 0;

    /// <summary>It is time. Called on the thread that runs the clock, without a lock.</summary>
    public abstract void Fire();

    internal readonly struct Slot : IHeapSlot<ClockEntry>
    {
        public static int Get(ClockEntry item) => item._heapIndex;

        public static void Set(ClockEntry item, int index) => item._heapIndex = index;
    }
}
