using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Streams;

/// <content>Frames of the peer.</content>
internal sealed partial class StreamTable
{
    /// <summary>STREAM (RFC 9000 section 19.8).</summary>
    public TransportError Handle(in StreamFrame frame, long now)
    {
        if (frame is { Offset: 0, Fin: true }
            && PushesStreams
            && !IsOurs(frame.StreamId)
            && !StreamId.IsBidirectional(frame.StreamId)
            && TryReceiveWhole(frame, now, out TransportError error))
        {
            return error;
        }

        error = FindForReceiving(frame.StreamId, out StreamState? stream);
        if (error.IsError || stream is null)
        {
            return error;
        }

        stream.IsEarlyData |= IsReceivingEarlyData;
        ReceiveHalf receive = stream.Receive!;
        receive.ArrivedAt = ArrivedAt;
        error = CountReceived(receive, frame.EndOffset, frame.Fin, now);
        if (error.IsError)
        {
            return error;
        }

        error = receive.Receive(frame.Offset, frame.Data, frame.Fin, out bool readable);
        if (error.IsError)
        {
            return error;
        }

        AfterReceiving(stream, readable, now);
        return TransportError.None;
    }

    /// <summary>RESET_STREAM (RFC 9000 section 19.4).</summary>
    public TransportError Handle(in ResetStreamFrame frame, long now) =>
        HandleReset(frame.StreamId, frame.ErrorCode, frame.FinalSize, 0, now);

    /// <summary>RESET_STREAM_AT (draft-ietf-quic-reliable-stream-reset section 4).</summary>
    public TransportError Handle(in ResetStreamAtFrame frame, long now) =>
        HandleReset(frame.StreamId, frame.ErrorCode, frame.FinalSize, frame.ReliableSize, now);

    /// <summary>STOP_SENDING (RFC 9000 section 19.5).</summary>
    public TransportError Handle(in StopSendingFrame frame, long now)
    {
        TransportError error = FindForSending(frame.StreamId, out StreamState? stream);
        if (error.IsError || stream is null)
        {
            return error;
        }

        // RFC 9000 section 3.5: answered with RESET_STREAM, which should carry the same code. A stream that is reset
        // already keeps its own, but owes nothing more of what it promised to deliver: nobody reads it, and the peer gives
        // no credit that it could still be sent on.
        SendHalf send = stream.Send!;
        bool isNews = !send.IsReset && !send.IsSettled;
        stream.IsStoppedByPeer |= isNews;
        ResetStream(stream, frame.ErrorCode, reliableSize: 0);
        if (isNews)
        {
            if (stream.IsWhole)
            {
                _events.OnWholeStreamStopped(stream.Token, frame.ErrorCode);
            }
            else
            {
                _events.OnStopSending(stream, frame.ErrorCode);
            }
        }

        return TransportError.None;
    }

    /// <summary>MAX_DATA (RFC 9000 section 19.9).</summary>
    public void HandleMaxData(ulong limit) => _sendCredit.Raise(limit);

    /// <summary>MAX_STREAM_DATA (RFC 9000 section 19.10).</summary>
    public TransportError Handle(in MaxStreamDataFrame frame)
    {
        TransportError error = FindForSending(frame.StreamId, out StreamState? stream);
        if (!error.IsError && stream is not null && stream.Send!.RaiseCredit(frame.Limit))
        {
            _scheduler.Update(stream);
        }

        return error;
    }

    /// <summary>MAX_STREAMS (RFC 9000 section 19.11).</summary>
    public void HandleMaxStreams(bool bidirectional, ulong limit)
    {
        if (OpenCredit(bidirectional).Raise(Math.Min(limit, StreamId.MaxCount)))
        {
            _events.OnStreamCredit(bidirectional);
        }
    }

    /// <summary>STREAM_DATA_BLOCKED (RFC 9000 section 19.13): credit follows the reader, so there is nothing to answer.</summary>
    public TransportError Handle(in StreamDataBlockedFrame frame) => FindForReceiving(frame.StreamId, out _);

    private TransportError HandleReset(ulong id, ulong code, ulong finalSize, ulong reliableSize, long now)
    {
        TransportError error = FindForReceiving(id, out StreamState? stream);
        if (error.IsError || stream is null)
        {
            return error;
        }

        // RFC 9000 section 4.5: the final size counts for flow control, whether its bytes were sent or not.
        ReceiveHalf receive = stream.Receive!;
        error = CountReceived(receive, finalSize, isFinal: true, now);
        if (error.IsError)
        {
            return error;
        }

        error = receive.ReceiveReset(code, finalSize, reliableSize, out bool readable);
        if (error.IsError)
        {
            return error;
        }

        AfterReceiving(stream, readable, now);
        return TransportError.None;
    }

    private void AfterReceiving(StreamState stream, bool readable, long now)
    {
        if (readable && stream.IsHandedOut)
        {
            _events.OnStreamReadable(stream);
        }

        OnConsumed(stream, now);
    }

    private TransportError CountReceived(ReceiveHalf receive, ulong end, bool isFinal, long now)
    {
        TransportError error = receive.Check(end, isFinal, out ulong growth);
        if (error.IsError)
        {
            return error;
        }

        // RFC 9000 section 4.1: the sum over all streams is bounded as well.
        if (growth > _window.Limit - _receivedBytes)
        {
            return new TransportError(TransportErrorCode.FlowControlError, "connection credit exceeded");
        }

        _receivedBytes += growth;
        receive.Window.OnReceived(now);
        _window.OnReceived(now);
        return TransportError.None;
    }

    /// <summary>The stream of a frame that speaks about what the peer sends; null where it is closed and forgotten.</summary>
    private TransportError FindForReceiving(ulong id, out StreamState? stream)
    {
        // RFC 9000 sections 19.4, 19.8, 19.13: not for a stream that only we send on.
        if (IsOurs(id) && !StreamId.IsBidirectional(id))
        {
            stream = null;
            return new TransportError(TransportErrorCode.StreamStateError, "data frame for a send-only stream");
        }

        return Find(id, out stream);
    }

    /// <summary>The stream of a frame that speaks about what we send; null where it is closed and forgotten.</summary>
    private TransportError FindForSending(ulong id, out StreamState? stream)
    {
        // RFC 9000 sections 19.5, 19.10: not for a stream that only the peer sends on.
        if (!IsOurs(id) && !StreamId.IsBidirectional(id))
        {
            stream = null;
            return new TransportError(TransportErrorCode.StreamStateError, "credit frame for a receive-only stream");
        }

        return Find(id, out stream);
    }

    private TransportError Find(ulong id, out StreamState? stream)
    {
        if (_streams.TryGetValue(id, out stream))
        {
            return TransportError.None;
        }

        ulong index = StreamId.IndexOf(id);
        bool bidirectional = StreamId.IsBidirectional(id);
        if (IsOurs(id))
        {
            // RFC 9000 sections 19.4, 19.5, 19.8, 19.10, 19.13: a stream of ours that we have not opened.
            return index >= OpenCredit(bidirectional).Used
                ? new TransportError(TransportErrorCode.StreamStateError, "frame for a stream that was not opened")
                : TransportError.None;
        }

        IncomingStreams incoming = Incoming(bidirectional);
        if (incoming.IsPushed ? !incoming.IsNew(index) : index < incoming.Accepted)
        {
            return TransportError.None;
        }

        // RFC 9000 section 4.6: the peer must not open more streams than it was told.
        if (index >= incoming.Announced)
        {
            return new TransportError(TransportErrorCode.StreamLimitError, "more streams than allowed");
        }

        // RFC 9000 section 3.2: all lower ones are open with it. They cost nothing until something is known of them.
        bool first = index >= incoming.Opened;
        stream = Create(id);
        stream.IsEarlyData = IsReceivingEarlyData;
        if (incoming.IsPushed)
        {
            incoming.OpenPushed(index);
            _arrived.Add(stream);
            return TransportError.None;
        }

        incoming.OpenUpTo(index);
        if (first)
        {
            _events.OnStreamsToAccept(bidirectional);
        }

        return TransportError.None;
    }
}
