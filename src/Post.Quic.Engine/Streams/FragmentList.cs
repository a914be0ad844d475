namespace Post.Quic.Engine.Streams;

/// <summary>
/// The pieces of a stream behind its first gap, by offset and without overlap, in one array: they come mostly at the end
/// and leave at the front. A mutable struct on purpose, as most streams never have one.
/// </summary>
internal struct FragmentList()
{
    // What one busy stream needed is not kept for the quiet ones that reuse its object.
    private const int LargestKeptArray = 64;

    private Fragment[] _items = [];
    private int _first;

    public int Count { get; private set; }

    /// <summary>Bytes in all of them.</summary>
    public long Bytes { get; private set; }

    public readonly ref Fragment this[int index] => ref _items[_first + index];

    /// <summary>The index of the first piece that ends after <paramref name="offset"/>, or <see cref="Count"/>.</summary>
    public readonly int FirstEndingAfter(ulong offset)
    {
        int low = 0;
        int high = Count;

        // Packets mostly arrive in the order they were sent.
        if (high > 0 && this[high - 1].End <= offset)
        {
            return high;
        }

        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (this[middle].End <= offset)
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

    public void InsertAt(int index, in Fragment fragment)
    {
        if (_first + Count == _items.Length)
        {
            MakeRoom();
        }

        int at = _first + index;
        Array.Copy(_items, at, _items, at + 1, Count - index);
        _items[at] = fragment;
        Count++;
        Bytes += fragment.Length;
    }

    /// <summary>The piece has become longer at its end.</summary>
    public void Extend(int index, int length)
    {
        this[index].Length += length;
        Bytes += length;
    }

    public Fragment TakeFirst()
    {
        Fragment first = _items[_first];
        _items[_first] = default;
        Bytes -= first.Length;
        _first = --Count == 0 ? 0 : _first + 1;
        return first;
    }

    /// <summary>The first of them hold the bytes of all, since they were merged.</summary>
    public void KeepFirst(int count)
    {
        Array.Clear(_items, _first + count, Count - count);
        Count = count;
    }

    public void Clear()
    {
        Array.Clear(_items, _first, Count);
        _first = 0;
        Count = 0;
        Bytes = 0;
        if (_items.Length > LargestKeptArray)
        {
            _items = [];
        }
    }

    private void MakeRoom()
    {
        // Sliding down instead of growing is worth it only where it frees a good part of the array.
        bool slides = _first > 0 && _first >= (_items.Length + 1) / 2;
        Fragment[] target = slides ? _items : new Fragment[Math.Max(4, _items.Length * 2)];
        Array.Copy(_items, _first, target, 0, Count);
        if (slides)
        {
            Array.Clear(_items, Count, _items.Length - Count);
        }

        _items = target;
        _first = 0;
    }
}
