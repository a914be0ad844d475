using System.Diagnostics;
using Post.Sockets.Scheduling;

namespace Post.Sockets.Objects;

/// <summary>
/// A sent object and all that is known of it. The application's members may be called from any thread; everything else belongs to the owner of
/// the association, and the rules that change it stand in <see cref="Outbox"/>.
/// </summary>
internal sealed class OutboundObject : SentObject, ITimed
{
    private const int Undecided = 0;
    private const int CancelRequested = 1;
    private const int Decided = 2;

    private readonly Outbox _outbox;
    private TaskCompletionSource<Receipt>? _completion;
    private StateWaiters? _waiters;
    private Receipt? _receipt;
    private int _state;
    private int _decision;
    private long _offset;
    private bool _hasOffset;

    public OutboundObject(
        Outbox outbox,
        long id,
        ObjectProperties properties,
        ReadOnlyMemory<byte> memory,
        ObjectSource? source,
        long sentAt,
        long deadline)
        : base(id, properties)
    {
        _outbox = outbox;
        Memory = memory;
        Source = source;
        SentAt = sentAt;
        ExpiresAt = deadline;
        Niceness = properties.Niceness;

        // Sent once means: the lifetime bounds the wait to be sent, like any other.
        Entry = new SendEntry(this, properties.Niceness, deadline, id);
    }

    public override SentObjectState State => (SentObjectState)Volatile.Read(ref _state);

    public override Receipt? Receipt => Volatile.Read(ref _receipt);

    public override long BytesSent => Math.Max(Volatile.Read(ref Transmission.PayloadTaken), IsEnded ? HandedBefore : 0);

    public override long Offset => Volatile.Read(ref _offset);

    public override long? Length => Source is null ? Memory.Length : Source.Length;

    public override Task<Receipt> Completion
    {
        get
        {
            if (Volatile.Read(ref _completion) is { } existing)
            {
                return existing.Task;
            }

            if (Receipt is { } receipt)
            {
                return Task.FromResult(receipt);
            }

            var made = new TaskCompletionSource<Receipt>(_outbox.Requests.Continuations);
            var completion = Interlocked.CompareExchange(ref _completion, made, null) ?? made;
            if (Receipt is { } late)
            {
                // Whoever published it may have looked before there was anything to complete.
                completion.TrySetResult(late);
            }

            return completion.Task;
        }
    }

    /// <summary>The payload, where it lies in one piece.</summary>
    public ReadOnlyMemory<byte> Memory { get; }

    /// <summary>Where else the payload comes from.</summary>
    public ObjectSource? Source { get; }

    public Outbox Box => _outbox;

    /// <summary>How far it is.</summary>
    public OutboundPhase Phase { get; private set; }

    /// <summary>Who uses its memory.</summary>
    public MemoryUse Use { get; set; }

    /// <summary>Its dependents know that they need not wait for it any more.</summary>
    public bool HasReleased { get; set; }

    public long SentAt { get; }

    /// <summary>The end of the lifetime; <see cref="Clock.Never"/> for infinite.</summary>
    public long ExpiresAt { get; }

    public bool IsPerishable => ExpiresAt != Clock.Never;

    /// <summary>The reason, where its lifetime ran out on this side.</summary>
    public ObjectOutcomeReason ReasonInTime => IsKnownToReceiver ? ObjectOutcomeReason.InFlight : ObjectOutcomeReason.BeforeSent;

    public SendEntry Entry { get; }

    /// <summary>The object's own niceness, without what it inherits.</summary>
    public int Niceness { get; set; }

    /// <summary>Its way over the present connection.</summary>
    public OutboundTransmission Transmission;

    /// <summary>From which byte on it goes over the present connection.</summary>
    public OutboundStart Start;

    public bool IsDurable => !Properties.DurableId.IsEmpty;

    /// <summary>How far into it something was handed over on any connection: the receiver cannot hold more.</summary>
    public long Handed => Math.Max(HandedBefore, Transmission.PayloadTaken);

    /// <summary>The same, of earlier connections.</summary>
    public long HandedBefore { get; set; }

    /// <summary>The antecedents that had no end yet; null when there were none.</summary>
    public OutboundObject[]? Antecedents { get; set; }

    /// <summary>Antecedents that are not yet sent whole: only after them may this object go.</summary>
    public int Unsent { get; set; }

    /// <summary>Objects that name this one as antecedent.</summary>
    public List<OutboundObject>? Dependents { get; set; }

    /// <summary>The outcome, from the moment it is decided; null before that.</summary>
    public ObjectOutcome? Outcome { get; private set; }

    public ObjectOutcomeReason Reason { get; private set; }

    public PostException? Error { get; private set; }

    public bool IsEnded => Phase >= OutboundPhase.Ended;

    public bool IsInGrace => Phase == OutboundPhase.Grace;

    /// <summary>All of it was handed over, and it has no end.</summary>
    public bool IsHandedOver => Phase is OutboundPhase.HandedOver or OutboundPhase.Grace;

    /// <summary>Its end was told while its source was asked for bytes; the source is released when it has answered.</summary>
    public bool IsReleasePending { get; set; }

    /// <summary>It shall travel as a stream, on whatever connection: the receiver may have begun it on one.</summary>
    public bool NeedsStream { get; set; }

    /// <summary>It was visible on an earlier connection: the receiver may know of it, and may speak of it.</summary>
    public bool WasVisible { get; set; }

    public bool IsKnownToReceiver => Transmission.IsVisible || WasVisible;

    /// <summary>Bytes of the receiver's budget that it holds, counted in <see cref="CreditClass"/>.</summary>
    public long Credit { get; set; }

    public int CreditClass { get; set; }

    /// <summary>It counts among the large objects that share their class.</summary>
    public int? SharingClass { get; set; }

    /// <summary>It counts among those that wait at the receiver for antecedents.</summary>
    public bool CountsAsWaiting { get; set; }

    /// <summary>It is held back because enough objects wait at the receiver already.</summary>
    public bool IsWaitingParked { get; set; }

    /// <summary>Bytes of memory that it holds until its end.</summary>
    public long HeldBytes => HeldBytesOf(Memory, Source, Properties);

    public Activity? Activity { get; set; }

    int ITimed.TimerIndex { get; set; } = -1;

    /// <summary>Large enough to take turns with its equals.</summary>
    public bool IsLarge => !(Length <= Outbox.LargeObject);

    /// <summary>The application wants it canceled; the owner has not carried that out.</summary>
    public bool IsCancelRequested => Volatile.Read(ref _decision) == CancelRequested;

    /// <summary>What an object holds until its end: bytes that are copied or borrowed, or read ahead from their source.</summary>
    public static long HeldBytesOf(ReadOnlyMemory<byte> memory, ObjectSource? source, ObjectProperties properties) =>
        (source?.HeldBytes ?? memory.Length) + properties.Metadata.Length;

    public override bool Cancel()
    {
        if (!TryRequestCancel())
        {
            return false;
        }

        _outbox.Requests.Cancel(this);
        return true;
    }

    public override void Reprioritize(int niceness)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(niceness);
        _outbox.Requests.Reprioritize(this, niceness);
    }

    public override Task WaitForAsync(SentObjectState state, CancellationToken cancellationToken = default)
    {
        OptionRange.Named(state, nameof(state));
        cancellationToken.ThrowIfCancellationRequested();
        if (State >= state)
        {
            return Task.CompletedTask;
        }

        if (Volatile.Read(ref _waiters) is null)
        {
            Interlocked.CompareExchange(ref _waiters, new StateWaiters(), null);
        }

        var reached = _waiters!.WaitAsync(this, state, _outbox.Requests.Continuations);
        return cancellationToken.CanBeCanceled ? reached.WaitAsync(cancellationToken) : reached;
    }

    void ITimed.OnDue(long now) => _outbox.OnDue(this, now);

    /// <summary>
    /// From any thread: the object is to end canceled. False when it has another end, which is decided in the same way: the first counts.
    /// </summary>
    public bool TryRequestCancel() => Interlocked.CompareExchange(ref _decision, CancelRequested, Undecided) == Undecided;

    /// <summary>
    /// Gives it its end, or, where the application has asked for that first, the end of one that is canceled. Once.
    /// </summary>
    /// <returns>True when it is the end that was wanted.</returns>
    public bool Decide(ObjectOutcome outcome, ObjectOutcomeReason reason, PostException? error)
    {
        Debug.Assert(!IsEnded, "An object ends once.");
        var isFirst = Interlocked.Exchange(ref _decision, Decided) == Undecided;
        Outcome = isFirst ? outcome : ObjectOutcome.Canceled;
        Reason = isFirst ? reason : ObjectOutcomeReason.Canceled;
        Error = isFirst ? error : null;
        Phase = OutboundPhase.Ended;
        return isFirst;
    }

    /// <summary>All of it was handed over.</summary>
    public void HandOver()
    {
        Debug.Assert(Phase is OutboundPhase.Sending or OutboundPhase.HandedOver, "Nothing is sent in grace, or after the end.");
        Phase = OutboundPhase.HandedOver;
    }

    /// <summary>What was handed over is void: something of it is to be sent again.</summary>
    public void TakeBack()
    {
        Debug.Assert(Phase is OutboundPhase.Sending or OutboundPhase.HandedOver, "Nothing is sent in grace, or after the end.");
        Phase = OutboundPhase.Sending;
    }

    /// <summary>Its lifetime is over, and all of it was handed over: the receiver may have it.</summary>
    public void BeginGrace()
    {
        Debug.Assert(Phase == OutboundPhase.HandedOver, "What was not handed over has no grace.");
        Phase = OutboundPhase.Grace;
    }

    /// <summary>Its end is to be told; false when it is, or will be, already.</summary>
    public bool TryComplete()
    {
        Debug.Assert(IsEnded, "The end comes before it is told.");
        if (Phase == OutboundPhase.Completed)
        {
            return false;
        }

        Phase = OutboundPhase.Completed;
        return true;
    }

    /// <summary>
    /// The receiver's application has said where it begins. On a later connection that is how far it has come since: the first answer counts.
    /// </summary>
    public void BeginAt(long offset)
    {
        if (!_hasOffset)
        {
            _hasOffset = true;
            Volatile.Write(ref _offset, offset);
        }
    }

    /// <summary>Climbs the ladder that the application sees; true when somebody may wait for that.</summary>
    public bool Reach(SentObjectState state)
    {
        if (State >= state)
        {
            return false;
        }

        Interlocked.Exchange(ref _state, (int)state);
        return _waiters is not null;
    }

    /// <summary>Tells those who wait for a state.</summary>
    public void TellState() => _waiters?.Tell(State);

    /// <summary>Shows the end.</summary>
    public void Publish(Receipt receipt)
    {
        Volatile.Write(ref _receipt, receipt);
        Interlocked.Exchange(ref _state, (int)SentObjectState.Completed);
    }

    /// <summary>Tells those who wait for the end, once it is shown.</summary>
    public void TellEnd()
    {
        Volatile.Read(ref _completion)?.TrySetResult(_receipt!);
        TellState();
    }
}
