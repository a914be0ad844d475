using Post.Sockets.Protocol;
using Post.Sockets.Scheduling;

namespace Post.Sockets.Objects;

/// <summary>
/// The room for objects to be sent, the numbers that they get, and the senders that wait. What counts is the memory that an object holds
/// until its end, not the length of what it is read from. Room is given by urgency, then in order. Senders come here from any thread, so it
/// has a lock of its own, under which nothing else is called but the mailbox of the association.
/// </summary>
internal sealed class SendRoom(AssociationOptions options, Func<int> backlog)
{
    /// <summary>
    /// However much less urgent objects hold, this fraction of the queue is free for more urgent ones; else an urgent object would wait for
    /// bulk to be sent.
    /// </summary>
    private const int UrgentFraction = 8;

    /// <summary>
    /// A sender that has found the queue full goes on when this fraction of it is free: woken for one object at a time, it would spend more on
    /// that than on sending.
    /// </summary>
    private const int WakeFraction = 16;

    /// <summary>Smaller queues hold so little that a fraction of it is no object.</summary>
    private const long LargeQueueBytes = 1 << 20;

    /// <inheritdoc cref="LargeQueueBytes"/>
    private const long LargeQueueObjects = 1024;

    /// <summary>The whole queue may hold so many times its limit, over all classes of urgency: a bound for applications that use very many.</summary>
    private const int MaxOverdraft = 4;

    private readonly IndexedHeap<SendWaiter, (int Niceness, long Turn), SendWaiter.Slot> _waiters = new();
    private readonly SortedList<int, (long Bytes, long Objects)> _held = [];
    private long _nextId;
    private long _lowestId;
    private long _charged;
    private long _objects;
    private long _heldBytes;
    private long _turn;

    /// <summary>Held by whoever takes room, until the object is on its way to the owner: numbers and places are given in one order.</summary>
    public Lock Gate { get; } = new();

    /// <summary>The id that the next object gets.</summary>
    public long NextId => Volatile.Read(ref _nextId);

    /// <summary>All objects below this id have their end, as the owner says.</summary>
    public long LowestId
    {
        get => Volatile.Read(ref _lowestId);
        set => Volatile.Write(ref _lowestId, value);
    }

    /// <summary>Bytes of memory that objects without an end hold.</summary>
    public long HeldBytes => Volatile.Read(ref _heldBytes);

    /// <summary>Objects that came in and whose end was not published.</summary>
    public long Objects => Volatile.Read(ref _objects);

    /// <summary>Senders that wait for room.</summary>
    public int Waiting => _waiters.Count;

    /// <summary>
    /// Takes room for an object and gives it its number, unless there is none, or a sender of the same urgency or more waits for it already.
    /// With <see cref="Gate"/> held.
    /// </summary>
    public bool TryTake(long bytes, int niceness, out long id)
    {
        id = -1;
        if ((_waiters.Count > 0 && _waiters.PeekKey.Niceness <= niceness) || !Has(bytes, niceness))
        {
            return false;
        }

        id = Take(bytes, niceness);
        return true;
    }

    /// <summary>A sender waits from now on. With <see cref="Gate"/> held.</summary>
    public void Add(SendWaiter waiter) => _waiters.Add(waiter, (waiter.Niceness, _turn++));

    /// <summary>An object has its end, and nobody uses its memory any more.</summary>
    public void Release(OutboundObject item)
    {
        lock (Gate)
        {
            var charge = ChargeFor(item.HeldBytes);
            _charged -= charge;
            _objects--;
            _heldBytes -= item.HeldBytes;
            Hold(item.Properties.Niceness, -charge, -1);
        }
    }

    /// <summary>A sender waits no more; false when it had got its room before.</summary>
    public bool Remove(SendWaiter waiter)
    {
        lock (Gate)
        {
            return _waiters.Remove(waiter);
        }
    }

    /// <summary>The sender whose turn it is, with the number of its object if there is room for it; null when none can go on.</summary>
    /// <param name="isOpen">False: nothing new is sent, and all that wait are to be told so.</param>
    /// <param name="gathers">Room is to gather first, where the queue is large.</param>
    /// <param name="id">The number of its object; -1 where it gets none.</param>
    /// <param name="isGathering">There is room for the next, and more is waited for.</param>
    public SendWaiter? TakeNext(bool isOpen, bool gathers, out long id, out bool isGathering)
    {
        id = -1;
        isGathering = false;
        if (_waiters.Count == 0)
        {
            return null;
        }

        lock (Gate)
        {
            // None passes the first: room gathers until there is enough for it.
            if (!_waiters.TryPeek(out var waiter) || (isOpen && !Has(waiter.HeldBytes, waiter.Niceness)))
            {
                return null;
            }

            isGathering = isOpen && gathers && !HasGathered();
            if (isGathering)
            {
                return null;
            }

            _waiters.Remove(waiter);
            id = isOpen ? Take(waiter.HeldBytes, waiter.Niceness) : -1;
            return waiter;
        }
    }

    /// <summary>Why there is no room for an object, in words. With <see cref="Gate"/> held.</summary>
    public string Explain(long bytes) =>
        _nextId - LowestId >= ProtocolLimits.IdWindow
            ? $"Object {LowestId} has had no end for {ProtocolLimits.IdWindow} objects, and the receiver can remember no more: wait "
                + "with SendAsync, or give such objects a lifetime or more urgency."
            : $"The send queue is full: {_objects} objects without an end hold {_heldBytes} bytes, {_waiters.Count} senders wait for room, "
                + $"{backlog()} events wait for their handlers, and {bytes} more bytes do not fit into MaxQueuedBytes "
                + $"({options.MaxQueuedBytes}) and MaxQueuedObjects ({options.MaxQueuedObjects}). Wait with SendAsync, raise the limit, "
                + "or send what is urgent with a smaller niceness.";

    private long Take(long bytes, int niceness)
    {
        var charge = ChargeFor(bytes);
        _charged += charge;
        _objects++;
        _heldBytes += bytes;
        Hold(niceness, charge, 1);
        var id = _nextId;
        Volatile.Write(ref _nextId, id + 1);
        return id;
    }

    private bool HasGathered() =>
        options.MaxQueuedBytes - _charged >= Slack(options.MaxQueuedBytes, LargeQueueBytes)
        && options.MaxQueuedObjects - _objects >= Slack(options.MaxQueuedObjects, LargeQueueObjects);

    private static long Slack(long limit, long large) => limit < large ? 0 : limit / WakeFraction;

    private bool Has(long bytes, int niceness)
    {
        if (_nextId - LowestId >= ProtocolLimits.IdWindow)
        {
            return false;
        }

        var charge = ChargeFor(bytes);
        var waiting = backlog();
        var objects = _objects + waiting;
        long maxBytes = options.MaxQueuedBytes;
        long maxObjects = options.MaxQueuedObjects;
        if (_charged + charge <= maxBytes && objects < maxObjects)
        {
            return true;
        }

        if (_charged / MaxOverdraft >= maxBytes || objects / MaxOverdraft >= maxObjects)
        {
            return false;
        }

        HeldUpTo(niceness, out var usedBytes, out var usedObjects);
        var bytesLeft = Math.Max(maxBytes - (_charged - usedBytes), maxBytes / UrgentFraction);
        var objectsLeft = Math.Max(maxObjects - (_objects - usedObjects), maxObjects / UrgentFraction);

        // One of more than half of the room needs half of it free: else it would wait for ever beside small ones that never leave it empty.
        return usedBytes + Math.Min(charge, (bytesLeft + 1) / 2) <= bytesLeft && usedObjects + waiting < objectsLeft;
    }

    private void Hold(int niceness, long bytes, int objects)
    {
        var (heldBytes, heldObjects) = _held.GetValueOrDefault(niceness);
        if (heldObjects + objects == 0 && _held.Count > 1)
        {
            // Any application can use any number as niceness: classes must not pile up.
            _held.Remove(niceness);
            return;
        }

        _held[niceness] = (heldBytes + bytes, heldObjects + objects);
    }

    private void HeldUpTo(int niceness, out long bytes, out long objects)
    {
        bytes = 0;
        objects = 0;
        foreach (var (other, held) in _held)
        {
            if (other > niceness)
            {
                break;
            }

            bytes += held.Bytes;
            objects += held.Objects;
        }
    }

    /// <summary>A single object never counts as the whole queue, or whatever comes beside it would wait for its end.</summary>
    private long ChargeFor(long bytes) => Math.Min(bytes, options.MaxQueuedBytes - (options.MaxQueuedBytes / 4));
}
