namespace Post.Quic.Engine.Streams;

/// <summary>
/// What waits to be sent (or to expire) in order of urgency, then of its turn: a heap of four children a node, in
/// which each item knows its place, so that it can be moved or taken out in O(log n).
/// </summary>
internal sealed class UrgencyHeap<T>(UrgencyHeapSlot slot)
    where T : UrgencyHeapItem
{
    private Entry[] _entries = [];
    private int _count;

    public int Count => _count;

    public T First => _entries[0].Item;

    public SendUrgency FirstUrgency => _entries[0].Urgency;

    /// <summary>Its first item comes before that of another.</summary>
    public bool IsBefore(UrgencyHeap<T> other) => _entries[0].IsBefore(other._entries[0]);

    public bool Contains(T item) => item.HeapPosition(slot) > 0;

    /// <summary>Puts the item in, or moves it to its new place.</summary>
    public void Set(T item, SendUrgency urgency, ulong turn)
    {
        ref int position = ref item.HeapPosition(slot);
        if (position == 0)
        {
            if (_count == _entries.Length)
            {
                Array.Resize(ref _entries, Math.Max(4, _count * 2));
            }

            _count++;
            SiftUp(_count - 1, new Entry(urgency, turn, item));
            return;
        }

        var entry = new Entry(urgency, turn, item);
        int index = position - 1;
        if (index > 0 && entry.IsBefore(_entries[(index - 1) >> 2]))
        {
            SiftUp(index, entry);
        }
        else
        {
            SiftDown(index, entry);
        }
    }

    public void Remove(T item)
    {
        ref int position = ref item.HeapPosition(slot);
        if (position == 0)
        {
            return;
        }

        int index = position - 1;
        position = 0;
        Entry last = _entries[--_count];
        _entries[_count] = default;
        if (index == _count)
        {
            return;
        }

        if (index > 0 && last.IsBefore(_entries[(index - 1) >> 2]))
        {
            SiftUp(index, last);
        }
        else
        {
            SiftDown(index, last);
        }
    }

    private void SiftUp(int index, in Entry entry)
    {
        while (index > 0)
        {
            int parent = (index - 1) >> 2;
            if (!entry.IsBefore(_entries[parent]))
            {
                break;
            }

            Place(index, _entries[parent]);
            index = parent;
        }

        Place(index, entry);
    }

    private void SiftDown(int index, in Entry entry)
    {
        while (true)
        {
            int first = (index << 2) + 1;
            if (first >= _count)
            {
                break;
            }

            int best = first;
            int end = Math.Min(first + 4, _count);
            for (int child = first + 1; child < end; child++)
            {
                if (_entries[child].IsBefore(_entries[best]))
                {
                    best = child;
                }
            }

            if (!_entries[best].IsBefore(entry))
            {
                break;
            }

            Place(index, _entries[best]);
            index = best;
        }

        Place(index, entry);
    }

    private void Place(int index, in Entry entry)
    {
        entry.Item.HeapPosition(slot) = index + 1;
        _entries[index] = entry;
    }

    /// <summary>An item with its key beside it, so that comparing does not chase pointers.</summary>
    private readonly struct Entry(SendUrgency urgency, ulong turn, T item)
    {
        public readonly SendUrgency Urgency = urgency;
        public readonly ulong Turn = turn;
        public readonly T Item = item;

        public bool IsBefore(in Entry other)
        {
            if (Urgency.Class != other.Urgency.Class)
            {
                return Urgency.Class < other.Urgency.Class;
            }

            return Urgency.Deadline != other.Urgency.Deadline
                ? Urgency.Deadline < other.Urgency.Deadline
                : Turn < other.Turn;
        }
    }
}
