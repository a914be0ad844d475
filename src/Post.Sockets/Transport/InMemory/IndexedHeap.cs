namespace Post.Sockets.Transport.InMemory;

/// <summary>A binary heap whose items can be moved and taken out from anywhere, without a search.</summary>
internal sealed class IndexedHeap<T>
    where T : class, IHeapItem<T>
{
    private T?[] _items = new T?[16];

    public int Count { get; private set; }

    public T? First => _items[0];

    /// <summary>Puts an item in, or moves it to where its changed rank belongs.</summary>
    public void Place(T item)
    {
        if (item.HeapIndex < 0)
        {
            if (Count == _items.Length)
            {
                Array.Resize(ref _items, Count * 2);
            }

            item.HeapIndex = Count;
            _items[Count++] = item;
            Up(item.HeapIndex);
            return;
        }

        Up(item.HeapIndex);
        Down(item.HeapIndex);
    }

    public void Remove(T item)
    {
        int index = item.HeapIndex;
        if (index < 0)
        {
            return;
        }

        item.HeapIndex = -1;
        T last = _items[--Count]!;
        _items[Count] = null;
        if (!ReferenceEquals(last, item))
        {
            Set(index, last);
            Up(index);
            Down(last.HeapIndex);
        }
    }

    private void Up(int index)
    {
        T item = _items[index]!;
        while (index > 0)
        {
            int parent = (index - 1) / 2;
            if (!item.IsBefore(_items[parent]!))
            {
                break;
            }

            Set(index, _items[parent]!);
            index = parent;
        }

        Set(index, item);
    }

    private void Down(int index)
    {
        T item = _items[index]!;
        while (true)
        {
            int child = (2 * index) + 1;
            if (child >= Count)
            {
                break;
            }

            if (child + 1 < Count && _items[child + 1]!.IsBefore(_items[child]!))
            {
                child++;
            }

            if (!_items[child]!.IsBefore(item))
            {
                break;
            }

            Set(index, _items[child]!);
            index = child;
        }

        Set(index, item);
    }

    private void Set(int index, T item)
    {
        _items[index] = item;
        item.HeapIndex = index;
    }
}
