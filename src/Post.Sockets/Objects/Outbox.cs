using System.Diagnostics.CodeAnalysis;
using Post.Sockets.Associations;
using Post.Sockets.Associations.Sending;
using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets.Objects;

/// <summary>
/// The objects that this side sent and that have no end yet: they come in here, and here is the one place where each gets its end. What they
/// wait for stands in <see cref="OutboundAntecedents"/>, what is heard of them in <see cref="OutboundReports"/>. Everything happens under the
/// association's lock.
/// </summary>
internal sealed partial class Outbox(AssociationCore core)
{
    /// <summary>Objects above this many bytes take turns with their equals.</summary>
    public const int LargeObject = 64 * 1024;

    /// <summary>What an object costs the receiver in memory beside its bytes; both sides count it. A test measures it.</summary>
    public const int Overhead = 512;

    /// <summary>What an object that is taken piece by piece occupies of a receiver's budget at a time: a sixteenth, at most 256 KiB.</summary>
    public static long PipeBytes(long budget) => Math.Clamp(budget / 16, 1024, 256 * 1024);

    private readonly Dictionary<long, OutboundObject> _objects = [];
    private readonly Stack<OutboundObject> _cascade = new();
    private readonly OutboundAntecedents _antecedents = new(core);
    private long _nextId;
    private long _lowest;

    public Lock Gate => core.Gate;

    public TaskCreationOptions Continuations => core.Continuations;

    /// <summary>What may still come in.</summary>
    public SendRoom Room { get; } = new(core);

    /// <summary>Something of an object was handed over, on whatever connection.</summary>
    public bool HasSent { get; private set; }

    /// <summary>Objects without an end.</summary>
    public int Count => _objects.Count;

    /// <summary>The id that the next object gets.</summary>
    public long NextId => _nextId;

    /// <summary>All objects below this id have their end.</summary>
    public long LowestId => _lowest;

    /// <summary>Takes an object in.</summary>
    /// <exception cref="PostException">There is no room for it, or nothing new is taken.</exception>
    public OutboundObject Add(ReadOnlyMemory<byte> memory, ObjectSource? source, ObjectProperties properties)
    {
        OutboundObject added;
        lock (Gate)
        {
            core.ThrowIfNotSending();
            var bytes = OutboundObject.HeldBytesOf(memory, source, properties);
            if (!Room.TryTake(bytes, properties.Niceness))
            {
                throw new PostException(PostErrorReason.QueueFull, Room.Explain(bytes));
            }

            added = TakeIn(memory, source, properties);
        }

        core.Wake();
        return added;
    }

    /// <summary>Takes an object in as soon as there is room for it.</summary>
    public ValueTask<OutboundObject> AddAsync(
        ReadOnlyMemory<byte> memory, ObjectSource? source, ObjectProperties properties, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<OutboundObject>(cancellationToken);
        }

        OutboundObject? added = null;
        SendWaiter? waiter = null;
        lock (Gate)
        {
            if (!core.IsSending)
            {
                return ValueTask.FromException<OutboundObject>(core.WhyNotSending());
            }

            _antecedents.Check(properties);
            if (Room.TryTake(OutboundObject.HeldBytesOf(memory, source, properties), properties.Niceness))
            {
                added = TakeIn(memory, source, properties);
            }
            else
            {
                waiter = new SendWaiter(core, memory, source, properties);
                Room.Add(waiter);
            }
        }

        core.Wake();
        return added is not null ? ValueTask.FromResult(added) : WaitAsync(waiter!, cancellationToken);
    }

    /// <summary>Takes objects in whose senders waited, as far as there is room now. Those are to be told, outside of the lock.</summary>
    public void TakeInWaiting(List<SendWaiter> told)
    {
        while (Room.TakeNext() is { } waiter)
        {
            told.Add(waiter);
            try
            {
                core.ThrowIfNotSending();
                waiter.Grant(TakeIn(waiter.Memory, waiter.Source, waiter.Properties));
                core.Wake();
            }
            catch (Exception exception) when (exception is PostException or ArgumentException)
            {
                waiter.Refuse(exception);
            }
        }
    }

    /// <summary>A sender waits no more; false when its object came in before.</summary>
    public bool StopWaiting(SendWaiter waiter)
    {
        bool removed;
        lock (Gate)
        {
            removed = Room.Remove(waiter);
        }

        // It may have been the one that the others waited behind.
        core.Wake();
        return removed;
    }

    /// <summary>Finds an object that has no end yet.</summary>
    public bool TryFind(long id, [NotNullWhen(true)] out OutboundObject? item) => _objects.TryGetValue(id, out item);

    public bool Cancel(OutboundObject item)
    {
        bool ended;
        lock (Gate)
        {
            ended = End(item, ObjectOutcome.Canceled, ObjectOutcomeReason.Canceled, abandon: AbandonReason.Canceled);
        }

        if (ended)
        {
            core.Wake();
        }

        return ended;
    }

    public void Reprioritize(OutboundObject item, int niceness)
    {
        lock (Gate)
        {
            if (item.IsEnded)
            {
                return;
            }

            _antecedents.Reprioritize(item, niceness);
        }

        core.Wake();
    }

    /// <summary>The deadline of an object, or the end of its grace, came.</summary>
    public void OnDue(OutboundObject item, long now)
    {
        if (item is { IsInGrace: false, Transit.IsAllTaken: true })
        {
            // The receiver may have delivered it just in time: its receipt, if one is on its way, decides. Sending stops at once.
            item.IsInGrace = true;
            if (item.Transit is { Stream: { } stream, IsAcknowledged: false })
            {
                ResetStream(item, stream, PostErrorCode.Expired);
            }

            core.Timers.Set(item, now + core.Trips.Grace);
            return;
        }

        End(
            item,
            ObjectOutcome.Expired,
            item.ReasonInTime,
            abandon: AbandonReason.Expired);
    }

    /// <summary>Bytes of an object were handed over.</summary>
    public void OnTaken(OutboundObject item, int bytes)
    {
        HasSent = true;
        item.Transit.PayloadTaken += bytes;
    }

    /// <summary>All bytes of an object were handed over: those that wait for it may go.</summary>
    public void OnAllTaken(OutboundObject item)
    {
        item.Transit.IsAllTaken = true;
        core.Admission.StopSharing(item);
        _antecedents.Release(item);
        if (item.Reach(SentObjectState.Sent))
        {
            core.NotifyLater(item);
        }
    }

    /// <summary>The objects that were handed over before the handshake; all of them void when the peer did not take early data.</summary>
    public List<OutboundObject> EarlyObjects() => [.. _objects.Values.Where(static item => item.Transit.IsEarly)];

    /// <summary>Ends all objects from an id on.</summary>
    public void FailFrom(long id, PostException error)
    {
        foreach (var item in _objects.Values.Where(item => item.Id >= id).OrderByDescending(item => item.Id).ToArray())
        {
            End(item, ObjectOutcome.Failed, ObjectOutcomeReason.AssociationEnded, error);
        }
    }

    /// <summary>
    /// Gives an object its end, unless it has one, and with it those that require it. The only way to an end.
    /// </summary>
    /// <param name="item">The object.</param>
    /// <param name="end">Its end.</param>
    /// <param name="reason">The reason.</param>
    /// <param name="error">The error, for failures.</param>
    /// <param name="abandon">What to tell the receiver; null when the receiver is the one who told, or nobody is there to be told.</param>
    public bool End(
        OutboundObject item,
        ObjectOutcome end,
        ObjectOutcomeReason reason,
        PostException? error = null,
        AbandonReason? abandon = null)
    {
        if (item.IsEnded)
        {
            return false;
        }

        EndOne(item, end, reason, error, abandon);
        while (_cascade.TryPop(out var dependent))
        {
            if (!dependent.IsEnded)
            {
                EndOne(dependent, ObjectOutcome.Expired, ObjectOutcomeReason.AntecedentExpired, null, AbandonReason.AntecedentExpired);
            }
        }

        return true;
    }

    /// <summary>Ends an object that the receiver does not take, with the figures that are known of that.</summary>
    public bool Reject(OutboundObject item, ObjectOutcomeReason reason, AbandonReason? abandon)
    {
        var size = Math.Max(item.Length ?? 0, item.Transit.PayloadTaken);
        var limit = core.Peer.MaxObjectSize;
        var why = reason switch
        {
            ObjectOutcomeReason.TooLarge when size > limit =>
                $"it has {size} bytes{(item.Length is null ? " or more" : string.Empty)}, and the receiver takes at most {limit}. Send it in parts, or raise "
                + "the receiver's MaxWholeObjectSize, or let it take objects incrementally.",
            ObjectOutcomeReason.TooLarge =>
                $"it has {size} bytes, and the receiver takes fewer. Send it in parts, or raise the receiver's MaxWholeObjectSize.",
            ObjectOutcomeReason.ReceiverLimit when item.Antecedents?.Length > core.Peer.MaxAntecedents =>
                $"it has {item.Antecedents.Length} antecedents without an end, and the receiver takes at most {core.Peer.MaxAntecedents}. Chain them, or raise "
                + "the receiver's MaxAntecedents.",
            ObjectOutcomeReason.ReceiverLimit =>
                $"one of its limits is reached: its ReceiveBudget is {core.Peer.ReceiveBudget} bytes, its MaxWaitingObjects {core.Peer.MaxWaiting}, and no "
                + "antecedent may be missing for longer than its AntecedentTimeout.",
            _ => "its application does not want it.",
        };
        return End(
            item,
            ObjectOutcome.Rejected,
            reason,
            new PostException(PostErrorReason.ObjectRejected, $"The receiver rejected object {item.Id} ({reason}): {why}"),
            abandon);
    }

    /// <summary>The transport does not hold the datagram of an object any more.</summary>
    public void ReleaseDatagram(OutboundObject item)
    {
        if (item.Transit.DatagramCharge > 0)
        {
            core.Scheduler.ReleaseOutstanding(item.Transit.DatagramClass, item.Transit.DatagramCharge);
            item.Transit.DatagramCharge = 0;
        }
    }

    private static async ValueTask<OutboundObject> WaitAsync(SendWaiter waiter, CancellationToken cancellationToken)
    {
        using var registration = cancellationToken.UnsafeRegister(static (waiting, token) => ((SendWaiter)waiting!).Cancel(token), waiter);
        return await waiter.Completion.ConfigureAwait(false);
    }

    private OutboundObject TakeIn(ReadOnlyMemory<byte> memory, ObjectSource? source, ObjectProperties properties)
    {
        var now = core.Clock.Now;
        var added = new OutboundObject(this, _nextId, properties, memory, source, now, core.Clock.After(now, properties.Lifetime));
        var doomed = _antecedents.Link(added, properties);
        _nextId++;
        _objects.Add(added.Id, added);
        Room.Charge(added);
        core.Scheduler.Join(added.Entry);
        core.Instruments.Sent();
        if (doomed)
        {
            End(added, ObjectOutcome.Expired, ObjectOutcomeReason.AntecedentExpired, abandon: AbandonReason.AntecedentExpired);
            return added;
        }

        if (added.IsPerishable)
        {
            core.Timers.Set(added, added.ExpiresAt);
        }

        if (added.Unsent == 0)
        {
            core.Scheduler.Add(added.Entry);
        }

        return added;
    }

    private void EndOne(
        OutboundObject item, ObjectOutcome end, ObjectOutcomeReason reason, PostException? error, AbandonReason? abandon)
    {
        item.End = end;
        item.EndReason = reason;
        item.Error = error;
        core.Scheduler.Leave(item.Entry);
        core.Timers.Cancel(item);
        _objects.Remove(item.Id);
        while (_lowest < _nextId && !_objects.ContainsKey(_lowest))
        {
            _lowest++;
        }

        core.Admission.Release(item);
        ReleaseDatagram(item);
        if (item.IsWaitingForSource)
        {
            core.InterruptLater(item.Source!);
        }

        if (item.Transit.Stream is { } stream)
        {
            if (end != ObjectOutcome.Acked && !item.Transit.IsAcknowledged)
            {
                ResetStream(item, stream, ResetCode(end, reason));
            }

            if (!item.IsWriting)
            {
                core.Later(new TransportAction(TransportActionKind.Dispose, stream));
            }
        }

        if (abandon is { } why && !item.Transit.IsToldByReset && !core.IsClosed)
        {
            // While there is no connection nothing need be noted: the next one begins with what has ended meanwhile.
            core.Carrier?.Frames.AddAbandon(why, item.Id);
        }

        if (item.Dependents is { } dependents)
        {
            foreach (var dependent in dependents)
            {
                if (end != ObjectOutcome.Acked && dependent.Properties.AntecedentPolicy == AntecedentPolicy.Require)
                {
                    _cascade.Push(dependent);
                }
                else
                {
                    core.Admission.OnAntecedentEnded(dependent);
                }
            }
        }

        _antecedents.Release(item);
        if (!item.IsWriting || item.IsWaitingForSource)
        {
            // A source that does not answer keeps nobody waiting for the end.
            core.PublishLater(item);
        }
    }

    /// <summary>Stops sending, but for the header where the transport can: the receiver then knows which object died.</summary>
    private void ResetStream(OutboundObject item, TransportStream stream, PostErrorCode code)
    {
        item.Transit.IsToldByReset |= item.Transit is { IsHeaderOut: true, IsStopped: false }
            && core.Carrier?.Can(TransportCapabilities.ReliableReset) == true;
        core.Later(new TransportAction(TransportActionKind.Reset, stream, code, ReliableSize: item.Transit.HeaderLength));
    }

    private static PostErrorCode ResetCode(ObjectOutcome end, ObjectOutcomeReason reason) => (end, reason) switch
    {
        (ObjectOutcome.Expired, ObjectOutcomeReason.AntecedentExpired) => PostErrorCode.AntecedentExpired,
        (ObjectOutcome.Expired, _) => PostErrorCode.Expired,
        (_, ObjectOutcomeReason.SourceFailed) => PostErrorCode.SourceFailed,
        _ => PostErrorCode.Canceled,
    };
}
