using Post.Sockets.Objects;
using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Connections;

/// <summary>Reads the objects that come over one connection, as streams and as datagrams, into the association's inbox.</summary>
internal sealed class ObjectReader(Carrier carrier)
{
    /// <summary>
    /// False for an object that must not come as early data: an attacker could have replayed it, or it is known by who sends it, which is
    /// not proven yet.
    /// </summary>
    public static bool IsSafeToReplay(ReadOnlySpan<byte> bytes)
    {
        Span<long> scratch = stackalloc long[ProtocolLimits.MaxAntecedents];
        return ObjectHeader.TryParse(bytes, scratch, out var header, out _, out _) != ParseStatus.Done
            || ((header.Treatment & ObjectFlags.SafeToReplay) != 0 && header.DurableId.IsEmpty);
    }

    /// <summary>A datagram came. It is one object, or nothing that we know.</summary>
    public void OnDatagram(ReadOnlySpan<byte> datagram, bool isEarly, long arrivedAt)
    {
        Span<long> scratch = stackalloc long[ProtocolLimits.MaxAntecedents];
        if (!PostInteger.TryRead(datagram, out var type, out _) || type != StreamType.Object)
        {
            return;
        }

        var status = ObjectHeader.TryParse(datagram, scratch, out var header, out var consumed, out var error);
        if (status != ParseStatus.Done)
        {
            carrier.Violate(
                error == PostErrorCode.NoError ? PostErrorCode.HeaderEncoding : error, "the header of a datagram object is malformed");
            return;
        }

        if (header.Offset >= 0 || !header.DurableId.IsEmpty)
        {
            carrier.Violate(PostErrorCode.HeaderEncoding, "a datagram object has an offset or a durable id");
            return;
        }

        var payload = datagram[consumed..];
        if (header.PayloadLength >= 0 && header.PayloadLength != payload.Length)
        {
            carrier.Violate(PostErrorCode.LengthMismatch, "the payload of a datagram object has another length than its header says");
            return;
        }

        var core = carrier.Core!;
        var violation = PostErrorCode.NoError;
        lock (core.Gate)
        {
            if (core.IsClosed || core.Carrier != carrier)
            {
                return;
            }

            var item = core.Inbox.Begin(header, null, arrivedAt, isEarly && !carrier.IsHandshakeCompleted, isWhole: true, out _, out violation);
            if (item is not null && core.Inbox.TryCharge(item, payload.Length))
            {
                item.Append(payload);
                core.Inbox.OnComplete(item);
            }
        }

        if (violation != PostErrorCode.NoError)
        {
            carrier.Violate(violation, "a datagram object has an impossible id");
        }
    }

    /// <summary>
    /// Reads an object to its end, if its header is whole; false when more bytes are needed for that. One that is not wanted, or wrong,
    /// counts as read.
    /// </summary>
    public async ValueTask<bool> TryReadAsync(TransportStream stream, ReadOnlyMemory<byte> bytes, bool isCompleted)
    {
        if (!TryBegin(stream, bytes.Span, isCompleted, out var item, out var consumed))
        {
            return false;
        }

        if (item is null)
        {
            return true;
        }

        if (item.IsResumed && !await TryTakeOverAsync(stream, item).ConfigureAwait(false))
        {
            return true;
        }

        await ReadPayloadAsync(stream, item, bytes[consumed..], isCompleted).ConfigureAwait(false);
        return true;
    }

    /// <summary>Tries to begin an object with the bytes at hand; true when its header was whole or wrong, and null for one that is not wanted.</summary>
    private bool TryBegin(TransportStream stream, ReadOnlySpan<byte> bytes, bool isCompleted, out InboundObject? item, out int consumed)
    {
        item = null;
        Span<long> scratch = stackalloc long[ProtocolLimits.MaxAntecedents];
        var status = ObjectHeader.TryParse(bytes, scratch, out var header, out consumed, out var error);
        if (status == ParseStatus.NeedMore)
        {
            if (!isCompleted)
            {
                return false;
            }

            carrier.Violate(PostErrorCode.HeaderEncoding, "an object ended within its header");
            return true;
        }

        if (status == ParseStatus.Invalid)
        {
            carrier.Violate(error, "the header of an object is malformed");
            return true;
        }

        var core = carrier.Core!;
        PostErrorCode stop;
        PostErrorCode violation;

        // Before the lock: a transport may take its own to answer, and calls us while it holds that.
        var isEarly = !carrier.IsHandshakeCompleted && stream.IsEarlyData;
        var arrivedAt = header.Lifetime < 0 ? 0 : stream.ArrivedAt ?? core.Clock.Now;
        lock (core.Gate)
        {
            if (core.IsClosed || core.Carrier != carrier)
            {
                return true;
            }

            item = core.Inbox.Begin(header, stream, arrivedAt, isEarly, isCompleted, out stop, out violation);
            if (item is { IsResumed: false })
            {
                item.IsReading = true;
            }
        }

        if (violation != PostErrorCode.NoError)
        {
            carrier.Violate(violation, $"object {header.Id} has an impossible id, or another length or offset than can be");
        }
        else if (item is null)
        {
            stream.StopReading((long)stop);
        }

        return true;
    }

    /// <summary>
    /// Goes on with an object that an earlier connection has brought in part, once the reader of that connection has let go of it: only then
    /// is it known how much the application has got.
    /// </summary>
    private async ValueTask<bool> TryTakeOverAsync(TransportStream stream, InboundObject item)
    {
        var core = carrier.Core!;
        while (true)
        {
            Task? free = null;
            lock (core.Gate)
            {
                if (item.Stream != stream && !item.IsComplete)
                {
                    // This connection was lost meanwhile, too.
                    return false;
                }

                if (!item.IsGone && !item.IsComplete)
                {
                    if (!item.IsReading)
                    {
                        item.IsReading = true;
                        core.Inbox.OnTakenOver(item);
                        return true;
                    }

                    free = item.WhenFreeAsync(core.Continuations);
                }
            }

            if (free is null)
            {
                stream.StopReading((long)PostErrorCode.Duplicate);
                return false;
            }

            await free.ConfigureAwait(false);
        }
    }

    private async ValueTask ReadPayloadAsync(TransportStream stream, InboundObject item, ReadOnlyMemory<byte> first, bool isThrough)
    {
        var core = carrier.Core!;
        var isBroken = false;
        try
        {
            if (!TryTake(item, first.Length, isThrough, out var skipped))
            {
                isThrough = false;
            }
            else
            {
                item.Append(first.Span[skipped..]);
            }

            if (item.IsIncremental && !item.IsGone)
            {
                lock (core.Gate)
                {
                    core.Inbox.OfferIfReady(item);
                }

                core.Wake();
                await item.Pipe!.Writer.FlushAsync().ConfigureAwait(false);
            }

            while (!isThrough && !item.IsGone)
            {
                if (core.Inbox.Deliverable.IsFull && !item.IsIncremental)
                {
                    await core.Inbox.Deliverable.WaitForRoomAsync().ConfigureAwait(false);
                }

                var space = GetSpace(item);
                // It ends with its connection by itself; a token would cost each read a registration, or more.
                var result = await stream.ReadAsync(space, CancellationToken.None).ConfigureAwait(false);
                if (result.IsReset)
                {
                    lock (core.Gate)
                    {
                        core.Inbox.OnReset(item, stream);
                    }

                    break;
                }

                if (!TryTake(item, result.Count, result.IsCompleted, out skipped))
                {
                    break;
                }

                if (skipped > 0)
                {
                    space.Span[skipped..result.Count].CopyTo(space.Span);
                }

                if (item.PayloadLength >= 0 && item.Received > item.PayloadLength)
                {
                    break;
                }

                item.Advance(result.Count - skipped);
                isThrough = result.IsCompleted;

                if (item.IsIncremental)
                {
                    var flushed = await item.Pipe!.Writer.FlushAsync().ConfigureAwait(false);
                    if (flushed.IsCompleted && !isThrough)
                    {
                        // The application is through with it before its end.
                        lock (core.Gate)
                        {
                            core.Inbox.Fail(item, ReceiptStatus.Refused, PostErrorCode.Refused);
                        }
                    }
                }
            }

            var isShort = item.PayloadLength >= 0 && item.Received != item.PayloadLength;
            if (!item.IsGone && (isShort || item.Skip > 0))
            {
                isThrough = false;
                carrier.Violate(PostErrorCode.LengthMismatch, $"object {item.Id} has another length than was said");
            }
        }
        catch (Exception exception) when (exception is TransportException or OperationCanceledException or ObjectDisposedException)
        {
            isBroken = true;
        }

        if (item is { IsGone: true, StopCode: { } stop } && !isBroken)
        {
            // Now, since the stream is given back next, and its sender is to know why.
            stream.StopReading((long)stop);
        }

        Finish(item, isThrough && !isBroken, isBroken);
    }

    private Memory<byte> GetSpace(InboundObject item)
    {
        var space = item.GetSpace();
        if (item.Capacity > item.ChargedCapacity)
        {
            lock (carrier.Core!.Gate)
            {
                carrier.Core.Inbox.Recharge(item);
            }
        }

        return space;
    }

    /// <summary>Bytes came: how many of them were here already? False when they are not wanted any more.</summary>
    private bool TryTake(InboundObject item, int bytes, bool isEnd, out int skipped)
    {
        var core = carrier.Core!;
        bool isPremature;
        lock (core.Gate)
        {
            isPremature = item.Start.IsAwaited && (bytes > 0 || isEnd);
            skipped = (int)Math.Min(item.Skip, bytes);
            item.Skip -= skipped;
            if (!isPremature)
            {
                return core.Inbox.TryCharge(item, bytes - skipped);
            }
        }

        carrier.Violate(PostErrorCode.OffsetError, $"object {item.Id} did not wait to hear where to begin");
        return false;
    }

    private void Finish(InboundObject item, bool isWhole, bool isBroken)
    {
        var core = carrier.Core!;
        bool isGone;
        bool isHanded;
        bool isComplete;
        TaskCompletionSource[] waiters;
        if (isWhole)
        {
            item.Trim();
        }

        lock (core.Gate)
        {
            item.IsReading = false;
            waiters = item.TakeFreeWaiters();
            if (isWhole && !item.IsGone && !core.IsClosed)
            {
                core.Inbox.OnComplete(item);
            }
            else if (!item.IsGone && (!isBroken || core.IsClosed))
            {
                item.HasReceipt = true;
                core.Inbox.Fail(item, null, null);
            }

            // One whose connection broke waits for the event of that, or for the next connection.
            isGone = item.IsGone;
            isHanded = item.IsHanded;
            isComplete = item.IsComplete;
        }

        if (isGone)
        {
            if (isHanded)
            {
                item.Pipe?.Writer.Complete(ErrorOf(item));
            }
            else
            {
                item.Discard(ErrorOf(item));
            }
        }
        else if (isComplete)
        {
            item.Pipe?.Writer.Complete();
        }

        foreach (var waiter in waiters)
        {
            core.Queue(new Work(() => waiter.TrySetResult()));
        }

        core.Wake();
    }

    private static PostException ErrorOf(InboundObject item) => InboundDiscards.BrokenOff(item);
}
