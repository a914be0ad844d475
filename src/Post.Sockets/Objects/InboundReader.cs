using System.Buffers;
using Post.Sockets.Associations;
using Post.Sockets.Diagnostics;
using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets.Objects;

/// <summary>
/// Reads what the peer opens: sorts streams by their type, gathers headers, and moves payloads into objects. It never lets an exception out:
/// what the peer does wrong closes the association with a code.
/// </summary>
internal sealed class InboundReader(AssociationCore core)
{
    /// <summary>The first read of a stream: whole small objects, or the header of any.</summary>
    private const int FirstRead = 4096;

    private readonly List<InboundObject> _discarded = [];
    private bool _hasControl;

    /// <summary>Begins to accept streams.</summary>
    public void Start() => _ = AcceptAsync();

    /// <summary>An object whose memory is to be returned outside the lock. Under the lock.</summary>
    public void DiscardLater(InboundObject item) => _discarded.Add(item);

    /// <summary>Returns the memory of discarded objects; run by the pump.</summary>
    public void RunDiscards()
    {
        InboundObject[] discarded;
        lock (core.Gate)
        {
            if (_discarded.Count == 0)
            {
                return;
            }

            discarded = [.. _discarded];
            _discarded.Clear();
        }

        foreach (var item in discarded)
        {
            item.Discard(ErrorOf(item));
        }
    }

    /// <summary>A datagram came. It is one object, or nothing that we know.</summary>
    public void OnDatagram(ReadOnlySpan<byte> datagram, bool isEarly)
    {
        Span<long> scratch = stackalloc long[ProtocolLimits.MaxAntecedents];
        if (!PostInteger.TryRead(datagram, out var type, out _) || type != StreamType.Object)
        {
            return;
        }

        var status = ObjectHeader.TryParse(datagram, scratch, out var header, out var consumed, out var error);
        if (status != ParseStatus.Done)
        {
            core.Violate(
                error == PostErrorCode.NoError ? PostErrorCode.HeaderEncoding : error, "the header of a datagram object is malformed");
            return;
        }

        var payload = datagram[consumed..];
        if (header.PayloadLength >= 0 && header.PayloadLength != payload.Length)
        {
            core.Violate(PostErrorCode.LengthMismatch, "the payload of a datagram object has another length than its header says");
            return;
        }

        var violation = PostErrorCode.NoError;
        lock (core.Gate)
        {
            if (core.IsClosed)
            {
                return;
            }

            var item = core.Inbox.Begin(header, null, isEarly, isWhole: true, out _, out violation);
            if (item is not null && core.Inbox.TryCharge(item, payload.Length))
            {
                item.Append(payload);
                core.Inbox.OnComplete(item);
            }
        }

        if (violation != PostErrorCode.NoError)
        {
            core.Violate(violation, "a datagram object has an impossible id");
        }
    }

    private static PostException ErrorOf(InboundObject item) => new(
        PostErrorReason.ObjectExpired, $"Object {item.Id} ended before all of it had arrived: it expired, or its sender took it back.");

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                // A slow application slows the peer down here: streams that are not accepted use up its permission to open more.
                if (core.Inbox.Deliverable.IsFull)
                {
                    await core.Inbox.Deliverable.WaitForRoomAsync().ConfigureAwait(false);
                }

                var stream = await core.Connection.AcceptStreamAsync(core.Ended).ConfigureAwait(false);
                _ = ReadAsync(stream);
            }
        }
        catch (Exception exception) when (exception is TransportException or OperationCanceledException or ObjectDisposedException)
        {
            // The connection ended; its event tells why.
        }
        catch (Exception exception)
        {
            core.Log.PumpFailed(exception);
            core.Lifecycle.Abort(PostErrorCode.InternalError, new PostException(PostErrorReason.Transport, exception.Message, exception));
        }
    }

    private async Task ReadAsync(TransportStream stream)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(FirstRead);
        try
        {
            var filled = 0;
            while (true)
            {
                var result = await stream.ReadAsync(buffer.AsMemory(filled), core.Ended).ConfigureAwait(false);
                if (result.IsReset)
                {
                    // Gone before we knew what it was; ABANDON names it if it was an object.
                    break;
                }

                filled += result.Count;
                if (!PostInteger.TryRead(buffer.AsSpan(0, filled), out var type, out var consumed))
                {
                    if (result.IsCompleted)
                    {
                        break;
                    }

                    continue;
                }

                if (stream.Kind == TransportStreamKind.Bidirectional)
                {
                    if (stream.IsEarlyData && !core.IsHandshakeCompleted)
                    {
                        // A stream cannot say that it is safe to replay.
                        await core.Lifecycle.Handshake.WaitAsync(core.Ended).ConfigureAwait(false);
                    }

                    if (await BeginStreamAsync(stream, buffer.AsMemory(0, filled), result.IsCompleted).ConfigureAwait(false))
                    {
                        // It belongs to the application now.
                        return;
                    }

                    break;
                }

                if (type == StreamType.Control)
                {
                    await ReadControlAsync(stream, buffer, consumed, filled, result.IsCompleted).ConfigureAwait(false);
                    break;
                }

                if (type != StreamType.Object)
                {
                    // Not an error: later versions may have types that we do not know.
                    stream.StopReading((long)PostErrorCode.UnknownStreamType);
                    break;
                }

                if (stream.IsEarlyData && !core.IsHandshakeCompleted && !IsSafeToReplay(buffer.AsSpan(0, filled)))
                {
                    // An attacker may have replayed it: it waits until the handshake has shown that the peer is there.
                    await core.Lifecycle.Handshake.WaitAsync(core.Ended).ConfigureAwait(false);
                }

                if (TryBegin(stream, buffer.AsSpan(0, filled), result.IsCompleted, out var item, out var isThrough))
                {
                    if (item is not null)
                    {
                        await ReadPayloadAsync(stream, item, isThrough).ConfigureAwait(false);
                    }

                    break;
                }

                if (filled == buffer.Length)
                {
                    var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
                    buffer.CopyTo(larger, 0);
                    ArrayPool<byte>.Shared.Return(buffer);
                    buffer = larger;
                }
            }

            await stream.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is TransportException or OperationCanceledException or ObjectDisposedException)
        {
            // The connection ended; its event tells why.
            await DisposeQuietlyAsync(stream).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            core.Log.PumpFailed(exception);
            core.Lifecycle.Abort(PostErrorCode.InternalError, new PostException(PostErrorReason.Transport, exception.Message, exception));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            core.Wake();
        }
    }

    private static bool IsSafeToReplay(ReadOnlySpan<byte> bytes)
    {
        Span<long> scratch = stackalloc long[ProtocolLimits.MaxAntecedents];
        return ObjectHeader.TryParse(bytes, scratch, out var header, out _, out _) != ParseStatus.Done
            || (header.Treatment & ObjectFlags.SafeToReplay) != 0;
    }

    private static async ValueTask DisposeQuietlyAsync(TransportStream stream)
    {
        try
        {
            await stream.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is TransportException or OperationCanceledException or ObjectDisposedException)
        {
            // There was nothing left to give back.
        }
    }

    /// <summary>
    /// Tries to begin an object with the bytes at hand; true when its header was whole or wrong, and null for one that is not wanted.
    /// </summary>
    private bool TryBegin(TransportStream stream, ReadOnlySpan<byte> bytes, bool isCompleted, out InboundObject? item, out bool isThrough)
    {
        item = null;
        isThrough = true;
        Span<long> scratch = stackalloc long[ProtocolLimits.MaxAntecedents];
        var status = ObjectHeader.TryParse(bytes, scratch, out var header, out var consumed, out var error);
        if (status == ParseStatus.NeedMore)
        {
            if (!isCompleted)
            {
                return false;
            }

            core.Violate(PostErrorCode.HeaderEncoding, "an object ended within its header");
            return true;
        }

        if (status == ParseStatus.Invalid)
        {
            core.Violate(error, "the header of an object is malformed");
            return true;
        }

        var payload = bytes[consumed..];
        PostErrorCode stop;
        PostErrorCode violation;
        lock (core.Gate)
        {
            if (core.IsClosed)
            {
                return true;
            }

            item = core.Inbox.Begin(header, stream, stream.IsEarlyData, isCompleted, out stop, out violation);
            if (item is not null)
            {
                item.IsReading = true;
                if (!core.Inbox.TryCharge(item, payload.Length))
                {
                    return true;
                }
            }
        }

        if (violation != PostErrorCode.NoError)
        {
            core.Violate(violation, $"object id {header.Id} is impossible");
            return true;
        }

        if (item is null)
        {
            stream.StopReading((long)stop);
            return true;
        }

        item.Append(payload);
        isThrough = isCompleted;
        return true;
    }

    private async ValueTask ReadPayloadAsync(TransportStream stream, InboundObject item, bool isThrough)
    {
        Exception? error = null;
        try
        {
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

                var result = await stream.ReadAsync(item.GetSpace(), core.Ended).ConfigureAwait(false);
                if (result.IsReset)
                {
                    lock (core.Gate)
                    {
                        core.Inbox.OnReset(item);
                    }

                    break;
                }

                lock (core.Gate)
                {
                    if (!core.Inbox.TryCharge(item, result.Count))
                    {
                        break;
                    }
                }

                item.Advance(result.Count);
                isThrough = result.IsCompleted;
                if (item.PayloadLength >= 0 && item.Received > item.PayloadLength)
                {
                    break;
                }

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

            if (!item.IsGone && item.PayloadLength >= 0 && item.Received != item.PayloadLength)
            {
                core.Violate(PostErrorCode.LengthMismatch, $"object {item.Id} has another length than its header says");
            }
        }
        catch (Exception exception) when (exception is TransportException or OperationCanceledException or ObjectDisposedException)
        {
            error = exception;
        }

        Finish(item, isThrough && error is null);
    }

    private void Finish(InboundObject item, bool isWhole)
    {
        bool isGone;
        bool isHanded;
        lock (core.Gate)
        {
            item.IsReading = false;
            if (isWhole && !item.IsGone && !core.IsClosed)
            {
                core.Inbox.OnComplete(item);
            }
            else if (!item.IsGone)
            {
                item.HasReceipt = true;
                core.Inbox.Fail(item, null, null);
            }

            isGone = item.IsGone;
            isHanded = item.IsHanded;
        }

        if (!isGone)
        {
            item.Pipe?.Writer.Complete();
        }
        else if (isHanded)
        {
            item.Pipe?.Writer.Complete(ErrorOf(item));
        }
        else
        {
            item.Discard(ErrorOf(item));
        }

        core.Wake();
    }

    private async ValueTask<bool> BeginStreamAsync(TransportStream stream, Memory<byte> bytes, bool isCompleted)
    {
        var header = default(StreamHeader);
        var rest = bytes.ToArray();
        while (true)
        {
            var status = StreamHeader.TryParse(rest, out header, out var consumed);
            if (status == ParseStatus.NeedMore && isCompleted)
            {
                core.Violate(PostErrorCode.HeaderEncoding, "a stream ended within its header");
                return false;
            }

            if (status == ParseStatus.Invalid)
            {
                stream.StopReading((long)PostErrorCode.UnknownStreamType);
                stream.Reset((long)PostErrorCode.UnknownStreamType);
                return false;
            }

            if (status == ParseStatus.Done)
            {
                rest = rest[consumed..];
                break;
            }

            var more = new byte[ProtocolLimits.MaxStreamHeader];
            var result = await stream.ReadAsync(more, core.Ended).ConfigureAwait(false);
            if (result.IsReset)
            {
                return false;
            }

            isCompleted = result.IsCompleted;
            rest = [.. rest, .. more.AsSpan(0, result.Count)];
        }

        if (!core.Options.AcceptStreams || !core.IsSending)
        {
            var why = core.Options.AcceptStreams ? PostErrorCode.GoingAway : PostErrorCode.StreamRefused;
            stream.StopReading((long)why);
            stream.Reset((long)why);
            return false;
        }

        StreamSender sender;
        lock (core.Gate)
        {
            var niceness = (int)Math.Min(header.Niceness, int.MaxValue);
            sender = new StreamSender(core, stream, niceness, null);
            core.AddStream(sender);
        }

        core.Delivery.OnStream(new PostStream(core, sender, (int)Math.Min(header.Niceness, int.MaxValue), rest, isCompleted));
        return true;
    }

    private async ValueTask ReadControlAsync(TransportStream stream, byte[] buffer, int from, int filled, bool isCompleted)
    {
        if (_hasControl)
        {
            core.Violate(PostErrorCode.ControlStreamError, "a second control stream");
            return;
        }

        _hasControl = true;
        var reader = new ControlReader(core);
        while (true)
        {
            if (!reader.Read(buffer.AsSpan(from, filled - from)))
            {
                return;
            }

            if (isCompleted)
            {
                if (!reader.MayEnd)
                {
                    core.Violate(PostErrorCode.ControlStreamError, "the control stream ended");
                }

                return;
            }

            var result = await stream.ReadAsync(buffer, core.Ended).ConfigureAwait(false);
            if (result.IsReset)
            {
                core.Violate(PostErrorCode.ControlStreamError, "the control stream was reset");
                return;
            }

            from = 0;
            filled = result.Count;
            isCompleted = result.IsCompleted;
        }
    }
}
