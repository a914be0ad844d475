using Post.Quic.Engine.Lanes;

namespace Post.Quic.Engine.Streams;

/// <summary>What waits in each lane in the order of its urgency; the most urgent of the lanes that are open comes first.</summary>
internal sealed class LaneHeap<T>(UrgencyHeapSlot slot, LaneTable lanes)
    where T : UrgencyHeapItem
{
    private UrgencyHeap<T>[] _heaps = [new(slot)];

    /// <summary>Items in all lanes.</summary>
    public int Count { get; private set; }

    /// <summary>Something waits in a lane that is open.</summary>
    public bool HasOpen => Count > 0 && First() is not null;

    public bool Contains(T item) => item.HeapPosition(slot) > 0;

    /// <summary>The most urgent item of the open lanes.</summary>
    public bool TryPeek(out T item, out SendUrgency urgency)
    {
        if (Count > 0 && First() is { } heap)
        {
            item = heap.First;
            urgency = heap.FirstUrgency;
            return true;
        }

        item = null!;
        urgency = SendUrgency.Last;
        return false;
    }

    /// <summary>The most urgent item of any lane, open or not.</summary>
    public T FirstOfAll
    {
        get
        {
            foreach (UrgencyHeap<T> heap in _heaps)
            {
                if (heap.Count > 0)
                {
                    return heap.First;
                }
            }

            throw new InvalidOperationException("Nothing waits.");
        }
    }

    /// <summary>Puts the item in, or moves it to its new place.</summary>
    public void Set(T item, SendUrgency urgency, ulong turn)
    {
        Count += Contains(item) ? 0 : 1;
        HeapOf(item).Set(item, urgency, turn);
    }

    public void Remove(T item)
    {
        if (Contains(item))
        {
            Count--;
            HeapOf(item).Remove(item);
        }
    }

    private UrgencyHeap<T>? First()
    {
        if (_heaps.Length == 1)
        {
            return lanes.Default.IsOpen ? _heaps[0] : null;
        }

        UrgencyHeap<T>? first = null;
        ReadOnlySpan<Lane> all = lanes.All;
        for (int i = 0; i < _heaps.Length; i++)
        {
            UrgencyHeap<T> heap = _heaps[i];
            if (heap.Count > 0 && all[i].IsOpen && (first is null || heap.IsBefore(first)))
            {
                first = heap;
            }
        }

        return first;
    }

    private UrgencyHeap<T> HeapOf(T item)
    {
        int index = item.Lane?.Index ?? 0;
        while (_heaps.Length <= index)
        {
            _heaps = [.. _heaps, new UrgencyHeap<T>(slot)];
        }

        return _heaps[index];
    }
}
