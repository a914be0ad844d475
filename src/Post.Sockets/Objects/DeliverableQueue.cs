using Post.Sockets.Scheduling;

namespace Post.Sockets.Objects;

/// <summary>
/// The objects that the application could take, the most urgent first. The owner puts them in and the application takes them out, each on
/// its own thread, so the queue has a lock: who takes an object out has it.
/// </summary>
internal sealed class DeliverableQueue(AssociationOptions options, Clock clock, PeerClock peerClock)
{
    private readonly Lock _gate = new();
    private readonly IndexedHeap<InboundObject, (int Urgency, long Turn), InboundObject.Slot> _objects = new();
    private long _bytes;
    private long _turn;
    private int _count;
    private int _heldBack;

    /// <summary>Objects that can be taken. From any thread.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Objects that wait for handlers of the application to return. From any thread.</summary>
    public int HeldBack => Volatile.Read(ref _heldBack);

    /// <summary>Whether reading must wait until the application has taken some of what it already could have. From any thread.</summary>
    public bool IsFull => Volatile.Read(ref _bytes) > options.ReceiveBudget / 2;

    /// <summary>An object waits for handlers of the application: it counts like one that the application could take.</summary>
    public void HoldBack(InboundObject item)
    {
        lock (_gate)
        {
            if (item.Custody == Custody.Held)
            {
                item.Custody = Custody.HeldBack;
                item.OfferedBytes = item.Charge;
                _bytes += item.OfferedBytes;
                _heldBack++;
            }
        }
    }

    public void Add(InboundObject item)
    {
        lock (_gate)
        {
            if (item.Custody == Custody.HeldBack)
            {
                _heldBack--;
            }
            else
            {
                item.OfferedBytes = item.Charge;
                _bytes += item.OfferedBytes;
            }

            item.Custody = Custody.Offered;
            _objects.Add(item, (item.Urgency, _turn++));
            Volatile.Write(ref _count, _objects.Count);
        }
    }

    /// <summary>Takes an object out, if it is in; false when the application was first.</summary>
    public bool TryRemove(InboundObject item)
    {
        lock (_gate)
        {
            if (item.Custody == Custody.Taken)
            {
                return false;
            }

            TakeOut(item, Custody.Held);
            return true;
        }
    }

    /// <summary>The urgency of an object changed.</summary>
    public void Move(InboundObject item)
    {
        lock (_gate)
        {
            if (item.Custody == Custody.Offered)
            {
                _objects.AddOrUpdate(item, (item.Urgency, _turn++));
            }
        }
    }

    /// <summary>
    /// Takes the next object for the application: the moment of delivery. From any thread; <see cref="Inbox.OnTaken"/>, or
    /// <see cref="Inbox.OnExpiredAtHand"/>, follows.
    /// </summary>
    /// <param name="isExpired">Its lifetime is over, so that the application does not get it.</param>
    public InboundObject? TryTake(out bool isExpired)
    {
        isExpired = false;
        if (Count == 0)
        {
            return null;
        }

        lock (_gate)
        {
            if (!_objects.TryPeek(out var item))
            {
                return null;
            }

            isExpired = item.IsPerishable && item.EndOfLifetime(peerClock, clock) <= clock.Now;
            TakeOut(item, isExpired ? Custody.Held : Custody.Taken);
            return item;
        }
    }

    private void TakeOut(InboundObject item, Custody custody)
    {
        if (item.Custody == Custody.HeldBack)
        {
            _heldBack--;
        }

        _objects.Remove(item);
        Volatile.Write(ref _count, _objects.Count);
        _bytes -= item.OfferedBytes;
        item.OfferedBytes = 0;
        item.Custody = custody;
    }
}
