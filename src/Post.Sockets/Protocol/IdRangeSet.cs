namespace Post.Sockets.Protocol;

/// <summary>
/// Object ids as ascending ranges that neither overlap nor touch: what RECEIPT and ABANDON carry, and what a receiver
/// remembers of the ids it has seen.
/// </summary>
internal sealed class IdRangeSet
{
    private IdRange[] _ranges = [];
    private int _count;

    /// <summary>The ranges, ascending.</summary>
    public ReadOnlySpan<IdRange> Ranges => _ranges.AsSpan(0, _count);

    public int RangeCount => _count;

    public bool IsEmpty => _count == 0;

    public void Clear() => _count = 0;

    public bool Contains(long id)
    {
        int index = IndexAtOrAfter(id);
        return index < _count && _ranges[index].First <= id;
    }

    /// <summary>Adds an id; false when it was there already.</summary>
    public bool Add(long id)
    {
        // Ids mostly come in order: the end of the last range is looked at first.
        if (_count > 0 && _ranges[_count - 1].Last == id - 1)
        {
            _ranges[_count - 1] = new IdRange(_ranges[_count - 1].First, id);
            return true;
        }

        int index = IndexAtOrAfter(id);
        if (index < _count && _ranges[index].First <= id)
        {
            return false;
        }

        bool joinsBefore = index > 0 && _ranges[index - 1].Last == id - 1;
        bool joinsAfter = index < _count && _ranges[index].First == id + 1;
        if (joinsBefore && joinsAfter)
        {
            _ranges[index - 1] = new IdRange(_ranges[index - 1].First, _ranges[index].Last);
            Remove(index, 1);
        }
        else if (joinsBefore)
        {
            _ranges[index - 1] = new IdRange(_ranges[index - 1].First, id);
        }
        else if (joinsAfter)
        {
            _ranges[index] = new IdRange(id, _ranges[index].Last);
        }
        else
        {
            Insert(index, new IdRange(id, id));
        }

        return true;
    }

    /// <summary>Adds all ids of a range, some of which may be there already.</summary>
    public void Add(IdRange range)
    {
        // All ranges that overlap or touch the new one melt into it.
        int from = IndexAtOrAfter(range.First - 1);
        int to = from;
        long first = range.First;
        long last = range.Last;
        while (to < _count && _ranges[to].First <= range.Last + 1)
        {
            first = Math.Min(first, _ranges[to].First);
            last = Math.Max(last, _ranges[to].Last);
            to++;
        }

        if (to == from)
        {
            Insert(from, range);
            return;
        }

        _ranges[from] = new IdRange(first, last);
        Remove(from + 1, to - from - 1);
    }

    /// <summary>Forgets all ids below <paramref name="floor"/>.</summary>
    public void RemoveBelow(long floor)
    {
        int gone = IndexAtOrAfter(floor);
        Remove(0, gone);
        if (_count > 0 && _ranges[0].First < floor)
        {
            _ranges[0] = new IdRange(floor, _ranges[0].Last);
        }
    }

    /// <summary>Forgets the lowest <paramref name="count"/> ranges, for what was sent in one frame.</summary>
    public void RemoveRanges(int count) => Remove(0, count);

    /// <summary>The first range whose end is not below <paramref name="id"/>.</summary>
    private int IndexAtOrAfter(long id)
    {
        int low = 0;
        int high = _count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_ranges[middle].Last < id)
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

    private void Insert(int index, IdRange range)
    {
        if (_count == _ranges.Length)
        {
            Array.Resize(ref _ranges, Math.Max(4, _count * 2));
        }

        Array.Copy(_ranges, index, _ranges, index + 1, _count - index);
        _ranges[index] = range;
        _count++;
    }

    private void Remove(int index, int count)
    {
        Array.Copy(_ranges, index + count, _ranges, index, _count - index - count);
        _count -= count;
    }
}
