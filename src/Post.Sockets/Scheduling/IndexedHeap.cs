using System.Diagnostics.CodeAnalysis;

namespace Post.Sockets.Scheduling;

/// <summary>
/// A binary heap whose items know their place, so that they can be removed or moved in logarithmic time. The place is -1 for items
/// that are not in it; items must start with that.
/// </summary>
internal sealed class IndexedHeap<TItem, TKey, TSlot>
    where TItem : class
    where TKey : struct, IComparable<TKey>
    where TSlot : IHeapSlot<TItem>
{
    private (TKey Key, TItem Item)[] _nodes = [];

    public int Count { get; private set; }

    public TKey PeekKey => _nodes[0].Key;

    public TItem Peek => _nodes[0].Item;

    public bool TryPeek([NotNullWhen(true)] out TItem? item)
    {
        item = Count > 0 ? _nodes[0].Item : null;
        return item is not null;
    }

    public static bool Contains(TItem item) => TSlot.Get(item) >= 0;

    public void Add(TItem item, TKey key)
    {
        if (Count == _nodes.Length)
        {
            Array.Resize(ref _nodes, Math.Max(4, Count * 2));
        }

        var index = Count++;
        _nodes[index] = (key, item);
        TSlot.Set(item, index);
        Up(index);
    }

    /// <summary>Adds the item, or moves it to where its new key belongs.</summary>
    public void AddOrUpdate(TItem item, TKey key)
    {
        var index = TSlot.Get(item);
        if (index < 0)
        {
            Add(item, key);
            return;
        }

        _nodes[index].Key = key;
        Down(Up(index));
    }

    public TItem Pop()
    {
        var item = _nodes[0].Item;
        Remove(item);
        return item;
    }

    public bool Remove(TItem item)
    {
        var index = TSlot.Get(item);
        if (index < 0)
        {
            return false;
        }

        TSlot.Set(item, -1);
        var last = --Count;
        if (index != last)
        {
            _nodes[index] = _nodes[last];
            TSlot.Set(_nodes[index].Item, index);
        }

        _nodes[last] = default;
        if (index != last)
        {
            Down(Up(index));
        }

        return true;
    }

    private int Up(int index)
    {
        var node = _nodes[index];
        while (index > 0)
        {
            var parent = (index - 1) / 2;
            if (node.Key.CompareTo(_nodes[parent].Key) >= 0)
            {
                break;
            }

            Place(index, _nodes[parent]);
            index = parent;
        }

        Place(index, node);
        return index;
    }

    private void Down(int index)
    {
        var node = _nodes[index];
        while (true)
        {
            var child = (2 * index) + 1;
            if (child >= Count)
            {
                break;
            }

            if (child + 1 < Count && _nodes[child + 1].Key.CompareTo(_nodes[child].Key) < 0)
            {
                child++;
            }

            if (node.Key.CompareTo(_nodes[child].Key) <= 0)
            {
                break;
            }

            Place(index, _nodes[child]);
            index = child;
        }

        Place(index, node);
    }

    private void Place(int index, (TKey Key, TItem Item) node)
    {
        _nodes[index] = node;
        TSlot.Set(node.Item, index);
    }
}
