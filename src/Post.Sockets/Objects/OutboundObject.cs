using Post.Sockets.Associations.Sending;
using Post.Sockets.Scheduling;
using Post.Sockets.Transport;

namespace Post.Sockets.Objects;

/// <summary>
/// A sent object and all that is known of it. Its fields belong to the association's lock; the rules that change them stand in
/// <see cref="Outbox"/>, the sending in <see cref="SendPump"/>.
/// </summary>
internal sealed class OutboundObject : SentObject, ITimed
{
    private readonly Outbox _outbox;
    private TaskCompletionSource<Receipt>? _completion;
    private List<(SentObjectState State, TaskCompletionSource Source)>? _waiters;
    private volatile Receipt? _receipt;
    private int _state;
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
        HeldBytes = HeldBytesOf(memory, source, properties);

        // Sent once means: the lifetime bounds the wait to be sent, like any other.
        Entry = new SendEntry(this, properties.Niceness, deadline, id);
    }

    public override SentObjectState State => (SentObjectState)Volatile.Read(ref _state);

    public override Receipt? Receipt => _receipt;

    public override long BytesSent => Math.Max(Volatile.Read(ref Transit.PayloadTaken), IsEnded ? HandedBefore : 0);

    public override long Offset => Volatile.Read(ref _offset);

    public override long? Length => Source is null ? Memory.Length : Source.Length;

    public override Task<Receipt> Completion
    {
        get
        {
            lock (_outbox.Gate)
            {
                if (_receipt is { } receipt)
                {
                    return _completion?.Task ?? Task.FromResult(receipt);
                }

                _completion ??= new TaskCompletionSource<Receipt>(_outbox.Continuations);
                return _completion.Task;
            }
        }
    }

    /// <summary>The payload, where it lies in one piece.</summary>
    public ReadOnlyMemory<byte> Memory { get; }

    /// <summary>Where else the payload comes from.</summary>
    public ObjectSource? Source { get; }

    public Outbox Box => _outbox;

    /// <summary>Its dependents know that they need not wait for it any more.</summary>
    public bool HasReleased { get; set; }

    public long SentAt { get; }

    /// <summary>The end of the lifetime; <see cref="TransportPriority.NoDeadline"/> for infinite.</summary>
    public long ExpiresAt { get; }

    public bool IsPerishable => ExpiresAt != TransportPriority.NoDeadline;

    /// <summary>The reason, where its lifetime ran out on this side.</summary>
    public ObjectOutcomeReason ReasonInTime => Transit.IsVisible || WasVisible ? ObjectOutcomeReason.InFlight : ObjectOutcomeReason.BeforeSent;

    public SendEntry Entry { get; }

    /// <summary>The object's own niceness, without what it inherits.</summary>
    public int Niceness { get; set; }

    /// <summary>Its way over the present connection.</summary>
    public Transit Transit;

    /// <summary>From which byte on it goes over the present connection.</summary>
    public OutboundStart Start;

    public bool IsDurable => !Properties.DurableId.IsEmpty;

    /// <summary>How far into it something was handed over on any connection: the receiver cannot hold more.</summary>
    public long Handed => Math.Max(HandedBefore, Transit.PayloadTaken);

    /// <summary>The same, of earlier connections.</summary>
    public long HandedBefore { get; set; }

    /// <summary>The antecedents that have no end yet; null when there were none.</summary>
    public OutboundObject[]? Antecedents { get; set; }

    /// <summary>Antecedents that are not yet sent whole: only after them may this object go.</summary>
    public int Unsent { get; set; }

    /// <summary>Objects that name this one as antecedent.</summary>
    public List<OutboundObject>? Dependents { get; set; }

    /// <summary>The end, from the moment it is decided; it is published once the transport lets go of the memory.</summary>
    public ObjectOutcome? End { get; set; }

    public ObjectOutcomeReason EndReason { get; set; }

    public PostException? Error { get; set; }

    public bool IsEnded => End is not null;

    /// <summary>Its end is published, or about to be.</summary>
    public bool IsPublishing { get; set; }

    /// <summary>Its end was published while its source was asked for bytes; the source is released when it has answered.</summary>
    public bool IsReleasePending { get; set; }

    /// <summary>It shall travel as a stream, on whatever connection: the receiver may have begun it on one.</summary>
    public bool NeedsStream { get; set; }

    /// <summary>It was visible on an earlier connection: the receiver may know of it, and may speak of it.</summary>
    public bool WasVisible { get; set; }

    /// <summary>A write is under way; the transport reads from our memory.</summary>
    public bool IsWriting { get; set; }

    /// <summary>We wait for the source to have more.</summary>
    public bool IsWaitingForSource { get; set; }

    /// <summary>It passed its deadline with all bytes out: the receiver has until the grace ends to tell.</summary>
    public bool IsInGrace { get; set; }

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
    public long HeldBytes { get; }

    public System.Diagnostics.Activity? Activity { get; set; }

    int ITimed.TimerIndex { get; set; } = -1;

    /// <summary>The rank as the transport shall see it.</summary>
    public TransportPriority Priority =>
        new(Entry.Class, Entry.Deadline, Entry.Deadline == TransportPriority.NoDeadline && IsLarge, Id);

    /// <summary>Large enough to take turns with its equals.</summary>
    public bool IsLarge => !(Length <= Outbox.LargeObject);

    /// <summary>What an object holds until its end: bytes that are copied or borrowed, or read ahead from their source.</summary>
    public static long HeldBytesOf(ReadOnlyMemory<byte> memory, ObjectSource? source, ObjectProperties properties) =>
        (source?.HeldBytes ?? memory.Length) + properties.Metadata.Length;

    public override bool Cancel() => _outbox.Cancel(this);

    public override void Reprioritize(int niceness)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(niceness);
        _outbox.Reprioritize(this, niceness);
    }

    public override Task WaitForAsync(SentObjectState state, CancellationToken cancellationToken = default)
    {
        OptionRange.Named(state, nameof(state));
        cancellationToken.ThrowIfCancellationRequested();
        TaskCompletionSource source;
        lock (_outbox.Gate)
        {
            if (State >= state)
            {
                return Task.CompletedTask;
            }

            source = new TaskCompletionSource(_outbox.Continuations);
            (_waiters ??= []).Add((state, source));
        }

        return source.Task.WaitAsync(cancellationToken);
    }

    void ITimed.OnDue(long now) => _outbox.OnDue(this, now);

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

    /// <summary>Climbs the ladder; under the lock. Returns whether somebody waits for that.</summary>
    public bool Reach(SentObjectState state)
    {
        if (State >= state)
        {
            return false;
        }

        Volatile.Write(ref _state, (int)state);
        return _waiters is not null;
    }

    /// <summary>Sets the receipt; under the lock.</summary>
    public void Publish(Receipt receipt)
    {
        _receipt = receipt;
        Volatile.Write(ref _state, (int)SentObjectState.Completed);
    }

    /// <summary>Tells those who wait; outside the lock.</summary>
    public void Notify()
    {
        TaskCompletionSource<Receipt>? completion;
        List<TaskCompletionSource>? reached = null;
        lock (_outbox.Gate)
        {
            completion = _receipt is null ? null : _completion;
            for (var i = (_waiters?.Count ?? 0) - 1; i >= 0; i--)
            {
                if (_waiters![i].State <= State)
                {
                    (reached ??= []).Add(_waiters[i].Source);
                    _waiters.RemoveAt(i);
                }
            }
        }

        if (reached is not null)
        {
            foreach (var source in reached)
            {
                source.TrySetResult();
            }
        }

        completion?.TrySetResult(_receipt!);
    }
}
