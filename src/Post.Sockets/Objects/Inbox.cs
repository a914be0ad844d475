using System.IO.Pipelines;
using Post.Sockets.Associations;
using Post.Sockets.Associations.Sending;
using Post.Sockets.Diagnostics;
using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets.Objects;

/// <summary>
/// The objects that arrive: duplicates, budget, antecedents, lifetimes, and what may be handed to the application next. Every id is resolved
/// exactly once, as delivered or as failed. Everything happens under the association's lock.
/// </summary>
internal sealed partial class Inbox(AssociationCore core)
{
    private readonly Dictionary<long, InboundObject> _arriving = [];
    private readonly DeliverableQueue _deliverable = new(core);
    private readonly InboundReceipts _receipts = new(core);
    private readonly IdWindow _ids = new(ProtocolLimits.IdWindowTolerance);
    private long _held;

    /// <summary>The id after the highest that was seen.</summary>
    public long NextUnseen { get; private set; }

    /// <summary>Objects ready for the application.</summary>
    public DeliverableQueue Deliverable => _deliverable;

    /// <summary>What is to be thrown away.</summary>
    public InboundDiscards Discards { get; } = new(core);

    /// <summary>Bytes held for the application, in whatever state.</summary>
    public long Held => _held;

    /// <summary>What the pipe of an incremental object holds before the transport's flow control slows the sender.</summary>
    public long PipeBytes { get; } = Outbox.PipeBytes(core.Options.ReceiveBudget);

    /// <summary>By which the lifetimes of what arrives are judged.</summary>
    public PeerClock PeerClock { get; } = new();

    public PipeScheduler PipeScheduler => core.PipeScheduler;

    public TimeSpan Remaining(long expiresAt)
    {
        if (expiresAt == TransportPriority.NoDeadline)
        {
            return Timeout.InfiniteTimeSpan;
        }

        var left = core.Clock.Span(expiresAt - core.Clock.Now);
        return left < TimeSpan.Zero ? TimeSpan.Zero : left;
    }

    public PostPath? PathOf(InboundObject item)
    {
        // With several paths no transport says which one brought the bytes of a stream.
        _ = item;
        var paths = core.Paths;
        return paths.Count == 1 ? paths[0] : null;
    }

    /// <summary>
    /// A header came, and reached the machine at that time at the latest. Takes the object in; or says with which code to stop its stream (a datagram is dropped); or with which code to close.
    /// </summary>
    public InboundObject? Begin(
        in ObjectHeader header, TransportStream? stream, long arrivedAt, bool isEarly, bool isWhole, out PostErrorCode stop, out PostErrorCode violation)
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
        if (_arriving.TryGetValue(id, out var known) && known is { IsResumed: true, IsComplete: false, Stream: null } && stream is not null)
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
        var isIncremental = stream is not null && (asks ? core.Options.Incremental != IncrementalDelivery.Never : !isWhole && core.Options.Incremental switch
        {
            IncrementalDelivery.Always => true,
            IncrementalDelivery.WhenLarge => header.PayloadLength < 0 || header.PayloadLength > core.Options.MaxWholeObjectSize,
            _ => false,
        });
        if (!isIncremental && header.PayloadLength > core.Options.MaxWholeObjectSize)
        {
            stop = PostErrorCode.TooLarge;
            Resolve(id, failed: true, ReceiptStatus.TooLarge, 0, false);
            return null;
        }

        if (header.Antecedents.Length > core.Options.MaxAntecedents || _held + Outbox.Overhead > core.Options.ReceiveBudget)
        {
            stop = PostErrorCode.ReceiverLimit;
            Resolve(id, failed: true, ReceiptStatus.ReceiverLimit, 0, false);
            return null;
        }

        var now = core.Clock.Now;
        var expiresAt = TransportPriority.NoDeadline;
        if (header.Lifetime >= 0)
        {
            PeerClock.OnSample(header.SentAt, core.Clock.Microseconds(arrivedAt));
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
        if (asks && !isIncremental)
        {
            StartAt(item, 0);
        }

        if (expiresAt != TransportPriority.NoDeadline)
        {
            core.Timers.Set(item, expiresAt);
        }
        else if (item.WaitsFor is not null)
        {
            core.Timers.Set(item, now + core.Clock.Units(core.Options.AntecedentTimeout));
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
        if (item.ExpiresAt != TransportPriority.NoDeadline && IsExpired(item, core.Clock.Now))
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
        if (item.Received > core.Options.MaxWholeObjectSize)
        {
            Fail(item, ReceiptStatus.TooLarge, PostErrorCode.TooLarge);
            return false;
        }

        if (_held > core.Options.ReceiveBudget)
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
        item.IsComplete = true;
        item.Stream = null;
        Recharge(item);
        if (item.IsGone)
        {
            return;
        }

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
    public void OnReset(InboundObject item, TransportStream stream)
    {
        if (!item.IsGone && !item.IsComplete && item.Stream == stream)
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
        if (item.ExpiresAt <= core.Clock.Now)
        {
            Fail(item, ReceiptStatus.Expired, PostErrorCode.Expired);
            return;
        }

        if (item.WaitsFor is null)
        {
            return;
        }

        // While the connection is lost nothing can come, and a while after that it could not yet have.
        if (core.Carrier is not null && core.ConnectedFor >= core.Clock.Units(core.Options.AntecedentTimeout)
            && item.WaitsFor.Exists(id => !_arriving.ContainsKey(id)))
        {
            core.Log.AntecedentNeverCame(item.Id);
            Fail(item, ReceiptStatus.ReceiverLimit, PostErrorCode.ReceiverLimit);
        }
        else
        {
            core.Timers.Set(item, core.Clock.Now + core.Clock.Units(core.Options.AntecedentTimeout));
        }
    }

    /// <summary>The association is over: what is not whole never will be. What is whole can still be taken.</summary>
    public void OnClosed(PostException? error)
    {
        _ = error;
        foreach (var item in _arriving.Values.ToArray())
        {
            if (!DeliverableQueue.Contains(item) || !item.IsComplete)
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
        if (item.IsGone)
        {
            return;
        }

        item.IsGone = true;
        _deliverable.Remove(item);
        Uncharge(item);
        if (stop is { } code && item is { Stream: { } stream, IsComplete: false })
        {
            item.StopCode = code;
            core.Later(new TransportAction(TransportActionKind.StopReading, stream, code));
        }

        var hasReceipt = item.HasReceipt;
        item.HasReceipt = true;
        if (!item.IsReading)
        {
            Discards.Add(item);
        }

        Resolve(item.Id, failed: true, hasReceipt ? null : receipt, item.Came, item.WantsReceiptAtOnce);
    }

    /// <summary>Whether the lifetime of an object is over, as far as is known by now of the peer's clock.</summary>
    private bool IsExpired(InboundObject item, long now)
    {
        if (item.ExpiresAt == TransportPriority.NoDeadline)
        {
            return false;
        }

        // Lowered where a later sample has shown that what came before was older than it seemed.
        item.ExpiresAt = Math.Min(item.ExpiresAt, EndOf(item.SentAt, item.Lifetime, now));
        return item.ExpiresAt <= now;
    }

    private long EndOf(long sentAt, long lifetime, long now) =>
        core.Clock.FromMicroseconds(PeerClock.EndOf(sentAt, lifetime, core.Clock.Microseconds(now)));

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
        core.Timers.Cancel(item);
        _held -= item.Charge;
        item.Charge = 0;
    }
}
