using Post.Sockets.Associations.Ownership;
using Post.Sockets.Objects;
using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Connections;

/// <summary>
/// Reads one object that comes on a stream into the association's inbox: the bytes on the reader's thread, every decision by the owner, in
/// whose methods this one's fields are used while the reader waits.
/// </summary>
internal sealed class ObjectReading(PostConnection connection, TransportStream stream)
{
    private readonly AssociationState _state = connection.State;
    private ReadOnlyMemory<byte> _bytes;
    private InboundObject? _item;
    private PostErrorCode _stop;
    private long _arrivedAt;
    private bool _isEarly;
    private bool _isEnd;
    private bool _isFinished;
    private bool _isBroken;
    private bool _isTaken;
    private int _count;
    private int _skipped;
    private Task? _whenFree;
    private Action<ObjectReading>? _action;

    private TransportStream Stream => stream;

    private Inbox Inbox => _state.Inbox;

    /// <summary>
    /// Reads an object to its end, if its header is whole; false when more bytes are needed for that. One that is not wanted, or wrong,
    /// counts as read.
    /// </summary>
    public async ValueTask<bool> TryReadAsync(ReadOnlyMemory<byte> bytes, bool isCompleted)
    {
        if (!HasHeader(bytes.Span, isCompleted, out var isWrong))
        {
            return false;
        }

        if (isWrong)
        {
            return true;
        }

        _bytes = bytes;
        _isEnd = isCompleted;
        _isEarly = !connection.IsHandshakeCompleted && stream.IsEarlyData;
        _arrivedAt = stream.ArrivedAt ?? _state.Clock.Now;
        await InvokeAsync(static reading => reading.Begin()).ConfigureAwait(false);
        if (_item is not { } item)
        {
            if (_stop != PostErrorCode.NoError)
            {
                stream.StopReading((long)_stop);
            }

            return true;
        }

        if (item.IsResumed && !await TryTakeOverAsync(item).ConfigureAwait(false))
        {
            return true;
        }

        if (!_isFinished)
        {
            await ReadPayloadAsync(item).ConfigureAwait(false);
        }

        return true;
    }

    private ValueTask InvokeAsync(Action<ObjectReading> action)
    {
        _action = action;
        return _state.Owner.InvokeAsync(static reading => ((ObjectReading)reading)._action!((ObjectReading)reading), this);
    }

    private bool HasHeader(ReadOnlySpan<byte> bytes, bool isCompleted, out bool isWrong)
    {
        isWrong = false;
        Span<long> scratch = stackalloc long[ProtocolLimits.MaxAntecedents];
        var status = ObjectHeader.TryParse(bytes, scratch, out _, out _, out var error);
        if (status == ParseStatus.NeedMore && !isCompleted)
        {
            return false;
        }

        isWrong = status != ParseStatus.Done;
        if (isWrong)
        {
            connection.Violate(
                status == ParseStatus.NeedMore ? PostErrorCode.HeaderEncoding : error,
                status == ParseStatus.NeedMore ? "an object ended within its header" : "the header of an object is malformed");
        }

        return true;
    }

    /// <summary>Begins the object with the bytes at hand; one that is whole with them is through.</summary>
    private void Begin()
    {
        if (_state.IsClosed || !connection.IsCurrent)
        {
            return;
        }

        Span<long> scratch = stackalloc long[ProtocolLimits.MaxAntecedents];
        _ = ObjectHeader.TryParse(_bytes.Span, scratch, out var header, out var consumed, out _);
        _bytes = _bytes[consumed..];
        var item = Inbox.Begin(header, stream, _arrivedAt, _isEarly, _isEnd, out _stop, out var violation);
        if (violation != PostErrorCode.NoError)
        {
            connection.Violate(violation, $"object {header.Id} has an impossible id, or another length or offset than can be");
        }

        if (item is null)
        {
            return;
        }

        _item = item;
        if (item.IsResumed)
        {
            return;
        }

        item.IsReading = true;
        _count = _bytes.Length;
        Take();
        if (_isTaken)
        {
            item.Append(_bytes.Span);
        }

        if (item.IsIncremental && !item.IsGone)
        {
            Inbox.OfferIfReady(item);
        }
        else if (_isEnd || !_isTaken)
        {
            Finish();
        }
    }

    /// <summary>
    /// Goes on with an object that an earlier connection has brought in part, once the reader of that connection has let go of it: only then
    /// is it known how much the application has got.
    /// </summary>
    private async ValueTask<bool> TryTakeOverAsync(InboundObject item)
    {
        do
        {
            _isTaken = false;
            _whenFree = null;
            await InvokeAsync(static reading => reading.TakeOver(reading._item!)).ConfigureAwait(false);
            if (_isTaken)
            {
                return true;
            }

            if (_whenFree is not null)
            {
                await _whenFree.ConfigureAwait(false);
            }
        }
        while (_whenFree is not null);

        if (item.IsGone || item.IsComplete)
        {
            stream.StopReading((long)PostErrorCode.Duplicate);
        }

        return false;
    }

    private void TakeOver(InboundObject item)
    {
        // Not where this connection was lost meanwhile, too.
        if (item.Phase != InboundPhase.Arriving || item.Stream != stream)
        {
            return;
        }

        if (item.IsReading)
        {
            var waiter = new TaskCompletionSource(_state.Continuations);
            (item.FreeWaiters ??= []).Add(waiter);
            _whenFree = waiter.Task;
            return;
        }

        item.IsReading = true;
        Inbox.OnTakenOver(item);
        _count = _bytes.Length;
        Take();
        if (_isTaken)
        {
            item.Append(_bytes.Span[_skipped..]);
        }

        if (item.IsIncremental && !item.IsGone)
        {
            Inbox.OfferIfReady(item);
        }
        else if (_isEnd || !_isTaken)
        {
            Finish();
        }

        _isTaken = true;
    }

    private async ValueTask ReadPayloadAsync(InboundObject item)
    {
        try
        {
            if (item.IsIncremental && !item.IsGone)
            {
                await item.Pipe!.Writer.FlushAsync().ConfigureAwait(false);
            }

            while (!_isEnd && !item.IsGone)
            {
                if (Inbox.Deliverable.IsFull && !item.IsIncremental)
                {
                    await connection.User!.Delivery.WhenRoomAsync().ConfigureAwait(false);
                }

                var space = item.GetSpace();
                if (item.Capacity > item.ChargedCapacity)
                {
                    await InvokeAsync(static reading => reading.Inbox.Recharge(reading._item!)).ConfigureAwait(false);
                }

                // It ends with its connection by itself; a token would cost each read a registration, or more.
                var result = await stream.ReadAsync(space, CancellationToken.None).ConfigureAwait(false);
                if (result.IsReset)
                {
                    await InvokeAsync(static reading => reading.Inbox.OnReset(reading._item!, reading.Stream)).ConfigureAwait(false);
                    break;
                }

                _count = result.Count;
                _isEnd = result.IsCompleted;
                await InvokeAsync(static reading => reading.Take()).ConfigureAwait(false);
                if (!_isTaken)
                {
                    _isEnd = false;
                    break;
                }

                if (_skipped > 0)
                {
                    space.Span[_skipped..result.Count].CopyTo(space.Span);
                }

                if (item.PayloadLength >= 0 && item.Received > item.PayloadLength)
                {
                    break;
                }

                item.Advance(result.Count - _skipped);
                if (item.IsIncremental)
                {
                    var flushed = await item.Pipe!.Writer.FlushAsync().ConfigureAwait(false);
                    if (flushed.IsCompleted && !_isEnd)
                    {
                        // The application is through with it before its end.
                        await InvokeAsync(static reading =>
                            reading.Inbox.Fail(reading._item!, ReceiptStatus.Refused, PostErrorCode.Refused)).ConfigureAwait(false);
                    }
                }
            }
        }
        catch (Exception exception) when (
            exception is TransportException or OperationCanceledException or ObjectDisposedException || item.IsGone)
        {
            // One that the owner has given up meanwhile has its stream stopped: a read that comes after that may throw what it likes.
            _isBroken = true;
        }

        await InvokeAsync(static reading => reading.Finish()).ConfigureAwait(false);
    }

    /// <summary>Bytes came: how many of them were here already, and are they wanted?</summary>
    private void Take()
    {
        var item = _item!;
        _isTaken = false;
        _skipped = (int)Math.Min(item.Skip, _count);
        if (item.Start.IsAwaited && (_count > 0 || _isEnd))
        {
            connection.Violate(PostErrorCode.OffsetError, $"object {item.Id} did not wait to hear where to begin");
            return;
        }

        item.Skip -= _skipped;
        _isTaken = Inbox.TryCharge(item, _count - _skipped);
    }

    /// <summary>The reader is through, and lets go of the object.</summary>
    private void Finish()
    {
        var item = _item!;
        _isFinished = true;
        var isWhole = _isEnd && _isTaken && !_isBroken;
        if (!item.IsGone && !_isBroken && _isTaken
            && ((item.PayloadLength >= 0 && item.Received != item.PayloadLength) || item.Skip > 0))
        {
            isWhole = false;
            connection.Violate(PostErrorCode.LengthMismatch, $"object {item.Id} has another length than was said");
        }

        if (item is { IsGone: true, StopCode: { } stop } && !_isBroken)
        {
            // Now, since the stream is given back next, and its sender is to know why.
            stream.StopReading((long)stop);
        }

        item.IsReading = false;
        if (isWhole)
        {
            item.Trim();
        }

        if (isWhole && !item.IsGone && !_state.IsClosed)
        {
            Inbox.OnComplete(item);
        }
        else if (!item.IsGone && (!_isBroken || _state.IsClosed))
        {
            item.HasReceipt = true;
            Inbox.Fail(item, null, null);
        }
        else if (item.IsGone)
        {
            _state.Effects.Discard(item);
        }

        // One whose connection broke waits for the event of that, or for the next connection.
        if (item.IsComplete)
        {
            item.Pipe?.Writer.Complete();
        }

        foreach (var waiter in item.FreeWaiters ?? [])
        {
            _state.Queue(() => waiter.TrySetResult());
        }

        item.FreeWaiters = null;
    }
}
