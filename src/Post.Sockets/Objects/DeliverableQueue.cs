using Post.Sockets.Associations;
using Post.Sockets.Scheduling;

namespace Post.Sockets.Objects;

/// <summary>
/// The objects that the application could take, the most urgent first; and those who wait to read on until it has taken some. Under the
/// association's lock.
/// </summary>
internal sealed class DeliverableQueue(AssociationCore core)
{
    private readonly IndexedHeap<InboundObject, (int Urgency, long Turn), InboundObject.Slot> _objects = new();
    private readonly List<TaskCompletionSource> _room = [];
    private long _bytes;
    private long _turn;

    public int Count => _objects.Count;

    /// <summary>Objects that wait for handlers of the application to return.</summary>
    public int HeldBack { get; private set; }

    public InboundObject Peek => _objects.Peek;

    /// <summary>Whether an object could be taken, or could if it were not held back.</summary>
    public static bool Contains(InboundObject item) => item.DeliverableIndex >= 0 || item.IsHeldBack;

    /// <summary>An object waits for handlers of the application: it counts like one that the application could take.</summary>
    public void HoldBack(InboundObject item)
    {
        if (!item.IsHeldBack)
        {
            item.IsHeldBack = true;
            HeldBack++;
            _bytes += item.Charge;
        }
    }

    public void Add(InboundObject item)
    {
        if (!Release(item))
        {
            _bytes += item.Charge;
        }

        _objects.Add(item, (item.Urgency, _turn++));
    }

    /// <summary>Takes an object out, if it is in; before its charge is given back.</summary>
    public void Remove(InboundObject item)
    {
        if (_objects.Remove(item) || Release(item))
        {
            _bytes -= item.Charge;
        }
    }

    /// <summary>The urgency of an object changed.</summary>
    public void Move(InboundObject item)
    {
        if (item.DeliverableIndex >= 0)
        {
            _objects.AddOrUpdate(item, (item.Urgency, _turn++));
        }
    }

    /// <summary>Whether reading must wait until the application has taken some of what it already could have.</summary>
    public bool IsFull => _bytes > core.Options.ReceiveBudget / 2;

    /// <summary>Waits until <see cref="IsFull"/> may have changed.</summary>
    public Task WaitForRoomAsync()
    {
        lock (core.Gate)
        {
            if (!IsFull || core.IsClosed)
            {
                return Task.CompletedTask;
            }

            // One for each waiter: a task with several continuations runs some of them on the thread pool.
            var waiter = new TaskCompletionSource(core.Continuations);
            _room.Add(waiter);
            return waiter.Task;
        }
    }

    /// <summary>Those that wait for room, when there is some.</summary>
    public TaskCompletionSource[] TakeRoomWaiters()
    {
        if (_room.Count == 0 || (IsFull && !core.IsClosed))
        {
            return [];
        }

        TaskCompletionSource[] waiters = [.. _room];
        _room.Clear();
        return waiters;
    }

    private bool Release(InboundObject item)
    {
        var wasHeldBack = item.IsHeldBack;
        item.IsHeldBack = false;
        HeldBack -= wasHeldBack ? 1 : 0;
        return wasHeldBack;
    }
}
