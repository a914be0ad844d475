using System.Buffers;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Lanes;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Streams;

/// <content>
/// Unidirectional streams that are sent and received as a whole. To the peer they are streams like any other; the layer above has a
/// number for one that it sends, and gets the bytes of one that it receives, without an object that stands for the stream.
/// </content>
internal sealed partial class StreamTable
{
    private readonly Dictionary<long, StreamState> _whole = [];
    private readonly List<StreamState> _arrived = [];
    private long _wholeUnsent;

    /// <summary>Streams of the peer are pushed: <see cref="PushArrived"/> hands them over, and whole ones are handed over at once.</summary>
    public bool PushesStreams => _incomingUnidirectional.IsPushed;

    /// <summary>Opens the next unidirectional stream, writes both parts and ends it.</summary>
    /// <param name="first">The first bytes.</param>
    /// <param name="second">The bytes after those.</param>
    /// <param name="urgency">Its rank.</param>
    /// <param name="token">The number that stands for it; not that of another which is not settled yet.</param>
    /// <param name="paths">The paths that it may go by; null for any.</param>
    /// <param name="copies">On how many of them at a time, at least 1.</param>
    public WholeStreamResult TrySendWhole(
        ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, SendUrgency urgency, long token, PathSet? paths = null, int copies = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(urgency.Class);
        long length = (long)first.Length + second.Length;
        if (length > Math.Min(Limits.WholeStreamBytes, _options.SendBufferSize) || (ulong)length > _peer.MaxStreamDataUnidirectional)
        {
            return WholeStreamResult.TooLarge;
        }

        // While one waits, its sending tells when there is room again; without one nothing would.
        if (_wholeUnsent > 0
            && (_wholeUnsent + length > Math.Max(UnsentLimit, Limits.LeastWholeUnsent) || (ulong)(_scheduler.UnsentBytes + length) > _sendCredit.Available))
        {
            return WholeStreamResult.Full;
        }

        if (_whole.ContainsKey(token))
        {
            throw new ArgumentException($"Another stream with the token {token} is not settled yet; give each its own.", nameof(token));
        }

        if (!TryOpen(bidirectional: false, out StreamState? stream))
        {
            return WholeStreamResult.NoStreams;
        }

        _whole.Add(token, stream!);
        stream!.BecomeWhole(token, length, urgency);
        if (paths is not null || copies != 1)
        {
            stream.Lane = _options.Lanes.Join(paths ?? PathSet.Any, copies);
        }

        CountWhole(stream, stream.WholeUnsent);
        SendBuffer buffer = stream.Send!.Buffer;
        buffer.Reserve((int)length);
        buffer.AppendCopy(first);
        buffer.AppendCopy(second);
        buffer.Finish();
        _scheduler.Update(stream);
        return WholeStreamResult.Queued;
    }

    /// <summary>Resets a stream that was sent as a whole; false where it is settled or unknown.</summary>
    public bool ResetWhole(long token, ulong errorCode, ulong reliableSize)
    {
        if (!_whole.TryGetValue(token, out StreamState? stream))
        {
            return false;
        }

        ResetStream(stream, errorCode, reliableSize);
        return true;
    }

    /// <summary>
    /// From now on the peer's streams are handed over as they arrive, in place of <see cref="TryAccept"/>; those that wait to be accepted
    /// as well.
    /// </summary>
    public void BeginPushing()
    {
        BeginPushing(_incomingBidirectional);
        BeginPushing(_incomingUnidirectional);
    }

    /// <summary>Streams arrived that <see cref="PushArrived"/> hands over.</summary>
    public bool HasArrived => _arrived.Count > 0;

    /// <summary>
    /// Hands over the streams that arrived since the last call. The owner calls it when it has processed all that came with one call of
    /// the system, so that a stream whose parts came together is handed over as a whole.
    /// </summary>
    public void PushArrived(long now)
    {
        foreach (StreamState stream in _arrived)
        {
            // Taken back with the early data that it was part of, or with the connection.
            if (stream.IsClosed)
            {
                continue;
            }

            stream.IsHandedOut = true;
            if (!TryPushWhole(stream))
            {
                _events.OnStreamArrived(stream);
                CloseIfSettled(stream, now);
            }
        }

        _arrived.Clear();
        if (_arrived.Capacity > Limits.ArrivedStreamsKept)
        {
            _arrived.Capacity = 0;
        }
    }

    /// <summary>Whole streams were taken: they count as read, and as gone.</summary>
    public void CreditWhole(long bytes, int streams, long now)
    {
        ConsumeOfConnection((ulong)bytes, now);
        for (int i = 0; i < streams; i++)
        {
            _incomingUnidirectional.OnClosed(abortedByPeer: false, now);
        }

        QueueStreamCredit(_incomingUnidirectional, now);
    }

    /// <summary>A whole stream was not taken: it is handed over as a stream like any other, whose bytes wait to be read.</summary>
    public void KeepWhole(ulong id, ReadOnlySpan<byte> data, bool isEarlyData, long arrivedAt)
    {
        StreamState stream = Create(id);
        stream.IsEarlyData = isEarlyData;
        stream.IsHandedOut = true;
        ReceiveHalf receive = stream.Receive!;
        receive.ArrivedAt = arrivedAt;
        _ = receive.Receive(0, data, fin: true, out _);
        _events.OnStreamArrived(stream);
    }

    private void BeginPushing(IncomingStreams incoming)
    {
        if (incoming.IsPushed)
        {
            return;
        }

        incoming.BeginPushing();
        foreach (StreamState stream in _streams.Values)
        {
            if (!IsOurs(stream.Id) && stream.IsBidirectional == incoming.IsBidirectional && !stream.IsHandedOut)
            {
                incoming.OpenPushed(StreamId.IndexOf(stream.Id));
                _arrived.Add(stream);
            }
        }
    }

    /// <summary>
    /// STREAM with all of a stream that is new; false for one that is not.
    /// </summary>
    private bool TryReceiveWhole(in StreamFrame frame, long now, out TransportError error)
    {
        error = TransportError.None;
        ulong index = StreamId.IndexOf(frame.StreamId);
        IncomingStreams incoming = _incomingUnidirectional;
        if (!incoming.IsNew(index))
        {
            return false;
        }

        // RFC 9000 section 4.6: the peer must not open more streams than it was told.
        if (index >= incoming.Announced)
        {
            error = new TransportError(TransportErrorCode.StreamLimitError, "more streams than allowed");
            return true;
        }

        // RFC 9000 section 4.1: nor may it exceed the credit of the stream or of the connection.
        ulong length = (ulong)frame.Data.Length;
        if (length > _options.Announced.MaxStreamDataUnidirectional)
        {
            error = new TransportError(TransportErrorCode.FlowControlError, "stream credit exceeded");
            return true;
        }

        if (length > _window.Limit - _receivedBytes)
        {
            error = new TransportError(TransportErrorCode.FlowControlError, "connection credit exceeded");
            return true;
        }

        incoming.OpenPushed(index);
        _receivedBytes += length;
        _window.OnReceived(now);
        _events.OnWholeStreamReceived(frame.StreamId, frame.Data, IsReceivingEarlyData, ArrivedAt);
        return true;
    }

    /// <summary>Hands over a stream of which all is there, and which is small.</summary>
    private bool TryPushWhole(StreamState stream)
    {
        if (stream.IsBidirectional
            || stream.Receive is not
            {
                State: ReceiveState.DataReceived or ReceiveState.DataRead,
                FinalSize: <= Limits.WholeStreamBytes and var size,
            } receive)
        {
            return false;
        }

        ReadOnlySpan<byte> bytes = receive.Assembler.PeekFirst();
        byte[]? joined = null;
        if ((ulong)bytes.Length < size)
        {
            joined = ArrayPool<byte>.Shared.Rent((int)size);
            receive.Assembler.Peek(joined.AsSpan(0, (int)size));
            bytes = joined.AsSpan(0, (int)size);
        }

        Forget(stream);
        _events.OnWholeStreamReceived(stream.Id, bytes, stream.IsEarlyData, receive.ArrivedAt);
        if (joined is not null)
        {
            ArrayPool<byte>.Shared.Return(joined);
        }

        receive.Assembler.Discard();
        stream.IsReleased = true;
        Recycle(stream);
        return true;
    }

    /// <summary>Counts what was sent of a whole stream, and tells when that is all of it.</summary>
    private void AfterSendingWhole(StreamState stream, long fresh)
    {
        if (stream.WholeUnsent == 0)
        {
            return;
        }

        long left = stream.Send!.Buffer is { UnsentBytes: 0, FinSent: true } ? 0 : stream.WholeUnsent - fresh;
        CountWhole(stream, left - stream.WholeUnsent);
        stream.WholeUnsent = left;
        if (left == 0)
        {
            _events.OnWholeStreamSent(stream.Token);
        }
    }

    /// <summary>Nothing of it will be sent for the first time any more.</summary>
    private void GiveUpWhole(StreamState stream)
    {
        CountWhole(stream, -stream.WholeUnsent);
        stream.WholeUnsent = 0;
    }

    /// <summary>What is bound to paths may wait for one of them for long: that must not keep out what can be sent.</summary>
    private void CountWhole(StreamState stream, long bytes) => _wholeUnsent += stream.Lane is null ? bytes : 0;

    private void ForgetWhole(StreamState stream)
    {
        GiveUpWhole(stream);
        _whole.Remove(stream.Token);
    }
}
