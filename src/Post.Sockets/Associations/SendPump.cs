using System.Buffers;
using Post.Sockets.Objects;
using Post.Sockets.Protocol;
using Post.Sockets.Scheduling;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations;

/// <summary>
/// Moves bytes from what is scheduled to the transport. Only the association's pump runs it, so it is serial; decisions are taken under
/// the lock, and the transport and the sources of objects are called outside of it.
/// </summary>
internal sealed class SendPump
{
    /// <summary>Up to here, payload is copied behind the header so that a small object is one write.</summary>
    private const int CopyLimit = 16 * 1024;

    private const int MaxPooledWrites = 256;

    private readonly Stack<StreamWrite> _writes = new();
    private readonly AssociationCore _core;
    private readonly OutboundFraming _framing;
    private readonly StreamSupply _streams;
    private StreamWrite? _completed;
    private bool _isDatagramQueueFull;
    private bool _isEarlyDataVoid;
    private long _datagramReports;
    private long _window = 64 * 1024;
    private int _chunk = 16 * 1024;

    public SendPump(AssociationCore core)
    {
        _core = core;
        _framing = new OutboundFraming(core);
        _streams = new StreamSupply(core, this);
    }

    public StreamSupply Streams => _streams;

    /// <summary>Fits the window to the measurements; under the lock.</summary>
    public void Tune(in TransportStatistics statistics)
    {
        _window = SendWindow.Bytes(_core.Connection.Capabilities, statistics);
        _chunk = SendWindow.Chunk(_window);
    }

    /// <summary>The datagram queue moved on; under the lock.</summary>
    public void OnDatagramRoom()
    {
        _isDatagramQueueFull = false;
        _datagramReports++;
    }

    /// <summary>The server did not take the early data: the pump sends it anew. Under the lock.</summary>
    public void OnEarlyDataRejected() => _isEarlyDataVoid = true;

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
        RestartEarlyData();
        while (true)
        {
            SendStep step;
            StreamWrite? write;
            OutboundObject? item;
            int size;
            lock (_core.Gate)
            {
                step = Decide(out item, out write, out size);
            }

            switch (step)
            {
                case SendStep.None:
                    return;
                case SendStep.Write:
                    StartWrite(write!);
                    break;
                case SendStep.Open:
                    _streams.Open(item!);
                    break;
                case SendStep.Feed:
                    Feed(item!);
                    break;
                case SendStep.Datagram:
                    SendDatagram(item!, size);
                    break;
            }
        }
    }

    private void RestartEarlyData()
    {
        lock (_core.Gate)
        {
            if (!_isEarlyDataVoid)
            {
                return;
            }

            _isEarlyDataVoid = false;
            foreach (var item in _core.Outbox.EarlyObjects())
            {
                // Where a write is under way, the transport still reads from the object's memory: its failure restarts the object.
                if (!item.IsEnded && !item.IsWriting)
                {
                    Restart(item);
                }
            }
        }
    }

    /// <summary>What was sent of an object is void: it starts anew, with the same id. Under the lock.</summary>
    private void Restart(OutboundObject item)
    {
        _core.Scheduler.Remove(item.Entry);
        _core.Outbox.ReleaseDatagram(item);
        if (item.Stream is { } stream)
        {
            _core.Later(new TransportAction(TransportActionKind.Dispose, stream));
        }

        item.Stream = null;
        item.PayloadTaken = 0;
        item.IsEarly = false;
        item.IsVisible = false;
        item.IsHeaderOut = false;
        item.IsToldByReset = false;
        item.IsAllTaken = false;
        item.IsDatagram = false;
        item.Entry.IsStarted = false;
        item.Source?.Rewind();
        _core.Scheduler.Add(item.Entry);
    }

    private SendStep Decide(out OutboundObject? item, out StreamWrite? write, out int size)
    {
        item = null;
        write = null;
        size = 0;
        if (_core.IsClosed)
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
            if (EndIfHopeless(item))
            {
                continue;
            }

            if (!item.IsVisible && !_core.IsHandshakeCompleted && !MayGoEarly(item))
            {
                _core.Scheduler.Remove(entry);
                _core.WaitForHandshake(item);
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

            if (_framing.IsForDatagram(item, out size))
            {
                if (_isDatagramQueueFull)
                {
                    return SendStep.None;
                }

                _core.Scheduler.Serve(entry, size);
                item.IsWriting = true;
                return SendStep.Datagram;
            }

            if (item.Stream is null && _streams.IsWaiting)
            {
                if (entry.IsStarted)
                {
                    // A datagram that proved too large to be sent again as one.
                    _core.Scheduler.Remove(entry);
                    _streams.Wait(item);
                }

                startedOnly = true;
                continue;
            }

            _core.Scheduler.Remove(entry);
            item.IsWriting = true;
            if (item.Stream is null)
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

        if (item.PayloadTaken > _core.Peer.MaxObjectSize)
        {
            return _core.Outbox.End(item, ObjectEnd.Rejected, ObjectEndReason.TooLarge, abandon: AbandonReason.Canceled);
        }

        if (item.Antecedents?.Length > _core.Peer.MaxAntecedents && !item.IsVisible)
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
            return _core.Outbox.End(
                item,
                ObjectEnd.Expired,
                item.IsVisible ? ObjectEndReason.InFlight : ObjectEndReason.BeforeSent,
                abandon: AbandonReason.Expired);
        }

        // Bytes that would arrive too late only delay those that would not.
        return now + _core.HalfRtt >= item.ExpiresAt
            && _core.Outbox.End(item, ObjectEnd.Expired, ObjectEndReason.TooLate, abandon: AbandonReason.TooLate);
    }

    private static bool MayGoEarly(OutboundObject item) =>
        item.Properties.SafeToReplay && (item.Source is null || item.Source.CanRewind);

    private StreamWrite PrepareMemory(OutboundObject item)
    {
        if (!item.IsVisible)
        {
            return PrepareFirst(item, item.Memory.Span, item.Memory.Length <= CopyLimit, fromSource: false);
        }

        var taken = (int)item.PayloadTaken;
        var length = Math.Min(item.Memory.Length - taken, _chunk);
        return Prepare(item, item.Memory.Slice(taken, length), null, length, 0, taken + length == item.Memory.Length);
    }

    private StreamWrite PrepareFirst(OutboundObject item, ReadOnlySpan<byte> payload, bool isLast, bool fromSource)
    {
        var header = _framing.HeaderOf(item);
        var length = header.Length();
        item.HeaderLength = length;
        var copied = Math.Min(payload.Length, CopyLimit);
        var rented = ArrayPool<byte>.Shared.Rent(length + copied);
        header.Write(rented);
        payload[..copied].CopyTo(rented.AsSpan(length));
        return Prepare(item, rented.AsMemory(0, length + copied), rented, copied, fromSource ? copied : 0, isLast && copied == payload.Length);
    }

    private StreamWrite Prepare(
        OutboundObject item, ReadOnlyMemory<byte> bytes, byte[]? rented, int payload, int fromSource, bool isEnd)
    {
        item.IsVisible = true;
        item.IsEarly |= !_core.IsHandshakeCompleted;
        _core.Outbox.OnTaken(item, payload);
        _core.Scheduler.Serve(item.Entry, bytes.Length);
        var write = Rent();
        write.Set(item.Entry, item.Stream!, bytes, rented, payload, fromSource, isEnd);
        _core.Scheduler.Class(write.Class).Outstanding += bytes.Length;
        return write;
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

    private void StartWrite(StreamWrite write)
    {
        if (write.Start())
        {
            Finish(write);
        }
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
        item.IsHeaderOut |= write is { Error: null, Result.IsStopped: false };
        if (!LetGo(item))
        {
            return;
        }

        if (write.Error is { Reason: TransportErrorReason.EarlyDataRejected })
        {
            Restart(item);
        }
        else if (write.Error is { } error)
        {
            _core.Outbox.End(
                item, ObjectEnd.Failed, ObjectEndReason.AssociationEnded, _core.ToException(error), AbandonReason.Canceled);
        }
        else if (write.Result.IsStopped)
        {
            _core.Outbox.OnStopped(item, (PostErrorCode)write.Result.StopCode);
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

    /// <summary>Nobody uses the object's memory any more; false when it had its end meanwhile, which can be published now.</summary>
    public bool LetGo(OutboundObject item)
    {
        item.IsWriting = false;
        if (!item.IsEnded)
        {
            return true;
        }

        if (item.Stream is { } stream)
        {
            _core.Later(new TransportAction(TransportActionKind.Dispose, stream));
        }

        _core.PublishLater(item);
        return false;
    }

    private void Feed(OutboundObject item)
    {
        ReadOnlyMemory<byte> chunk;
        bool isLast;
        bool hasBytes;
        try
        {
            hasBytes = item.Source!.TryPeek(item.IsVisible ? _chunk : CopyLimit, out chunk, out isLast);
        }
        catch (Exception exception)
        {
            FailSource(item, exception);
            return;
        }

        StreamWrite? write = null;
        lock (_core.Gate)
        {
            if (item.IsEnded)
            {
                LetGo(item);
                return;
            }

            if (!hasBytes)
            {
                // The entry keeps its turn; it comes back when the source has more.
                item.IsWaitingForSource = true;
            }
            else
            {
                write = item.IsVisible
                    ? Prepare(item, chunk, null, chunk.Length, chunk.Length, isLast)
                    : PrepareFirst(item, chunk.Span, isLast, fromSource: true);
            }
        }

        if (write is not null)
        {
            StartWrite(write);
        }
        else
        {
            _ = WaitForSourceAsync(item);
        }
    }

    private async Task WaitForSourceAsync(OutboundObject item)
    {
        try
        {
            await item.Source!.WaitAsync().ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            FailSource(item, exception);
            _core.Wake();
            return;
        }

        lock (_core.Gate)
        {
            item.IsWaitingForSource = false;
            if (LetGo(item))
            {
                _core.Scheduler.Add(item.Entry);
            }
        }

        _core.Wake();
    }

    private void FailSource(OutboundObject item, Exception exception)
    {
        lock (_core.Gate)
        {
            item.IsWaitingForSource = false;
            if (LetGo(item))
            {
                _core.Outbox.End(
                    item,
                    ObjectEnd.Failed,
                    ObjectEndReason.SourceFailed,
                    new PostException(PostErrorReason.SourceFailed, $"The source of object {item.Id} failed: {exception.Message}", exception),
                    AbandonReason.SourceFailed);
            }
        }
    }

    private void SendDatagram(OutboundObject item, int size)
    {
        var priority = new TransportPriority(item.Entry.Class, item.ExpiresAt, false, item.Id);
        long reports;
        lock (_core.Gate)
        {
            // Before the call: its fate may be reported during it.
            reports = _datagramReports;
            item.IsDatagram = true;
            item.DatagramReport = null;
            item.DatagramCharge = size;
            item.DatagramClass = item.Entry.Class;
            _core.Scheduler.Class(item.DatagramClass).Outstanding += size;
        }

        var result = _core.Connection.TrySendDatagram(_framing.Datagram(size), priority, item.Id);
        lock (_core.Gate)
        {
            if (result != TransportDatagramResult.Queued)
            {
                _core.Outbox.ReleaseDatagram(item);
                _isDatagramQueueFull |= result == TransportDatagramResult.Full && reports == _datagramReports;
                item.NeedsStream |= result is TransportDatagramResult.TooLarge or TransportDatagramResult.Unavailable;
            }

            if (!LetGo(item))
            {
                return;
            }

            if (result != TransportDatagramResult.Queued)
            {
                _core.Scheduler.Add(item.Entry);
                return;
            }

            if (!item.IsVisible)
            {
                _core.Outbox.OnTaken(item, item.Memory.Length);
            }

            item.IsVisible = true;
            item.IsEarly |= !_core.IsHandshakeCompleted;
            _core.Outbox.OnAllTaken(item);
            if (item.DatagramReport is { } report)
            {
                _core.Outbox.OnDatagramState(item.Id, report);
            }
        }
    }

    private StreamWrite Rent() => _writes.TryPop(out var write) ? write : new StreamWrite(this);
}
