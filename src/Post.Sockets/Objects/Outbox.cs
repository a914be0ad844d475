using Post.Sockets.Associations;
using Post.Sockets.Associations.Sending;
using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets.Objects;

/// <summary>
/// The objects that this side sent and that have no end yet: their admission, antecedents, deadlines, and the one place where an
/// object gets its end. Everything happens under the association's lock.
/// </summary>
internal sealed partial class Outbox(AssociationCore core)
{
    /// <summary>Objects above this many bytes take turns with their equals.</summary>
    public const int LargeObject = 64 * 1024;

    /// <summary>What an object costs the receiver beside its bytes; both sides count it.</summary>
    public const int Overhead = 256;

    private readonly Dictionary<long, OutboundObject> _objects = [];
    private readonly Stack<OutboundObject> _cascade = new();
    private readonly Queue<TaskCompletionSource> _roomWaiters = new();
    private long _nextId;
    private long _lowest;
    private long _queuedBytes;

    public Lock Gate => core.Gate;

    public TaskCreationOptions Continuations => core.Continuations;

    /// <summary>Something of an object was handed over, on whatever connection.</summary>
    public bool HasSent { get; private set; }

    /// <summary>Objects without an end.</summary>
    public int Count => _objects.Count;

    /// <summary>Bytes accepted and not handed to the transport yet.</summary>
    public long QueuedBytes => _queuedBytes;

    /// <summary>Admits an object; false when the queue is full.</summary>
    public bool TryAdd(ReadOnlyMemory<byte> memory, ObjectSource? source, ObjectProperties properties, out OutboundObject? added)
    {
        var length = source is null ? memory.Length : source.Length ?? 0;
        lock (Gate)
        {
            core.ThrowIfNotSending();
            if (!HasRoom(length))
            {
                added = null;
                return false;
            }

            var now = core.Clock.Now;
            added = new OutboundObject(
                this, _nextId, properties, memory, source, now, core.Clock.After(now, properties.Lifetime));
            var doomed = LinkAntecedents(added, properties);
            _nextId++;
            _objects.Add(added.Id, added);
            _queuedBytes += added.Queued = length;
            core.Scheduler.Join(added.Entry);
            core.Instruments.Sent();
            if (doomed)
            {
                End(added, ObjectEnd.Expired, ObjectEndReason.AntecedentExpired, abandon: AbandonReason.AntecedentExpired);
            }
            else
            {
                if (added.IsPerishable)
                {
                    core.Timers.Set(added, added.ExpiresAt);
                }

                if (added.Unsent == 0)
                {
                    core.Scheduler.Add(added.Entry);
                }
            }
        }

        core.Wake();
        return true;
    }

    /// <summary>Waits until there may be room for an object.</summary>
    public Task WaitForRoomAsync(CancellationToken cancellationToken)
    {
        TaskCompletionSource waiter;
        lock (Gate)
        {
            core.ThrowIfNotSending();
            if (HasRoom(0) && _roomWaiters.Count == 0 && _queuedBytes == 0)
            {
                return Task.CompletedTask;
            }

            waiter = new TaskCompletionSource(core.Continuations);
            _roomWaiters.Enqueue(waiter);
        }

        return waiter.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Those to be woken because there is room now, or never will be; outside the lock they are.</summary>
    public void CollectRoomWaiters(List<TaskCompletionSource> woken)
    {
        // One for each place, so that a thousand waiters do not wake for one place; all when the association ends.
        var places = core.IsSending ? core.Options.MaxQueuedObjects - _objects.Count : int.MaxValue;
        while (places-- > 0 && _roomWaiters.Count > 0 && (!core.IsSending || HasRoom(0)))
        {
            woken.Add(_roomWaiters.Dequeue());
        }
    }

    public bool Cancel(OutboundObject item)
    {
        bool ended;
        lock (Gate)
        {
            ended = End(item, ObjectEnd.Canceled, ObjectEndReason.Canceled, abandon: AbandonReason.Canceled);
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

            item.Niceness = niceness;

            // What it lent from dependents stays with it.
            var inherited = int.MaxValue;
            foreach (var dependent in item.Dependents ?? [])
            {
                if (!dependent.IsEnded)
                {
                    inherited = Math.Min(inherited, dependent.Entry.Class);
                }
            }

            Move(item, Math.Min(niceness, inherited), item.Entry.Deadline);
            PassUrgencyOn(item);
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

            core.Timers.Set(item, now + core.Grace);
            return;
        }

        End(
            item,
            ObjectEnd.Expired,
            item.ReasonInTime,
            abandon: AbandonReason.Expired);
    }

    /// <summary>All bytes of an object were handed over: those that wait for it may go.</summary>
    public void OnAllTaken(OutboundObject item)
    {
        item.Transit.IsAllTaken = true;
        core.Admission.StopSharing(item);
        ReleaseDependents(item);
        if (item.Reach(SentObjectState.Sent))
        {
            core.NotifyLater(item);
        }
    }

    public void OnTransportAcknowledged(OutboundObject item)
    {
        if (item.IsEnded || !item.Transit.IsAllTaken)
        {
            return;
        }

        item.Transit.IsAcknowledged = true;
        if (item.Reach(SentObjectState.TransportAcknowledged))
        {
            core.NotifyLater(item);
        }
    }

    /// <summary>Something became of the datagram of an object.</summary>
    public void OnDatagramState(long id, TransportDatagramState state)
    {
        if (!_objects.TryGetValue(id, out var item) || !item.Transit.IsDatagram)
        {
            return;
        }

        ReleaseDatagram(item);
        item.Transit.IsDatagramOut |= state == TransportDatagramState.Sent;
        if (item.IsWriting)
        {
            // It is reported while it is still being handed over; the pump comes back to it.
            item.Transit.DatagramReport = state;
            return;
        }

        if (state == TransportDatagramState.Canceled && !item.Transit.IsDatagramOut)
        {
            // It never left: nothing of it was sent after all.
            item.Transit.PayloadTaken = 0;
            item.Transit.IsVisible = false;
            item.Transit.IsAllTaken = false;
        }

        // Offered as it was, what is given back unsent would come back for ever. Where its lifetime is over it ends, before any stream.
        item.Transit.IsDatagramRefused |= state == TransportDatagramState.Canceled;

        switch (state)
        {
            case TransportDatagramState.Acknowledged:
                OnTransportAcknowledged(item);
                break;
            case TransportDatagramState.Lost when item.IsInGrace:
                End(item, ObjectEnd.Expired, ObjectEndReason.InFlight, abandon: AbandonReason.Expired);
                break;
            case TransportDatagramState.Lost when !item.Properties.Retransmit:
                End(item, ObjectEnd.Expired, ObjectEndReason.InFlight, abandon: AbandonReason.Lost);
                break;
            case TransportDatagramState.Lost or TransportDatagramState.Canceled when !item.IsInGrace:
                // The same id again, while its lifetime allows: the receiver drops it if the first one came after all.
                core.Scheduler.Add(item.Entry);
                break;
        }
    }

    /// <summary>Applies one range of a receipt; an error when it names what was never sent.</summary>
    public PostErrorCode OnReceipt(ReceiptStatus status, long first, long last)
    {
        if (last >= _nextId)
        {
            return PostErrorCode.IdError;
        }

        // Below the lowest without an end there is nothing to do, however wide the range: a receipt costs what it ends.
        for (var id = Math.Max(first, _lowest); id <= last; id++)
        {
            if (!_objects.TryGetValue(id, out var item))
            {
                continue;
            }

            if (!item.Transit.IsVisible && !item.WasVisible)
            {
                return PostErrorCode.IdError;
            }

            var (end, reason) = status switch
            {
                ReceiptStatus.Delivered => (ObjectEnd.Acked, ObjectEndReason.Delivered),
                ReceiptStatus.Processed => (ObjectEnd.Acked, ObjectEndReason.Processed),
                ReceiptStatus.Expired => (ObjectEnd.Expired, ObjectEndReason.AtReceiver),
                ReceiptStatus.AntecedentExpired => (ObjectEnd.Expired, ObjectEndReason.AntecedentExpired),
                ReceiptStatus.TooLarge => (ObjectEnd.Rejected, ObjectEndReason.TooLarge),
                ReceiptStatus.ReceiverLimit => (ObjectEnd.Rejected, ObjectEndReason.ReceiverLimit),
                _ => (ObjectEnd.Rejected, ObjectEndReason.Refused),
            };
            End(item, end, reason);
        }

        return PostErrorCode.NoError;
    }

    /// <summary>The peer stopped the stream of an object. Where it also gives a receipt, both say the same.</summary>
    public void OnStopped(OutboundObject item, PostErrorCode code)
    {
        item.Transit.IsStopped = true;
        if (item.IsEnded || item.IsInGrace)
        {
            return;
        }

        switch (code)
        {
            case PostErrorCode.Duplicate:
                // It came another way, or over an earlier connection; the receipt for that is what counts.
                OnAllTaken(item);
                break;
            case PostErrorCode.Expired:
                End(item, ObjectEnd.Expired, ObjectEndReason.AtReceiver);
                break;
            case PostErrorCode.AntecedentExpired:
                End(item, ObjectEnd.Expired, ObjectEndReason.AntecedentExpired);
                break;
            case PostErrorCode.TooLarge:
                End(item, ObjectEnd.Rejected, ObjectEndReason.TooLarge);
                break;
            case PostErrorCode.ReceiverLimit:
                End(item, ObjectEnd.Rejected, ObjectEndReason.ReceiverLimit);
                break;
            default:
                End(item, ObjectEnd.Rejected, ObjectEndReason.Refused, abandon: AbandonReason.Canceled);
                break;
        }
    }

    /// <summary>Ends all objects from an id on.</summary>
    public void FailFrom(long id, PostException error)
    {
        foreach (var item in _objects.Values.Where(item => item.Id >= id).OrderByDescending(item => item.Id).ToArray())
        {
            End(item, ObjectEnd.Failed, ObjectEndReason.AssociationEnded, error);
        }
    }

    /// <summary>All objects below this id have their end.</summary>
    public long LowestId => _lowest;

    /// <summary>The objects that were handed over before the handshake; all of them void when the peer did not take early data.</summary>
    public List<OutboundObject> EarlyObjects() => [.. _objects.Values.Where(static item => item.Transit.IsEarly)];

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
        ObjectEnd end,
        ObjectEndReason reason,
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
                EndOne(dependent, ObjectEnd.Expired, ObjectEndReason.AntecedentExpired, null, AbandonReason.AntecedentExpired);
            }
        }

        return true;
    }

    /// <summary>Bytes of an object were handed over.</summary>
    public void OnTaken(OutboundObject item, int bytes)
    {
        HasSent = true;
        item.Transit.PayloadTaken += bytes;
        var queued = Math.Min(item.Queued, bytes);
        item.Queued -= queued;
        _queuedBytes -= queued;
    }

    private bool HasRoom(long length) =>
        _objects.Count + core.Events.Backlog < core.Options.MaxQueuedObjects
        && (_queuedBytes == 0 || _queuedBytes + length <= core.Options.MaxQueuedBytes)
        && _nextId - _lowest < ProtocolLimits.IdWindow;

    private bool LinkAntecedents(OutboundObject item, ObjectProperties properties)
    {
        if (properties.Antecedents.Count == 0)
        {
            return false;
        }

        var doomed = false;
        var linked = new List<OutboundObject>(properties.Antecedents.Count);
        foreach (var antecedent in properties.Antecedents)
        {
            if (antecedent is not OutboundObject earlier || earlier.Box != this)
            {
                throw new ArgumentException(
                    "An antecedent must be an object that was sent by the same association.", nameof(properties));
            }

            if (earlier.IsEnded && earlier.End != ObjectEnd.Acked && properties.AntecedentPolicy == AntecedentPolicy.Require)
            {
                doomed = true;
            }
            else if (earlier.End != ObjectEnd.Acked && !linked.Contains(earlier))
            {
                linked.Add(earlier);
            }
        }

        if (linked.Count > ProtocolLimits.MaxAntecedents)
        {
            throw new ArgumentException(
                $"An object has at most {ProtocolLimits.MaxAntecedents} antecedents that are not acked, not {linked.Count}; chain them.",
                nameof(properties));
        }

        if (doomed || linked.Count == 0)
        {
            return doomed;
        }

        // The header wants them in descending order.
        linked.Sort(static (a, b) => b.Id.CompareTo(a.Id));
        item.Antecedents = [.. linked];
        foreach (var antecedent in linked)
        {
            (antecedent.Dependents ??= []).Add(item);
            if (!antecedent.HasReleased)
            {
                item.Unsent++;
            }
        }

        PassUrgencyOn(item);
        return false;
    }

    /// <summary>What waits lends its urgency to what it waits for, all the way down: else an urgent object waits for a nice one.</summary>
    private void PassUrgencyOn(OutboundObject item)
    {
        var work = new Stack<OutboundObject>();
        work.Push(item);
        while (work.TryPop(out var urgent))
        {
            foreach (var antecedent in urgent.Antecedents ?? [])
            {
                var more = urgent.Entry.Class < antecedent.Entry.Class
                    || (urgent.Entry.Class == antecedent.Entry.Class && urgent.Entry.Deadline < antecedent.Entry.Deadline);
                if (!antecedent.IsEnded && more)
                {
                    Move(antecedent, urgent.Entry.Class, urgent.Entry.Deadline);
                    work.Push(antecedent);
                }
            }
        }
    }

    private void Move(OutboundObject item, int sendClass, long deadline)
    {
        core.Scheduler.Move(item.Entry, sendClass, deadline);
        if (item.Entry.IsParked)
        {
            // It may have a place in its new class; if not, it is parked there.
            item.Entry.IsParked = false;
            core.Scheduler.Add(item.Entry);
        }

        if (item.Transit.Stream is { } stream)
        {
            core.Later(new TransportAction(TransportActionKind.SetPriority, stream, Priority: item.Priority));
        }
    }

    private void EndOne(
        OutboundObject item, ObjectEnd end, ObjectEndReason reason, PostException? error, AbandonReason? abandon)
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

        _queuedBytes -= item.Queued;
        item.Queued = 0;
        core.Admission.Release(item);
        ReleaseDatagram(item);
        if (item.IsWaitingForSource)
        {
            core.InterruptLater(item.Source!);
        }

        if (item.Transit.Stream is { } stream)
        {
            if (end != ObjectEnd.Acked && !item.Transit.IsAcknowledged)
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

        foreach (var dependent in item.Dependents ?? [])
        {
            if (end != ObjectEnd.Acked && dependent.Properties.AntecedentPolicy == AntecedentPolicy.Require)
            {
                _cascade.Push(dependent);
            }
            else
            {
                core.Admission.OnAntecedentEnded(dependent);
            }
        }

        ReleaseDependents(item);
        if (!item.IsWriting)
        {
            core.PublishLater(item);
        }
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

    /// <summary>Stops sending, but for the header where the transport can: the receiver then knows which object died.</summary>
    private void ResetStream(OutboundObject item, TransportStream stream, PostErrorCode code)
    {
        item.Transit.IsToldByReset |= item.Transit is { IsHeaderOut: true, IsStopped: false }
            && core.Carrier?.Can(TransportCapabilities.ReliableReset) == true;
        core.Later(new TransportAction(TransportActionKind.Reset, stream, code, ReliableSize: item.Transit.HeaderLength));
    }

    private static PostErrorCode ResetCode(ObjectEnd end, ObjectEndReason reason) => (end, reason) switch
    {
        (ObjectEnd.Expired, ObjectEndReason.AntecedentExpired) => PostErrorCode.AntecedentExpired,
        (ObjectEnd.Expired, _) => PostErrorCode.Expired,
        (_, ObjectEndReason.SourceFailed) => PostErrorCode.SourceFailed,
        _ => PostErrorCode.Canceled,
    };

    private void ReleaseDependents(OutboundObject item)
    {
        if (item.HasReleased)
        {
            return;
        }

        // From here on a new dependent does not count it as unsent.
        item.HasReleased = true;
        foreach (var dependent in item.Dependents ?? [])
        {
            if (--dependent.Unsent == 0 && !dependent.IsEnded)
            {
                core.Scheduler.Add(dependent.Entry);
            }
        }
    }
}
