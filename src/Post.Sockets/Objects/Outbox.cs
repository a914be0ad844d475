using System.Diagnostics.CodeAnalysis;
using Post.Sockets.Protocol;
using Post.Sockets.Scheduling;

namespace Post.Sockets.Objects;

/// <summary>
/// The objects that this side sent and that have no end yet: they come in here, and here is the one place where each gets its end. What they
/// wait for stands in <see cref="OutboundAntecedents"/>, what is heard of them in <see cref="OutboundReports"/>. It belongs to the owner of
/// the association.
/// </summary>
internal sealed partial class Outbox
{
    /// <summary>Objects above this many bytes take turns with their equals.</summary>
    public const int LargeObject = 64 * 1024;

    /// <summary>What an object costs the receiver in memory beside its bytes; both sides count it. A test measures it.</summary>
    public const int Overhead = 512;

    private readonly Dictionary<long, OutboundObject> _objects = [];
    private readonly Stack<OutboundObject> _cascade = new();
    private readonly SendScheduler _scheduler;
    private readonly TimerQueue _timers;
    private readonly Clock _clock;
    private readonly TripTimes _trips;
    private readonly PeerTerms _peer;
    private readonly ObjectEffects _effects;
    private readonly SendAdmission _admission;
    private readonly OutboundRestarts _restarts;
    private long _nextId;
    private int _count;

    public Outbox(
        AssociationOptions options,
        SendScheduler scheduler,
        TimerQueue timers,
        Clock clock,
        TripTimes trips,
        PeerTerms peer,
        ObjectEffects effects,
        IObjectRequests requests,
        Func<int> backlog)
    {
        _scheduler = scheduler;
        _timers = timers;
        _clock = clock;
        _trips = trips;
        _peer = peer;
        _effects = effects;
        Requests = requests;
        Room = new SendRoom(options, backlog);
        Antecedents = new OutboundAntecedents(this, scheduler, effects);
        _admission = new SendAdmission(scheduler, peer);
        _restarts = new OutboundRestarts(this, scheduler, effects);
        Reports = new OutboundReports(this, scheduler, trips, effects);
    }

    public IObjectRequests Requests { get; }

    /// <summary>What may still come in.</summary>
    public SendRoom Room { get; }

    /// <summary>What objects wait for.</summary>
    public OutboundAntecedents Antecedents { get; }

    /// <summary>What an object needs before its first byte may go.</summary>
    public SendAdmission Admission => _admission;

    /// <summary>How objects begin anew.</summary>
    public OutboundRestarts Restarts => _restarts;

    /// <summary>What is heard of them.</summary>
    public OutboundReports Reports { get; }

    /// <summary>Something of an object was handed over, on whatever connection.</summary>
    public bool HasSent { get; private set; }

    /// <summary>A stream that is reset still delivers its header.</summary>
    public bool ResetsDeliverHeaders { get; set; }

    /// <summary>The association is over: the receiver is told nothing more.</summary>
    public bool IsClosed { get; set; }

    /// <summary>Objects that came in and have no end. From any thread.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>The id after the highest that came in.</summary>
    public long NextId => _nextId;

    /// <summary>All objects below this id have their end.</summary>
    public long LowestId => Room.LowestId;

    /// <summary>What an object that is taken piece by piece occupies of a receiver's budget at a time: a sixteenth, at most 256 KiB.</summary>
    public static long PipeBytes(long budget) => Math.Clamp(budget / 16, 1024, 256 * 1024);

    /// <summary>Makes an object that has its room and its number; <see cref="TakeIn"/> follows, in the order of the numbers. From any thread.</summary>
    public OutboundObject Make(long id, ReadOnlyMemory<byte> memory, ObjectSource? source, ObjectProperties properties)
    {
        var now = _clock.Now;
        return new OutboundObject(this, id, properties, memory, source, now, _clock.After(now, properties.Lifetime));
    }

    /// <summary>An object comes in.</summary>
    public void TakeIn(OutboundObject added)
    {
        _nextId = added.Id + 1;
        _objects.Add(added.Id, added);
        Volatile.Write(ref _count, _objects.Count);
        var doomed = Antecedents.Link(added, added.Properties);
        _scheduler.Join(added.Entry);
        if (doomed)
        {
            End(added, ObjectOutcome.Expired, ObjectOutcomeReason.AntecedentExpired, abandon: AbandonReason.AntecedentExpired);
            return;
        }

        if (added.IsPerishable)
        {
            _timers.Set(added, added.ExpiresAt);
        }

        if (added.Unsent == 0)
        {
            _scheduler.Add(added.Entry);
        }
    }

    /// <summary>Finds an object that has no end yet.</summary>
    public bool TryFind(long id, [NotNullWhen(true)] out OutboundObject? item) => _objects.TryGetValue(id, out item);

    /// <summary>The application has canceled an object.</summary>
    public void OnCancelRequested(OutboundObject item) =>
        End(item, ObjectOutcome.Canceled, ObjectOutcomeReason.Canceled, abandon: AbandonReason.Canceled);

    public void Reprioritize(OutboundObject item, int niceness)
    {
        if (!item.IsEnded)
        {
            Antecedents.Reprioritize(item, niceness);
        }
    }

    /// <summary>The deadline of an object, or the end of its grace, came.</summary>
    public void OnDue(OutboundObject item, long now)
    {
        if (item.Phase == OutboundPhase.HandedOver)
        {
            // The receiver may have delivered it just in time: its receipt, if one is on its way, decides. Sending stops at once.
            item.BeginGrace();
            if (item.Transmission is { Form: TransmissionForm.Stream or TransmissionForm.WholeStream, IsAcknowledged: false })
            {
                StopSending(item, PostErrorCode.Expired);
            }

            _timers.Set(item, now + _trips.Grace);
            return;
        }

        End(item, ObjectOutcome.Expired, item.ReasonInTime, abandon: AbandonReason.Expired);
    }

    /// <summary>Bytes of an object were handed over.</summary>
    public void OnTaken(OutboundObject item, int bytes)
    {
        HasSent = true;
        item.Transmission.PayloadTaken += bytes;
    }

    /// <summary>All bytes of an object were handed over: those that wait for it may go.</summary>
    public void OnAllTaken(OutboundObject item)
    {
        item.HandOver();
        _admission.StopSharing(item);
        Antecedents.Release(item);
        if (item.Reach(SentObjectState.Sent))
        {
            _effects.TellState(item);
        }
    }

    /// <summary>The server did not take the early data: the objects that were handed over before the handshake begin anew.</summary>
    public void OnEarlyDataRejected()
    {
        foreach (var item in _objects.Values.Where(static item => item.Transmission.IsEarly).ToArray())
        {
            _restarts.StartAnew(item);
        }
    }

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
        var size = Math.Max(item.Length ?? 0, item.Transmission.PayloadTaken);
        var limit = _peer.Hello.MaxObjectSize;
        var why = reason switch
        {
            ObjectOutcomeReason.TooLarge when size > limit =>
                $"it has {size} bytes{(item.Length is null ? " or more" : string.Empty)}, and the receiver takes at most {limit}. Send it in parts, or raise "
                + "the receiver's MaxWholeObjectSize, or let it take objects incrementally.",
            ObjectOutcomeReason.TooLarge =>
                $"it has {size} bytes, and the receiver takes fewer. Send it in parts, or raise the receiver's MaxWholeObjectSize.",
            ObjectOutcomeReason.ReceiverLimit when item.Antecedents?.Length > _peer.Hello.MaxAntecedents =>
                $"it has {item.Antecedents.Length} antecedents without an end, and the receiver takes at most {_peer.Hello.MaxAntecedents}. Chain them, or raise "
                + "the receiver's MaxAntecedents.",
            ObjectOutcomeReason.ReceiverLimit =>
                $"one of its limits is reached: its ReceiveBudget is {_peer.Hello.ReceiveBudget} bytes, its MaxWaitingObjects {_peer.Hello.MaxWaiting}, and no "
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

    /// <summary>The transport does not hold the datagram, or the whole stream, of an object any more.</summary>
    public void ReleaseCharge(OutboundObject item)
    {
        if (item.Transmission.Charge > 0)
        {
            _scheduler.ReleaseOutstanding(item.Transmission.ChargedClass, item.Transmission.Charge);
            item.Transmission.Charge = 0;
        }
    }

    private void EndOne(
        OutboundObject item, ObjectOutcome outcome, ObjectOutcomeReason reason, PostException? error, AbandonReason? abandon)
    {
        if (!item.Decide(outcome, reason, error))
        {
            // The application has canceled it before: the receiver may be in want of that.
            abandon = AbandonReason.Canceled;
        }

        _scheduler.Leave(item.Entry);
        _timers.Cancel(item);
        Forget(item);
        _admission.Release(item);
        ReleaseCharge(item);
        if (item.Use == MemoryUse.Source)
        {
            _effects.InterruptSource(item.Source!);
        }

        EndTransmission(item);
        if (abandon is { } why && !item.Transmission.IsToldByReset && !IsClosed)
        {
            // While there is no connection nothing need be noted: the next one begins with what has ended meanwhile.
            _effects.Abandon(item.Id, why);
        }

        foreach (var dependent in item.Dependents ?? [])
        {
            if (item.Outcome != ObjectOutcome.Acked && dependent.Properties.AntecedentPolicy == AntecedentPolicy.Require)
            {
                _cascade.Push(dependent);
            }
            else
            {
                _admission.OnAntecedentEnded(dependent);
            }
        }

        Antecedents.Release(item);
        if (item.Use != MemoryUse.Transport)
        {
            // A source that does not answer keeps nobody waiting for the end.
            Complete(item);
        }
    }

    /// <summary>The end of an object is to be told, once.</summary>
    public void Complete(OutboundObject item)
    {
        if (item.TryComplete())
        {
            item.IsReleasePending = item.Use == MemoryUse.Source;
            _effects.Complete(item);
        }
    }

    private void Forget(OutboundObject item)
    {
        _objects.Remove(item.Id);
        Volatile.Write(ref _count, _objects.Count);
        var lowest = Room.LowestId;
        if (item.Id != lowest)
        {
            return;
        }

        while (lowest < _nextId && !_objects.ContainsKey(lowest))
        {
            lowest++;
        }

        Room.LowestId = lowest;
    }

    private void EndTransmission(OutboundObject item)
    {
        if (item.Outcome != ObjectOutcome.Acked && !item.Transmission.IsAcknowledged
            && item.Transmission.Form is TransmissionForm.Stream or TransmissionForm.WholeStream)
        {
            StopSending(item, ResetCode(item.Outcome!.Value, item.Reason));
        }

        if (item.Transmission.Stream is { } stream && item.Use != MemoryUse.Transport)
        {
            _effects.ReleaseStream(stream);
        }
    }

    /// <summary>Stops sending, but for the header where the transport can: the receiver then knows which object died.</summary>
    private void StopSending(OutboundObject item, PostErrorCode code)
    {
        item.Transmission.IsToldByReset |= ResetsDeliverHeaders && item.Transmission is { IsHeaderOut: true, IsStopped: false };
        _effects.StopSending(item, code);
    }

    private static PostErrorCode ResetCode(ObjectOutcome end, ObjectOutcomeReason reason) => (end, reason) switch
    {
        (ObjectOutcome.Expired, ObjectOutcomeReason.AntecedentExpired) => PostErrorCode.AntecedentExpired,
        (ObjectOutcome.Expired, _) => PostErrorCode.Expired,
        (_, ObjectOutcomeReason.SourceFailed) => PostErrorCode.SourceFailed,
        _ => PostErrorCode.Canceled,
    };
}
