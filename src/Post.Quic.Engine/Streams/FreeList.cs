namespace Post.Quic.Engine.Streams;

/// <summary>Objects kept for their next use, up to a cap.</summary>
internal sealed class FreeList<T>(int capacity)
    where T : class
{
    private T[] _items = [];
    private int _count;

    public T? Take()
    {
        if (_count == 0)
        {
            return null;
        }

        T item = _items[--_count];
        _items[_count] = null!;
        return item;
    }

    /// <summary>Leaves all that is kept to the garbage collector.</summary>
    public void Clear()
    {
        _items = [];
        _count = 0;
    }

    /// <summary>Keeps the object, or leaves it to the garbage collector when enough are kept.</summary>
    public void Give(T item)
    {
        if (_count == capacity)
        {
            return;
        }

        if (_count == _items.Length)
        {
            Array.Resize(ref _items, Math.Min(capacity, Math.Max(4, _count * 2)));
        }

        _items[_count++] = item;
    }
}
