using Post.Quic.Engine.InFlight;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Streams;

/// <content>Frames to the peer, and what became of them.</content>
internal sealed partial class StreamTable
{
    /// <summary>A stream's data is cut in two for the rest of a packet only where at least this much goes into it.</summary>
    private const int SmallestPart = 32;

    // One byte of type and up to four values; that a packet's last few bytes stay unused does not matter.
    private const int LargestControlFrame = 1 + (4 * VarInt.MaxLength);

    /// <summary>Flow-control and reset frames wait; they go before any data.</summary>
    public bool HasControlToSend =>
        _pending != PendingConnectionFrames.None || _scheduler.HasPending || NeedsDataBlocked;

    public bool HasDataToSend => _scheduler.HasData(_sendCredit.Available > 0);

    /// <summary>Data waits that was lost, or that is overdue.</summary>
    public bool HasRepairToSend => _scheduler.HasRepair;

    /// <summary>Bytes of a class and of more urgent ones that are still to be sent for the first time, those that are only expected as well.</summary>
    public long DueUpTo(int urgencyClass) => _scheduler.DueUpTo(urgencyClass);

    /// <summary>Anything to send at all.</summary>
    public bool HasFramesToSend => HasControlToSend || HasDataToSend;

    /// <summary>Bytes that were written, may be sent as far as each stream's own credit goes, and were not sent yet.</summary>
    public long UnsentBytes => _scheduler.UnsentBytes;

    /// <summary>A repetition with less time left than this is the last: its loss would be noticed too late. Microseconds.</summary>
    public long LastTryTime { get; set; }

    /// <summary>Unsent bytes beyond which a write waits until its own are sent, where it wants to.</summary>
    public long UnsentLimit { get; set; } = long.MaxValue;

    /// <summary>More waits to be sent than the path will soon take.</summary>
    public bool IsBacklogged => _scheduler.UnsentBytes > UnsentLimit;

    /// <summary>At most so many bytes does the frame take that goes first, with all that is left of its stream or of a lost part of it.</summary>
    public long FirstSize
    {
        get
        {
            if (HasControlToSend || !_scheduler.TryPeek(_sendCredit.Available > 0, out StreamState stream, out _))
            {
                return LargestControlFrame;
            }

            OffsetRange range = Next(stream.Send!);
            int length = (int)Math.Min(range.Length, int.MaxValue);
            return StreamFrame.HeaderLength(stream.Id, range.Start, length, withLength: true) + (long)length;
        }
    }

    /// <summary>Data waits until the peer takes more on the connection.</summary>
    public bool AwaitsCredit => _scheduler.HasFresh && _sendCredit.Available == 0;

    private bool NeedsDataBlocked => AwaitsCredit && !_sendCredit.WasToldBlocked;

    /// <summary>How urgent the most urgent data is, to be compared with what else wants to be sent.</summary>
    public bool TryPeekUrgency(out SendUrgency urgency) =>
        _scheduler.TryPeek(_sendCredit.Available > 0, out _, out urgency);

    public bool WriteControl(ref WireWriter writer, SentFrameLog log, long now)
    {
        int start = writer.Position;
        if (NeedsDataBlocked && _sendCredit.TryBlock())
        {
            _pending |= PendingConnectionFrames.DataBlocked;
        }

        bool saidMaxData = (_pending & PendingConnectionFrames.MaxData) != 0;
        if (_pending != PendingConnectionFrames.None)
        {
            WriteConnectionControl(ref writer, log, now);
            saidMaxData &= (_pending & PendingConnectionFrames.MaxData) == 0;
        }

        while (_scheduler.FirstPending is { } stream)
        {
            if (!WriteStreamControl(stream, ref writer, log, ref saidMaxData, now))
            {
                break;
            }

            _scheduler.RemoveFirstPending();
            Recycle(stream);
        }

        return writer.Position > start;
    }

    /// <summary>
    /// Data of streams that are at least as urgent as <paramref name="limit"/>. The last frame goes without its length
    /// where it fills the packet, so nothing may follow once <see cref="WireWriter.Remaining"/> is 0.
    /// </summary>
    public bool WriteData(ref WireWriter writer, SentFrameLog log, SendUrgency limit, long now)
    {
        int start = writer.Position;
        while (_scheduler.TryPeek(_sendCredit.Available > 0, out StreamState stream, out SendUrgency urgency)
            && urgency <= limit)
        {
            bool isLastTry = stream.Send!.NeedsRepair && urgency.Deadline > now && urgency.Deadline - now < LastTryTime;
            if (!WriteStreamFrame(stream, ref writer, log))
            {
                break;
            }

            if (isLastTry)
            {
                log.Mark(new LastTry(urgency.Class, urgency.Deadline));
            }
        }

        return writer.Position > start;
    }

    /// <summary>A STREAM frame that was sent is still owed: its stream was not reset, and not all of it is acknowledged.</summary>
    public bool IsOwed(in SentFrame frame) =>
        _streams.TryGetValue(frame.Id, out StreamState? stream)
        && stream.Send is { IsReset: false, IsSettled: false } send
        && (frame.Offset + frame.Length > send.Buffer.AckedOffset || (frame.Fin && !send.Buffer.FinAcked));

    /// <summary>A frame of ours was acknowledged.</summary>
    public void OnAcked(in SentFrame frame, long now)
    {
        if (frame.Kind is not (SentFrameKind.Stream or SentFrameKind.ResetStream or SentFrameKind.ResetStreamAt)
            || !_streams.TryGetValue(frame.Id, out StreamState? stream))
        {
            return;
        }

        SendHalf send = stream.Send!;
        if (frame.Kind == SentFrameKind.Stream)
        {
            send.OnAcked(frame.Offset, frame.Length, frame.Fin);
            _scheduler.Update(stream);
            if (send.WriterWaits && send.Buffer.CopyRoom > 0)
            {
                send.WriterWaits = false;
                _events.OnStreamWritable(stream);
            }
        }
        else
        {
            send.OnResetAcked(frame.Offset);
        }

        if (send.IsSettled)
        {
            CloseIfSettled(stream, now);
        }
    }

    /// <summary>A frame of ours was lost, or is to be repeated in a probe: what still matters is sent again.</summary>
    public void OnLost(in SentFrame frame, long now)
    {
        switch (frame.Kind)
        {
            // A limit that is not the newest any more was overtaken by a later frame (RFC 9000 section 13.3).
            case SentFrameKind.MaxData when frame.Offset == _window.Limit:
                _pending |= PendingConnectionFrames.MaxData;
                return;
            case SentFrameKind.MaxStreamsBidirectional when frame.Offset == _incomingBidirectional.Announced:
                _pending |= PendingConnectionFrames.MaxStreamsBidirectional;
                return;
            case SentFrameKind.MaxStreamsUnidirectional when frame.Offset == _incomingUnidirectional.Announced:
                _pending |= PendingConnectionFrames.MaxStreamsUnidirectional;
                return;

            // RFC 9000 section 13.3: BLOCKED frames are repeated only while they are still true.
            case SentFrameKind.DataBlocked when _scheduler.HasFresh && _sendCredit.IsStillBlockedAt(frame.Offset):
                _pending |= PendingConnectionFrames.DataBlocked;
                return;
            case SentFrameKind.StreamsBlockedBidirectional when _openBidirectional.IsStillBlockedAt(frame.Offset):
                _pending |= PendingConnectionFrames.StreamsBlockedBidirectional;
                return;
            case SentFrameKind.StreamsBlockedUnidirectional when _openUnidirectional.IsStillBlockedAt(frame.Offset):
                _pending |= PendingConnectionFrames.StreamsBlockedUnidirectional;
                return;
        }

        if (_streams.TryGetValue(frame.Id, out StreamState? stream))
        {
            OnStreamFrameLost(stream, frame, now);
        }
    }

    private void OnStreamFrameLost(StreamState stream, in SentFrame frame, long now)
    {
        switch (frame.Kind)
        {
            case SentFrameKind.Stream when stream.Send is { } send:
                send.OnLost(frame.Offset, frame.Length, frame.Fin);
                _scheduler.Update(stream);
                break;
            case SentFrameKind.ResetStream or SentFrameKind.ResetStreamAt
                when stream.Send is { IsResetReady: true } send && send.ReliableSize == frame.Offset:
                _scheduler.AddPending(stream, PendingStreamFrames.Reset);
                break;
            case SentFrameKind.StopSending when stream.Receive is { IsStopped: true, IsFinalSizeKnown: false }:
                _scheduler.AddPending(stream, PendingStreamFrames.StopSending);
                break;
            case SentFrameKind.MaxStreamData
                when stream.Receive is { WantsCredit: true } receive && receive.LastCredit == frame.Offset:
                _scheduler.AddPending(stream, PendingStreamFrames.MaxStreamData);
                break;
            case SentFrameKind.StreamDataBlocked
                when stream.Send is { } blocked && blocked.IsBlockedAt(frame.Offset):
                _scheduler.AddPending(stream, PendingStreamFrames.StreamDataBlocked);
                break;
        }
    }

    private void WriteConnectionControl(ref WireWriter writer, SentFrameLog log, long now)
    {
        // Each is at most one byte of type and eight of value.
        const int Largest = 1 + VarInt.MaxLength;
        if (Take(PendingConnectionFrames.MaxData, writer.Remaining >= Largest))
        {
            WriteMaxData(ref writer, log, now);
        }

        if (Take(PendingConnectionFrames.MaxStreamsBidirectional, writer.Remaining >= Largest))
        {
            ulong limit = _incomingBidirectional.Announce();
            new MaxStreamsFrame(true, limit).Write(ref writer);
            log.Record(new SentFrame(SentFrameKind.MaxStreamsBidirectional, 0, limit));
        }

        if (Take(PendingConnectionFrames.MaxStreamsUnidirectional, writer.Remaining >= Largest))
        {
            ulong limit = _incomingUnidirectional.Announce();
            new MaxStreamsFrame(false, limit).Write(ref writer);
            log.Record(new SentFrame(SentFrameKind.MaxStreamsUnidirectional, 0, limit));
        }

        if (Take(PendingConnectionFrames.DataBlocked, writer.Remaining >= Largest) && _sendCredit.Available == 0)
        {
            new DataBlockedFrame(_sendCredit.Limit).Write(ref writer);
            log.Record(new SentFrame(SentFrameKind.DataBlocked, 0, _sendCredit.Limit));
        }

        if (Take(PendingConnectionFrames.StreamsBlockedBidirectional, writer.Remaining >= Largest)
            && _openBidirectional.Available == 0)
        {
            new StreamsBlockedFrame(true, _openBidirectional.Limit).Write(ref writer);
            log.Record(new SentFrame(SentFrameKind.StreamsBlockedBidirectional, 0, _openBidirectional.Limit));
        }

        if (Take(PendingConnectionFrames.StreamsBlockedUnidirectional, writer.Remaining >= Largest)
            && _openUnidirectional.Available == 0)
        {
            new StreamsBlockedFrame(false, _openUnidirectional.Limit).Write(ref writer);
            log.Record(new SentFrame(SentFrameKind.StreamsBlockedUnidirectional, 0, _openUnidirectional.Limit));
        }
    }

    private bool Take(PendingConnectionFrames kind, bool fits)
    {
        bool take = fits && (_pending & kind) != 0;
        if (take)
        {
            _pending &= ~kind;
        }

        return take;
    }

    /// <summary>The control frames of one stream; false where the packet has no room for all of them.</summary>
    private bool WriteStreamControl(StreamState stream, ref WireWriter writer, SentFrameLog log, ref bool saidMaxData, long now)
    {
        if ((stream.Pending & PendingStreamFrames.Reset) != 0)
        {
            if (writer.Remaining < LargestControlFrame)
            {
                return false;
            }

            stream.Pending &= ~PendingStreamFrames.Reset;
            WriteReset(stream.Id, stream.Send!, ref writer, log);
        }

        if ((stream.Pending & PendingStreamFrames.StopSending) != 0)
        {
            if (writer.Remaining < LargestControlFrame)
            {
                return false;
            }

            stream.Pending &= ~PendingStreamFrames.StopSending;
            if (stream.Receive is { IsStopped: true, IsFinalSizeKnown: false } receive)
            {
                new StopSendingFrame(stream.Id, receive.StopCode).Write(ref writer);
                log.Record(new SentFrame(SentFrameKind.StopSending, stream.Id));
            }
        }

        if ((stream.Pending & PendingStreamFrames.MaxStreamData) != 0)
        {
            if (writer.Remaining < LargestControlFrame)
            {
                return false;
            }

            stream.Pending &= ~PendingStreamFrames.MaxStreamData;
            if (stream.Receive is { WantsCredit: true } receive)
            {
                WriteStreamCredit(stream.Id, receive, ref writer, log, ref saidMaxData, now);
            }
        }

        if ((stream.Pending & PendingStreamFrames.StreamDataBlocked) != 0)
        {
            if (writer.Remaining < LargestControlFrame)
            {
                return false;
            }

            stream.Pending &= ~PendingStreamFrames.StreamDataBlocked;
            if (stream.Send is { } send && send.IsBlockedAt(send.MaxStreamData))
            {
                new StreamDataBlockedFrame(stream.Id, send.MaxStreamData).Write(ref writer);
                log.Record(new SentFrame(SentFrameKind.StreamDataBlocked, stream.Id, send.MaxStreamData));
            }
        }

        return true;
    }

    /// <summary>
    /// MAX_STREAM_DATA, and MAX_DATA before it in the same packet: a peer that goes by the stream's credit alone must never have more of
    /// it than the connection's, not even while another packet with the connection's is lost.
    /// </summary>
    private void WriteStreamCredit(
        ulong id, ReceiveHalf receive, ref WireWriter writer, SentFrameLog log, ref bool saidMaxData, long now)
    {
        receive.IsCreditWithheld = false;
        if (!saidMaxData)
        {
            saidMaxData = true;
            WriteMaxData(ref writer, log, now);
        }

        // What other streams received and nobody read is taken from the connection's credit, so it is not this stream's to give.
        ulong most = receive.HighestOffset + (_window.Limit - _receivedBytes);
        receive.Window.Announce(now, most);
        receive.LastCredit = Math.Min(receive.Window.Limit, most);
        new MaxStreamDataFrame(id, receive.LastCredit).Write(ref writer);
        log.Record(new SentFrame(SentFrameKind.MaxStreamData, id, receive.LastCredit));
        if (most < receive.Window.NextLimit)
        {
            receive.IsCreditWithheld = true;
            _creditWithheld = true;
        }
    }

    private void WriteMaxData(ref WireWriter writer, SentFrameLog log, long now)
    {
        ulong limit = _window.Announce(now);
        new MaxDataFrame(limit).Write(ref writer);
        log.Record(new SentFrame(SentFrameKind.MaxData, 0, limit));
        _pending &= ~PendingConnectionFrames.MaxData;
        if (_creditWithheld)
        {
            _creditWithheld = false;
            ReleaseCredit();
        }
    }

    /// <summary>The connection has credit again: streams that had to wait for it have theirs.</summary>
    private void ReleaseCredit()
    {
        foreach (StreamState stream in _streams.Values)
        {
            if (stream.Receive is { IsCreditWithheld: true } receive)
            {
                receive.IsCreditWithheld = false;
                if (receive.WantsCredit)
                {
                    _scheduler.AddPending(stream, PendingStreamFrames.MaxStreamData);
                }
            }
        }
    }

    private static void WriteReset(ulong id, SendHalf send, ref WireWriter writer, SentFrameLog log)
    {
        if (!send.IsResetReady)
        {
            return;
        }

        send.ResetAnnounced = true;
        if (send.ReliableSize > 0)
        {
            new ResetStreamAtFrame(id, send.ResetCode, send.FinalSize, send.ReliableSize).Write(ref writer);
            log.Record(new SentFrame(SentFrameKind.ResetStreamAt, id, send.ReliableSize));
        }
        else
        {
            new ResetStreamFrame(id, send.ResetCode, send.FinalSize).Write(ref writer);
            log.Record(new SentFrame(SentFrameKind.ResetStream, id));
        }
    }

    /// <summary>One STREAM frame; false where the rest of the packet is too small for it.</summary>
    private bool WriteStreamFrame(StreamState stream, ref WireWriter writer, SentFrameLog log)
    {
        SendHalf send = stream.Send!;
        SendBuffer buffer = send.Buffer;
        OffsetRange range = Next(send);
        ulong id = stream.Id;
        int available = (int)Math.Min(range.Length, int.MaxValue);
        int bare = StreamFrame.HeaderLength(id, range.Start, 0, withLength: false);
        int roomWithoutLength = writer.Remaining - bare;
        int length = Math.Min(available, StreamFrame.MaxData(writer.Remaining, id, range.Start));
        bool withLength = true;
        if (roomWithoutLength > 0 && available >= roomWithoutLength)
        {
            length = roomWithoutLength;
            withLength = false;
        }

        if (length < 0 || length < Math.Min(available, SmallestPart))
        {
            return false;
        }

        bool fin = buffer.EndsAt(range.Start + (ulong)length);
        StreamFrame.WriteHeader(ref writer, id, range.Start, length, fin, withLength);
        if (length > 0)
        {
            buffer.CopyTo(range.Start, writer.Rest[..length]);
            writer.Advance(length);
        }

        ulong fresh = buffer.SentOffset;
        send.OnSent(range.Start, length, fin);
        fresh = buffer.SentOffset - fresh;
        _sendCredit.Use(fresh);
        log.Record(SentFrame.Stream(id, range.Start, (uint)length, fin));
        _scheduler.Charge(stream, length);
        if (stream.IsWhole)
        {
            AfterSendingWhole(stream, (long)fresh);
        }

        AfterSending(stream, send);
        return true;
    }

    private OffsetRange Next(SendHalf send)
    {
        ulong credit = Math.Min(send.MaxStreamData, send.Buffer.SentOffset + _sendCredit.Available);
        send.Buffer.TryGetNext(credit, out OffsetRange range);
        return range;
    }

    private void AfterSending(StreamState stream, SendHalf send)
    {
        if (send.WriterAwaitsSent && send.Buffer.UnsentBytes == 0)
        {
            send.WriterAwaitsSent = false;
            _events.OnStreamSent(stream);
        }

        if (send.State == SendState.ResetSent)
        {
            if (send.IsResetReady && !send.ResetAnnounced)
            {
                _scheduler.AddPending(stream, PendingStreamFrames.Reset);
            }
        }
        else if (send.TryBlock())
        {
            _scheduler.AddPending(stream, PendingStreamFrames.StreamDataBlocked);
        }
    }
}
