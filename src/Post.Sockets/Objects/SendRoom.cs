using Post.Sockets.Associations;
using Post.Sockets.Protocol;
using Post.Sockets.Scheduling;

namespace Post.Sockets.Objects;

/// <summary>
/// The room for objects to be sent, and the senders that wait for it. What counts is the memory that an object holds until its end, not the
/// length of what it is read from. Room is given by urgency, then in order. Everything happens under the association's lock.
/// </summary>
internal sealed class SendRoom(AssociationCore core)
{
    /// <summary>
    /// However much less urgent objects hold, this fraction of the queue is free for more urgent ones; else an urgent object would wait for
    /// bulk to be sent.
    /// </summary>
    private const int UrgentFraction = 8;

    /// <summary>The whole queue may hold so many times its limit, over all classes of urgency: a bound for applications that use very many.</summary>
    private const int MaxOverdraft = 4;

    private readonly IndexedHeap<SendWaiter, (int Niceness, long Turn), SendWaiter.Slot> _waiters = new();
    private long _charged;
    private long _objects;
    private long _turn;

    /// <summary>Bytes of memory that objects without an end hold.</summary>
    public long HeldBytes { get; private set; }

    /// <summary>Every object has its end, and everybody was told.</summary>
    public bool IsEmpty => _objects == 0;

    /// <summary>Senders that wait for room.</summary>
    public int Waiting => _waiters.Count;

    /// <summary>Takes room for an object, unless there is none, or somebody of the same urgency or more waits for it already.</summary>
    public bool TryTake(long bytes, int niceness) =>
        (_waiters.Count == 0 || _waiters.PeekKey.Niceness > niceness) && Has(bytes, niceness);

    /// <summary>An object came in.</summary>
    public void Charge(OutboundObject item)
    {
        var charge = ChargeFor(item.HeldBytes);
        _charged += charge;
        _objects++;
        HeldBytes += item.HeldBytes;
        core.Scheduler.Hold(item.Properties.Niceness, charge, 1);
    }

    /// <summary>An object has its end, and nobody uses its memory any more.</summary>
    public void Release(OutboundObject item)
    {
        var charge = ChargeFor(item.HeldBytes);
        _charged -= charge;
        _objects--;
        HeldBytes -= item.HeldBytes;
        core.Scheduler.Hold(item.Properties.Niceness, -charge, -1);
    }

    /// <summary>A sender waits from now on.</summary>
    public void Add(SendWaiter waiter) => _waiters.Add(waiter, (waiter.Niceness, _turn++));

    /// <summary>A sender waits no more; false when it had got its room before.</summary>
    public bool Remove(SendWaiter waiter) => _waiters.Remove(waiter);

    /// <summary>The sender whose turn it is, if there is room for it, or never will be.</summary>
    public SendWaiter? TakeNext()
    {
        // Nobody passes the first: room gathers until there is enough for it.
        if (!_waiters.TryPeek(out var waiter) || (core.IsSending && !Has(waiter.HeldBytes, waiter.Niceness)))
        {
            return null;
        }

        _waiters.Remove(waiter);
        return waiter;
    }

    /// <summary>Why there is no room for an object, in words.</summary>
    public string Explain(long bytes) =>
        core.Outbox.NextId - core.Outbox.LowestId >= ProtocolLimits.IdWindow
            ? $"Object {core.Outbox.LowestId} has had no end for {ProtocolLimits.IdWindow} objects, and the receiver can remember no more: wait "
                + "with SendAsync, or give such objects a lifetime or more urgency."
            : $"The send queue is full: {_objects} objects without an end hold {HeldBytes} bytes, {_waiters.Count} senders wait for room, "
                + $"{core.Events.Backlog} events wait for their handlers, and {bytes} more bytes do not fit into MaxQueuedBytes "
                + $"({core.Options.MaxQueuedBytes}) and MaxQueuedObjects ({core.Options.MaxQueuedObjects}). Wait with SendAsync, raise the limit, "
                + "or send what is urgent with a smaller niceness.";

    private bool Has(long bytes, int niceness)
    {
        if (core.Outbox.NextId - core.Outbox.LowestId >= ProtocolLimits.IdWindow)
        {
            return false;
        }

        var charge = ChargeFor(bytes);
        var objects = _objects + core.Events.Backlog;
        long maxBytes = core.Options.MaxQueuedBytes;
        long maxObjects = core.Options.MaxQueuedObjects;
        if (_charged + charge <= maxBytes && objects < maxObjects)
        {
            return true;
        }

        if (_charged / MaxOverdraft >= maxBytes || objects / MaxOverdraft >= maxObjects)
        {
            return false;
        }

        core.Scheduler.HeldUpTo(niceness, out var usedBytes, out var usedObjects);
        var bytesLeft = Math.Max(maxBytes - (_charged - usedBytes), maxBytes / UrgentFraction);
        var objectsLeft = Math.Max(maxObjects - (_objects - usedObjects), maxObjects / UrgentFraction);

        // One of more than half of the room needs half of it free: else it would wait for ever beside small ones that never leave it empty.
        return usedBytes + Math.Min(charge, (bytesLeft + 1) / 2) <= bytesLeft && usedObjects + core.Events.Backlog < objectsLeft;
    }

    /// <summary>A single object never counts as the whole queue, or whatever comes beside it would wait for its end.</summary>
    private long ChargeFor(long bytes) => Math.Min(bytes, core.Options.MaxQueuedBytes - (core.Options.MaxQueuedBytes / 4));
}
