using Post.Sockets.Protocol;
using Post.Sockets.Scheduling;

namespace Post.Sockets.Objects;

/// <summary>
/// The objects that arrive: duplicates, budget, antecedents, lifetimes, and what may be handed to the application next. Every id is resolved
/// exactly once, as delivered or as failed. It belongs to the owner of the
/// association, but for what is said to be read from any thread.
/// </summary>
internal sealed partial class Inbox
{
    private readonly Dictionary<long, InboundObject> _arriving = [];
    private readonly IdWindow _ids = new(ProtocolLimits.IdWindowTolerance);
    private readonly AssociationOptions _options;
    private readonly TimerQueue _timers;
    private readonly Clock _clock;
    private readonly PeerTerms _peer;
    private readonly ObjectEffects _effects;
    private readonly InboundReceipts _receipts;
    private long _held;

    public Inbox(
        AssociationOptions options, TimerQueue timers, Clock clock, PeerTerms peer, ObjectEffects effects, IObjectRequests requests)
    {
        _options = options;
        _timers = timers;
        _clock = clock;
        _peer = peer;
        _effects = effects;
        _receipts = new InboundReceipts(effects);
        Requests = requests;
        PipeBytes = Outbox.PipeBytes(options.ReceiveBudget);
        Deliverable = new DeliverableQueue(options, clock, PeerClock);
    }

    public IObjectRequests Requests { get; }

    /// <summary>The id after the highest that was seen.</summary>
    public long NextUnseen { get; private set; }

    /// <summary>Objects ready for the application.</summary>
    public DeliverableQueue Deliverable { get; }

    /// <summary>Bytes held for the application, in whatever state. From any thread.</summary>
    public long Held => Volatile.Read(ref _held);

    /// <summary>What the pipe of an incremental object holds before the transport's flow control slows the sender.</summary>
    public long PipeBytes { get; }

    /// <summary>Receipts say that the application has dealt with an object, not that it has it.</summary>
    public bool WaitsForProcessing => _options.ReceiptLevel == ReceiptLevel.Processed;

    /// <summary>By which the lifetimes of what arrives are judged.</summary>
    public PeerClock PeerClock { get; } = new();

    /// <summary>There is a connection, and there has been for so long that whatever was sent before it could have come again.</summary>
    public Func<bool> IsConnectedForLong { get; set; } = static () => true;

    public TimeSpan Remaining(long expiresAt)
    {
        if (expiresAt == Clock.Never)
        {
            return Timeout.InfiniteTimeSpan;
        }

        var left = _clock.Span(expiresAt - _clock.Now);
        return left < TimeSpan.Zero ? TimeSpan.Zero : left;
    }

    /// <summary>Whether a copy of an object goes on with what an earlier connection has brought.</summary>
    public bool IsUnfinished(long id) => _arriving.TryGetValue(id, out var known) && known is { IsResumed: true, Phase: InboundPhase.Arriving };

    /// <summary>
    /// A header came, and reached the machine at that time at the latest. Takes the object in; or says with which code to stop its stream (a datagram is dropped); or with which code to close.
    /// </summary>
    public InboundObject? Begin(
        in ObjectHeader header, object? stream, long arrivedAt, bool isEarly, bool isWhole, out PostErrorCode stop, out PostErrorCode violation)
    {
        stop = PostErrorCode.NoError;
        violation = PostErrorCode.NoError;
        var id = header.Id;
        if (id >= _ids.Ceiling)
        {
            violation = PostErrorCode.IdError;
            return null;
        }

        See(id);
        if (_arriving.TryGetValue(id, out var known) && known is { IsResumed: true, Phase: InboundPhase.Arriving, Stream: null } && stream is not null)
        {
            return GoOn(known, header, stream, out violation);
        }

        if (known is not null || _ids.IsResolved(id))
        {
            stop = PostErrorCode.Duplicate;
            _receipts.GiveAgain(id);
            return null;
        }

        if (header.Offset > 0)
        {
            // Nothing of it is here, and nobody has said so.
            violation = PostErrorCode.OffsetError;
            return null;
        }

        if (isEarly && stream is null && (header.Treatment & ObjectFlags.SafeToReplay) == 0)
        {
            // Only what is safe to replay may come before the handshake is complete. A stream waits for that; a datagram is not kept.
            Resolve(id, failed: true, ReceiptStatus.Refused, 0, false);
            return null;
        }

        // What the sender waits with is worth asking the application about, whatever its size.
        var asks = header.AsksForStart;
        var isIncremental = stream is not null && (asks ? _options.Incremental != IncrementalDelivery.Never : !isWhole && _options.Incremental switch
        {
            IncrementalDelivery.Always => true,
            IncrementalDelivery.WhenLarge => header.PayloadLength < 0 || header.PayloadLength > _options.MaxWholeObjectSize,
            _ => false,
        });
        if (!isIncremental && header.PayloadLength > _options.MaxWholeObjectSize)
        {
            stop = PostErrorCode.TooLarge;
            Resolve(id, failed: true, ReceiptStatus.TooLarge, 0, false);
            return null;
        }

        if (header.Antecedents.Length > _options.MaxAntecedents || _held + Outbox.Overhead > _options.ReceiveBudget)
        {
            stop = PostErrorCode.ReceiverLimit;
            Resolve(id, failed: true, ReceiptStatus.ReceiverLimit, 0, false);
            return null;
        }

        var now = _clock.Now;
        var expiresAt = Clock.Never;
        if (header.Lifetime >= 0)
        {
            PeerClock.OnSample(header.SentAt, _clock.Microseconds(arrivedAt));
            expiresAt = EndOf(header.SentAt, header.Lifetime, now);
        }

        if (expiresAt <= now)
        {
            stop = PostErrorCode.Expired;
            Resolve(id, failed: true, ReceiptStatus.Expired, 0, false);
            return null;
        }

        var item = new InboundObject(this, header, stream, isEarly, expiresAt, isIncremental);
        item.Charge = Outbox.Overhead + item.HeaderBytes + item.PipeBytes;
        if (!LinkAntecedents(item, header.Antecedents, out stop))
        {
            return null;
        }

        _held += item.Charge;
        _arriving.Add(id, item);
        if (asks && !isIncremental && item.TrySayStart())
        {
            StartAt(item, 0);
        }

        if (expiresAt != Clock.Never)
        {
            _timers.Set(item, expiresAt);
        }
        else if (item.WaitsFor is not null)
        {
            _timers.Set(item, now + _clock.Units(_options.AntecedentTimeout));
        }

        return item;
    }

    /// <summary>Bytes of an object came; false when it is not wanted any more.</summary>
    public bool TryCharge(InboundObject item, int bytes)
    {
        if (item.IsGone)
        {
            return false;
        }

        // The timer may come late, as after a stall: what is shown piece by piece is judged piece by piece.
        if (item.ExpiresAt != Clock.Never && IsExpired(item, _clock.Now))
        {
            Fail(item, ReceiptStatus.Expired, PostErrorCode.Expired);
            return false;
        }

        item.Received += bytes;
        if (item.IsIncremental)
        {
            // Its pipe is bounded, and the reader waits for it.
            return true;
        }

        Recharge(item);
        if (item.Received > _options.MaxWholeObjectSize)
        {
            Fail(item, ReceiptStatus.TooLarge, PostErrorCode.TooLarge);
            return false;
        }

        if (_held > _options.ReceiveBudget)
        {
            Fail(item, ReceiptStatus.ReceiverLimit, PostErrorCode.ReceiverLimit);
            return false;
        }

        return true;
    }

    /// <summary>The memory of an object has grown, or shrunk.</summary>
    public void Recharge(InboundObject item)
    {
        if (item is { IsGone: false, IsIncremental: false })
        {
            item.ChargedCapacity = item.Capacity;
            var charge = Outbox.Overhead + item.HeaderBytes + Math.Max(item.Received, item.Capacity);
            _held += charge - item.Charge;
            item.Charge = charge;
        }
    }

    /// <summary>All bytes of an object are here.</summary>
    public void OnComplete(InboundObject item)
    {
        item.Stream = null;
        if (item.IsGone)
        {
            return;
        }

        item.Complete();
        Recharge(item);

        if (item.IsIncremental && item.IsHanded)
        {
            FinishHanded(item);
        }
        else
        {
            OfferIfReady(item);
        }
    }

    /// <summary>The peer reset the stream of an object that is not whole.</summary>
    public void OnReset(InboundObject item, object stream)
    {
        if (item.Phase == InboundPhase.Arriving && item.Stream == stream)
        {
            item.HasReceipt = true;
            Fail(item, null, null);
        }
    }

    /// <summary>The peer says that ids will never come; an error when it names impossible ones.</summary>
    public PostErrorCode OnAbandon(long first, long last)
    {
        if (last >= _ids.Ceiling)
        {
            return PostErrorCode.IdError;
        }

        See(last);

        // Only ids that somebody knows of need work, so a wide range costs no more than what we hold.
        var count = last - first + 1;
        if (count <= _arriving.Count + _waitingFor.Count)
        {
            for (var id = first; id <= last; id++)
            {
                Abandon(id);
            }
        }
        else
        {
            foreach (var id in _arriving.Keys.Union(_waitingFor.Keys).Where(id => id >= first && id <= last).ToArray())
            {
                Abandon(id);
            }

            // Every known id was dealt with above, and each is resolved by now: the rest is a matter of bits.
            _ids.FailRange(first, last);
        }

        return PostErrorCode.NoError;
    }

    /// <summary>The lifetime of an object, or its patience with an antecedent, is over.</summary>
    public void OnDue(InboundObject item)
    {
        if (item.ExpiresAt <= _clock.Now)
        {
            Fail(item, ReceiptStatus.Expired, PostErrorCode.Expired);
            return;
        }

        if (item.WaitsFor is null)
        {
            return;
        }

        // While the connection is lost nothing can come, and a while after that it could not yet have.
        if (IsConnectedForLong() && item.WaitsFor.Exists(id => !_arriving.ContainsKey(id)))
        {
            _effects.WarnOfAntecedent(item);
            Fail(item, ReceiptStatus.ReceiverLimit, PostErrorCode.ReceiverLimit);
        }
        else
        {
            _timers.Set(item, _clock.Now + _clock.Units(_options.AntecedentTimeout));
        }
    }

    /// <summary>The association is over: what is not whole never will be. What is whole can still be taken.</summary>
    public void OnClosed()
    {
        foreach (var item in _arriving.Values.ToArray())
        {
            if (!item.IsComplete || item.Custody == Custody.Held)
            {
                item.HasReceipt = true;
                Fail(item, null, null);
            }
        }
    }

    /// <summary>
    /// An object will not be delivered. Gives the receipt, stops the stream, resolves the id; the memory follows when the reader has let go.
    /// </summary>
    public void Fail(InboundObject item, ReceiptStatus? receipt, PostErrorCode? stop)
    {
        if (!LetGo(item, stop))
        {
            return;
        }

        var hasReceipt = item.HasReceipt;
        item.HasReceipt = true;
        Resolve(item.Id, failed: true, hasReceipt ? null : receipt, item.Came, item.WantsReceiptAtOnce);
    }

    /// <summary>Gives an object up, unless it is gone already, or the application has all of it.</summary>
    private bool LetGo(InboundObject item, PostErrorCode? stop)
    {
        if (item.IsGone || (!Deliverable.TryRemove(item) && item.IsComplete))
        {
            return false;
        }

        if (stop is { } code && item is { Stream: { } stream, Phase: InboundPhase.Arriving })
        {
            item.StopCode = code;
            _effects.StopReading(stream, code);
        }

        item.GiveUp();
        Uncharge(item);
        if (!item.IsReading)
        {
            _effects.Discard(item);
        }

        return true;
    }

    /// <summary>Whether the lifetime of an object is over, as far as is known by now of the peer's clock.</summary>
    private bool IsExpired(InboundObject item, long now)
    {
        if (item.ExpiresAt == Clock.Never)
        {
            return false;
        }

        // Lowered where a later sample has shown that what came before was older than it seemed.
        item.ExpiresAt = item.EndOfLifetime(PeerClock, _clock);
        return item.ExpiresAt <= now;
    }

    private long EndOf(long sentAt, long lifetime, long now) =>
        _clock.FromMicroseconds(PeerClock.EndOf(sentAt, lifetime, _clock.Microseconds(now)));

    private void Abandon(long id)
    {
        if (_arriving.TryGetValue(id, out var item))
        {
            // The sender has given it an end already: no receipt.
            if (!item.IsHanded || !item.IsComplete)
            {
                item.HasReceipt = true;
                Fail(item, null, PostErrorCode.Expired);
            }
        }
        else
        {
            Resolve(id, failed: true, null, 0, false);
        }
    }

    private void See(long id)
    {
        NextUnseen = Math.Max(NextUnseen, id + 1);
        _receipts.OnSeen(NextUnseen);
    }

    private void Uncharge(InboundObject item)
    {
        _timers.Cancel(item);
        _held -= item.Charge;
        item.Charge = 0;
    }
}
