namespace Post.Sockets.Scheduling;

/// <summary>Where an item remembers its place in one heap; an item that sits in several heaps has several.</summary>
/// <typeparam name="TItem">What the heap holds.</typeparam>
internal interface IHeapSlot<in TItem>
{
    static abstract int Get(TItem item);

    static abstract void Set(TItem item, int index);
}
