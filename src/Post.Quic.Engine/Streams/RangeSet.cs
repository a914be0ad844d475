namespace Post.Quic.Engine.Streams;

/// <summary>
/// A sorted set of disjoint offset ranges in one array. A mutable struct on purpose: a stream has two, and most
/// streams never put anything into either.
/// </summary>
internal struct RangeSet
{
    private OffsetRange[]? _items;
    private int _head;
    private int _count;

    public readonly int Count => _count;

    public readonly bool IsEmpty => _count == 0;

    /// <summary>The range with the lowest offsets; the set must not be empty.</summary>
    public readonly OffsetRange First => _items![_head];

    public readonly OffsetRange this[int index] => _items![_head + index];

    /// <summary>Bytes in all ranges.</summary>
    public ulong Total { get; private set; }

    public void Add(ulong start, ulong end)
    {
        if (start >= end)
        {
            return;
        }

        // Touching ranges melt into one, so the first one of interest ends at or after our start.
        int from = FirstEndingAtOrAfter(start);
        int to = from;
        ulong lowest = start;
        ulong highest = end;
        while (to < _count && this[to].Start <= end)
        {
            OffsetRange item = this[to];
            lowest = Math.Min(lowest, item.Start);
            highest = Math.Max(highest, item.End);
            Total -= item.Length;
            to++;
        }

        Total += highest - lowest;
        if (from == to)
        {
            MakeRoomAt(from);
        }
        else if (to - from > 1)
        {
            RemoveAt(from + 1, to - from - 1);
        }

        _items![_head + from] = new OffsetRange(lowest, highest);
    }

    public void Remove(ulong start, ulong end)
    {
        if (start >= end)
        {
            return;
        }

        int index = FirstEndingAtOrAfter(start + 1);
        while (index < _count && this[index].Start < end)
        {
            OffsetRange item = this[index];
            Total -= Math.Min(item.End, end) - Math.Max(item.Start, start);
            if (item.Start < start)
            {
                _items![_head + index] = new OffsetRange(item.Start, start);
                index++;
                if (item.End > end)
                {
                    MakeRoomAt(index);
                    _items[_head + index] = new OffsetRange(end, item.End);
                    return;
                }
            }
            else if (item.End > end)
            {
                _items![_head + index] = new OffsetRange(end, item.End);
                return;
            }
            else
            {
                RemoveAt(index, 1);
            }
        }
    }

    public void RemoveFirst()
    {
        Total -= First.Length;
        RemoveAt(0, 1);
    }

    /// <summary>The index of the first range that ends at or after <paramref name="offset"/>, or <see cref="Count"/>.</summary>
    public readonly int FirstEndingAtOrAfter(ulong offset)
    {
        int low = 0;
        int high = _count;

        // Almost everything happens at one of the two ends.
        if (high > 0 && this[high - 1].End < offset)
        {
            return high;
        }

        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (this[middle].End < offset)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    public readonly bool Contains(ulong offset)
    {
        int index = FirstEndingAtOrAfter(offset + 1);
        return index < _count && this[index].Start <= offset;
    }

    public void Clear()
    {
        _head = 0;
        _count = 0;
        Total = 0;
        if (_items is { Length: > 64 })
        {
            _items = null;
        }
    }

    private void RemoveAt(int index, int count)
    {
        if (index == 0)
        {
            _head += count;
        }
        else
        {
            Array.Copy(_items!, _head + index + count, _items!, _head + index, _count - index - count);
        }

        _count -= count;
        if (_count == 0)
        {
            _head = 0;
        }
    }

    private void MakeRoomAt(int index)
    {
        _items ??= new OffsetRange[4];
        if (index == 0 && _head > 0)
        {
            _head--;
            _count++;
            return;
        }

        if (_head + _count == _items.Length)
        {
            // Sliding down instead of growing is worth it only where it frees a good part of the array.
            OffsetRange[] target = _head >= _items.Length / 2 ? _items : new OffsetRange[_items.Length * 2];
            Array.Copy(_items, _head, target, 0, _count);
            _items = target;
            _head = 0;
        }

        Array.Copy(_items, _head + index, _items, _head + index + 1, _count - index);
        _count++;
    }
}
