using Post.Quic.Engine.Lanes;

namespace Post.Quic.Engine.Streams;

/// <summary>Something that can stand in an <see cref="UrgencyHeap{T}"/> and remembers where.</summary>
internal abstract class UrgencyHeapItem
{
    private int _freshPosition;
    private int _repairPosition;
    private int _expiryPosition;

    /// <summary>The lane that it waits in; null for the one of whatever is bound to nothing. It does not change while it is in a heap.</summary>
    internal Lane? Lane { get; set; }

    internal bool IsInAnyHeap => (_freshPosition | _repairPosition | _expiryPosition) != 0;

    /// <summary>The place in a heap, counted from 1; 0: not in it.</summary>
    internal ref int HeapPosition(UrgencyHeapSlot slot)
    {
        switch (slot)
        {
            case UrgencyHeapSlot.Fresh:
                return ref _freshPosition;
            case UrgencyHeapSlot.Repair:
                return ref _repairPosition;
            default:
                return ref _expiryPosition;
        }
    }
}
