using System.Buffers;
using Post.Sockets.Associations.Connections;
using Post.Sockets.Associations.Streams;
using Post.Sockets.Objects;
using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Sending;

/// <summary>
/// Moves bytes from what is scheduled to the connection that there is. Only the association's pump runs it, so it is serial; decisions are
/// taken under the lock, and the transport and the sources of objects are called outside of it.
/// </summary>
internal sealed class SendPump
{
    /// <summary>Up to here, payload is copied behind the header so that a small object is one write.</summary>
    public const int CopyLimit = 16 * 1024;

    private const int MaxPooledWrites = 256;

    private readonly Stack<StreamWrite> _writes = new();
    private readonly AssociationCore _core;
    private readonly OutboundFraming _framing;
    private readonly DatagramSender _datagrams;
    private readonly SourceFeeder _sources;
    private StreamWrite? _completed;
    private long _window = 64 * 1024;
    private int _chunk = 16 * 1024;

    public SendPump(AssociationCore core)
    {
        _core = core;
        _framing = new OutboundFraming(core);
        _datagrams = new DatagramSender(core, this, _framing);
        _sources = new SourceFeeder(core, this);
    }

    public int Chunk => _chunk;

    /// <summary>Fits the window to the measurements; under the lock.</summary>
    public void Tune(TransportCapabilities capabilities, in TransportStatistics statistics)
    {
        _window = Scheduling.SendWindow.Bytes(capabilities, statistics);
        _chunk = Scheduling.SendWindow.Chunk(_window);
    }

    /// <summary>A write completed; from any thread.</summary>
    public void Completed(StreamWrite write)
    {
        lock (_core.Gate)
        {
            write.Next = _completed;
            _completed = write;
        }

        _core.Wake();
    }

    /// <summary>Sends until nothing can be sent.</summary>
    public void Run()
    {
        FinishCompleted();
        while (true)
        {
            SendStep step;
            Carrier? carrier;
            StreamWrite? write;
            OutboundObject? item;
            int size;
            lock (_core.Gate)
            {
                carrier = _core.Carrier;
                step = carrier is null ? Idle(out item, out write, out size) : Decide(carrier, out item, out write, out size);
            }

            switch (step)
            {
                case SendStep.None:
                    return;
                case SendStep.Write:
                    StartWrite(write!);
                    break;
                case SendStep.Open:
                    carrier!.Supply.Open(item!);
                    break;
                case SendStep.Feed:
                    _sources.Feed(item!);
                    break;
                case SendStep.Datagram:
                    _datagrams.Send(carrier!, item!, size);
                    break;
            }
        }
    }

    /// <summary>
    /// What was handed over of an object is void, since the connection is gone or did not take early data: it begins anew as soon as nobody
    /// uses its bytes any more. Under the lock.
    /// </summary>
    public void StartAnew(OutboundObject item)
    {
        if (item.IsEnded)
        {
            return;
        }

        if (item.Source is { CanRewind: false } && item.Transit.IsVisible)
        {
            _core.Outbox.End(
                item,
                ObjectEnd.Failed,
                ObjectEndReason.ConnectionLost,
                new PostException(
                    PostErrorReason.ConnectionLost,
                    $"The connection was lost when part of object {item.Id} had gone, and what it is read from can be read only once. Send "
                    + "from memory or from a stream that can seek, and the object outlives its connection."));
            return;
        }

        if (item is { Properties.Retransmit: false, Transit: { IsDatagram: true, IsVisible: true } })
        {
            _core.Outbox.End(item, ObjectEnd.Expired, ObjectEndReason.InFlight, abandon: AbandonReason.Lost);
            return;
        }

        _core.Scheduler.StartOver(item.Entry);
        item.Transit.IsVoid = true;
        if (!item.IsWriting)
        {
            Restart(item);
        }
    }

    /// <summary>Nobody uses the object's memory any more; false when there is nothing more to be done with it now.</summary>
    public bool LetGo(OutboundObject item)
    {
        item.IsWriting = false;
        if (item.IsEnded)
        {
            if (item.Transit.Stream is { } stream)
            {
                _core.Later(new TransportAction(TransportActionKind.Dispose, stream));
            }

            _core.PublishLater(item);
            return false;
        }

        if (item.Transit.IsVoid)
        {
            Restart(item);
            return false;
        }

        return true;
    }

    /// <summary>The first bytes of an object, with its header before them. Under the lock.</summary>
    public StreamWrite PrepareFirst(OutboundObject item, ReadOnlySpan<byte> payload, bool isLast, bool fromSource)
    {
        var header = _framing.HeaderOf(item);
        var length = header.Length();
        item.Transit.HeaderLength = length;
        var copied = Math.Min(payload.Length, CopyLimit);
        var rented = ArrayPool<byte>.Shared.Rent(length + copied);
        header.Write(rented);
        payload[..copied].CopyTo(rented.AsSpan(length));
        return Prepare(item, rented.AsMemory(0, length + copied), rented, copied, fromSource ? copied : 0, isLast && copied == payload.Length);
    }

    /// <summary>The next bytes of an object. Under the lock.</summary>
    public StreamWrite Prepare(
        OutboundObject item, ReadOnlyMemory<byte> bytes, byte[]? rented, int payload, int fromSource, bool isEnd)
    {
        item.Transit.IsVisible = true;
        item.Transit.IsEarly |= _core.Carrier is { IsHandshakeCompleted: false };
        _core.Outbox.OnTaken(item, payload);
        _core.Scheduler.Serve(item.Entry, bytes.Length);
        var write = Rent();
        write.Set(item.Entry, item.Transit.Stream!, bytes, rented, payload, fromSource, isEnd);
        _core.Scheduler.Class(write.Class).Outstanding += bytes.Length;
        return write;
    }

    public void StartWrite(StreamWrite write)
    {
        if (write.Start())
        {
            Finish(write);
        }
    }

    private static SendStep Idle(out OutboundObject? item, out StreamWrite? write, out int size)
    {
        item = null;
        write = null;
        size = 0;
        return SendStep.None;
    }

    private SendStep Decide(Carrier carrier, out OutboundObject? item, out StreamWrite? write, out int size)
    {
        _ = Idle(out item, out write, out size);
        if (_core.IsClosed || carrier.IsOver)
        {
            return SendStep.None;
        }

        var startedOnly = false;
        while (true)
        {
            var entry = _core.Scheduler.Peek(startedOnly);
            if (entry is null || _core.Scheduler.OutstandingUpTo(entry.Class) >= _window)
            {
                // What is less urgent has at least as much before it: nothing can go.
                return SendStep.None;
            }

            if (entry.Owner is StreamSender sender)
            {
                write = PrepareStream(sender);
                return SendStep.Write;
            }

            item = (OutboundObject)entry.Owner;
            if (item.Transit.IsVoid)
            {
                // The lost connection still holds its bytes; it comes back when they are let go of.
                _core.Scheduler.Remove(entry);
                continue;
            }

            if (EndIfHopeless(item))
            {
                continue;
            }

            if (!item.Transit.IsVisible && !carrier.IsHandshakeCompleted && !MayGoEarly(item))
            {
                _core.Scheduler.Remove(entry);
                carrier.WaitForHandshake(item);
                continue;
            }

            if (!entry.IsStarted)
            {
                if (!_core.Admission.TryShare(item) || !_core.Admission.TryCountAsWaiting(item))
                {
                    continue;
                }

                if (item.Credit == 0 && !_core.Admission.TryTakeCredit(item))
                {
                    startedOnly = true;
                    continue;
                }
            }

            if (_framing.IsForDatagram(carrier, item, out size))
            {
                if (carrier.Datagrams.IsFull)
                {
                    return SendStep.None;
                }

                _core.Scheduler.Serve(entry, size);
                item.IsWriting = true;
                return SendStep.Datagram;
            }

            if (item.Transit.Stream is null && carrier.Supply.IsWaiting)
            {
                if (entry.IsStarted)
                {
                    // A datagram that proved too large to be sent again as one.
                    _core.Scheduler.Remove(entry);
                    carrier.Supply.Wait(item);
                }

                startedOnly = true;
                continue;
            }

            _core.Scheduler.Remove(entry);
            item.IsWriting = true;
            if (item.Transit.Stream is null)
            {
                return SendStep.Open;
            }

            if (item.Source is not null)
            {
                return SendStep.Feed;
            }

            write = PrepareMemory(item);
            return SendStep.Write;
        }
    }

    private bool EndIfHopeless(OutboundObject item)
    {
        if (item.Length is { } length && length > _core.Peer.MaxObjectSize)
        {
            return _core.Outbox.End(item, ObjectEnd.Rejected, ObjectEndReason.TooLarge, abandon: AbandonReason.Canceled);
        }

        if (item.Transit.PayloadTaken > _core.Peer.MaxObjectSize)
        {
            return _core.Outbox.End(item, ObjectEnd.Rejected, ObjectEndReason.TooLarge, abandon: AbandonReason.Canceled);
        }

        if (item.Antecedents?.Length > _core.Peer.MaxAntecedents && !item.Transit.IsVisible)
        {
            return _core.Outbox.End(item, ObjectEnd.Rejected, ObjectEndReason.ReceiverLimit, abandon: AbandonReason.Canceled);
        }

        if (!item.IsPerishable)
        {
            return false;
        }

        var now = _core.Clock.Now;
        if (now >= item.ExpiresAt)
        {
            return _core.Outbox.End(item, ObjectEnd.Expired, item.ReasonInTime, abandon: AbandonReason.Expired);
        }

        // Bytes that would arrive too late only delay those that would not.
        return now + _core.HalfRtt >= item.ExpiresAt
            && _core.Outbox.End(item, ObjectEnd.Expired, ObjectEndReason.TooLate, abandon: AbandonReason.TooLate);
    }

    private static bool MayGoEarly(OutboundObject item) =>
        item.Properties.SafeToReplay && (item.Source is null || item.Source.CanRewind);

    private StreamWrite PrepareMemory(OutboundObject item)
    {
        if (!item.Transit.IsVisible)
        {
            return PrepareFirst(item, item.Memory.Span, item.Memory.Length <= CopyLimit, fromSource: false);
        }

        var taken = (int)item.Transit.PayloadTaken;
        var length = Math.Min(item.Memory.Length - taken, _chunk);
        return Prepare(item, item.Memory.Slice(taken, length), null, length, 0, taken + length == item.Memory.Length);
    }

    private StreamWrite PrepareStream(StreamSender sender)
    {
        var bytes = sender.Take(_chunk, _core.Clock.Now, out var isEnd);
        _core.Scheduler.Serve(sender.Entry, bytes.Length);
        var write = Rent();
        write.Set(sender.Entry, sender.Stream, bytes, null, bytes.Length, 0, isEnd);
        _core.Scheduler.Class(write.Class).Outstanding += bytes.Length;
        return write;
    }

    private void FinishCompleted()
    {
        StreamWrite? write;
        lock (_core.Gate)
        {
            write = _completed;
            _completed = null;
        }

        while (write is not null)
        {
            var next = write.Next;
            Finish(write);
            write = next;
        }
    }

    private void Finish(StreamWrite write)
    {
        if (write.FromSource > 0 && write.Entry.Owner is OutboundObject { Source: { } source })
        {
            source.Advance(write.FromSource);
        }

        StreamSender? sender;
        lock (_core.Gate)
        {
            _core.Scheduler.ReleaseOutstanding(write.Class, write.Bytes.Length);
            sender = write.Entry.Owner as StreamSender;
            if (sender is null)
            {
                FinishObject((OutboundObject)write.Entry.Owner, write);
            }
            else
            {
                sender.OnWritten(write.Bytes.Length, write.Result, write.Error, _core.Clock.Now);
            }

            write.Clear();
            if (_writes.Count < MaxPooledWrites)
            {
                _writes.Push(write);
            }
        }

        sender?.Notify();
    }

    private void FinishObject(OutboundObject item, StreamWrite write)
    {
        item.Transit.IsHeaderOut |= write is { Error: null, Result.IsStopped: false };
        if (!LetGo(item))
        {
            return;
        }

        if (write.Error is { Reason: TransportErrorReason.EarlyDataRejected })
        {
            StartAnew(item);
        }
        else if (write.Error is not null)
        {
            // The connection has ended. Its event is on the way and decides: the object fails, or waits for the next one.
        }
        else if (write.Result.IsStopped)
        {
            _core.Reports.OnStopped(item, (PostErrorCode)write.Result.StopCode);
        }
        else if (write.IsEnd)
        {
            _core.Outbox.OnAllTaken(item);
        }
        else
        {
            _core.Scheduler.Add(item.Entry);
        }
    }

    private void Restart(OutboundObject item)
    {
        _core.Scheduler.StartOver(item.Entry);
        _core.Outbox.ReleaseDatagram(item);
        if (item.Transit.Stream is { } stream)
        {
            _core.Later(new TransportAction(TransportActionKind.Dispose, stream));

            // The receiver may hold its beginning, of a stream; a datagram could not continue that.
            item.NeedsStream = true;
        }

        if (item.Transit.IsVisible && !TryRewind(item))
        {
            return;
        }

        item.WasVisible |= item.Transit.IsVisible;
        item.Transit = default;
        _core.Outbox.Room.Queue(item, item.Length ?? 0);
        if (item.Unsent == 0)
        {
            _core.Scheduler.Add(item.Entry);
        }
    }

    private bool TryRewind(OutboundObject item)
    {
        try
        {
            item.Source?.Rewind();
            return true;
        }
        catch (Exception exception)
        {
            _core.Outbox.End(
                item,
                ObjectEnd.Failed,
                ObjectEndReason.SourceFailed,
                new PostException(
                    PostErrorReason.SourceFailed, $"The source of object {item.Id} could not be read again: {exception.Message}", exception));
            return false;
        }
    }

    private StreamWrite Rent() => _writes.TryPop(out var write) ? write : new StreamWrite(this);
}
