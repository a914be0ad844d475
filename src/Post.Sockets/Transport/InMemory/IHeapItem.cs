namespace Post.Sockets.Transport.InMemory;

/// <summary>What an <see cref="IndexedHeap{T}"/> holds: it knows its place, so that it can be moved and taken out.</summary>
internal interface IHeapItem<in T>
{
    /// <summary>Kept by the heap; -1 while in none.</summary>
    int HeapIndex { get; set; }

    bool IsBefore(T other);
}
