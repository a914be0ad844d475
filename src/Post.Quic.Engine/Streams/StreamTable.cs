using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Lanes;

namespace Post.Quic.Engine.Streams;

/// <summary>
/// All streams of a connection: opening, accepting, finding and forgetting them, and the credit that they share. This
/// part holds what the layers above call; what comes from the wire and what goes onto it stand in the other two files.
/// </summary>
internal sealed partial class StreamTable
{
    private readonly StreamTableOptions _options;
    private readonly IStreamEvents _events;
    private readonly BlockPool _pool;
    private readonly Dictionary<ulong, StreamState> _streams = [];
    private readonly StreamScheduler _scheduler;
    private readonly IncomingStreams _incomingBidirectional;
    private readonly IncomingStreams _incomingUnidirectional;

    private readonly FreeList<StreamState> _freeStreams = new(Limits.PooledStreamObjects);
    private readonly FreeList<SendHalf> _freeSends = new(Limits.PooledStreamObjects);
    private readonly FreeList<ReceiveHalf> _freeReceives = new(Limits.PooledStreamObjects);

    private StreamCredits _peer;
    private SendCredit _sendCredit;
    private SendCredit _openBidirectional;
    private SendCredit _openUnidirectional;
    private ReceiveWindow _window;
    private ulong _receivedBytes;
    private bool _creditWithheld;
    private PendingConnectionFrames _pending;

    public StreamTable(StreamTableOptions options, IStreamEvents events, BlockPool pool)
    {
        _options = options;
        _events = events;
        _pool = pool;
        _scheduler = new StreamScheduler(options.Lanes);
        StreamCredits announced = options.Announced;
        _window = new ReceiveWindow(announced.MaxData, Math.Max(announced.MaxData, options.MaxConnectionWindow));
        _incomingBidirectional = new IncomingStreams(announced.MaxStreamsBidirectional, bidirectional: true);
        _incomingUnidirectional = new IncomingStreams(announced.MaxStreamsUnidirectional, bidirectional: false);
    }

    /// <summary>Streams that are not forgotten yet.</summary>
    public int Count => _streams.Count;

    /// <summary>Streams that we opened since the connection began.</summary>
    public long OpenedByUs => (long)(_openBidirectional.Used + _openUnidirectional.Used);

    /// <summary>Streams that the peer opened since the connection began.</summary>
    public long OpenedByPeer => (long)(_incomingBidirectional.Opened + _incomingUnidirectional.Opened);

    /// <summary>The smoothed round-trip time in microseconds, for window growth.</summary>
    public long RoundTrip { get; set; } = 333_000;

    /// <summary>The frames that are being handled came in a 0-RTT packet.</summary>
    public bool IsReceivingEarlyData { get; set; }

    /// <summary>When the packet that is being processed reached the machine.</summary>
    public long ArrivedAt { get; set; }

    /// <summary>The peer announced that it understands RESET_STREAM_AT.</summary>
    public bool PeerKnowsResetStreamAt { get; set; }

    /// <summary>When <see cref="HandleTimeout"/> wants to be called.</summary>
    public long NextTimeout => Math.Min(_incomingBidirectional.NextTimeout, _incomingUnidirectional.NextTimeout);

    /// <summary>Bytes the peer lets us send on the connection.</summary>
    public ulong SendCreditLeft => _sendCredit.Available;

    /// <summary>How large the connection's receive window has grown.</summary>
    public ulong ReceiveWindowSize => _window.Size;

    /// <summary>Streams of a kind that we may still open.</summary>
    public ulong OpenCreditLeft(bool bidirectional) => OpenCredit(bidirectional).Available;

    /// <summary>
    /// Takes the peer's transport parameters, those remembered for 0-RTT as well as the real ones. Limits only rise
    /// (RFC 9000 section 7.4.1); that the real ones are not lower is checked before.
    /// </summary>
    public void ApplyPeerCredits(in StreamCredits credits)
    {
        _peer = credits;
        HandleMaxData(credits.MaxData);
        HandleMaxStreams(bidirectional: true, credits.MaxStreamsBidirectional);
        HandleMaxStreams(bidirectional: false, credits.MaxStreamsUnidirectional);
        foreach (StreamState stream in _streams.Values)
        {
            if (stream.Send is { } send && send.RaiseCredit(InitialSendCredit(stream.Id)))
            {
                _scheduler.Update(stream);
            }
        }
    }

    /// <summary>
    /// 0-RTT was rejected (RFC 9001 section 4.6.2): every stream we opened is undone, ids begin again, and the
    /// remembered limits are void. Call it before the real limits are applied, and forget the frames of the 0-RTT
    /// packets without reporting them: their stream ids will mean other streams.
    /// </summary>
    public void UndoEarlyData(long now)
    {
        StreamState[] streams = [.. _streams.Values];
        foreach (StreamState stream in streams)
        {
            if (IsOurs(stream.Id))
            {
                Forget(stream);
                stream.Send?.Buffer.Clear();
                _events.OnStreamRejected(stream);
                Recycle(stream);
            }
        }

        _peer = default;
        _sendCredit = default;
        _openBidirectional = default;
        _openUnidirectional = default;
        _pending = _window.UpdateDue ? PendingConnectionFrames.MaxData : PendingConnectionFrames.None;
        QueueStreamCredit(_incomingBidirectional, now);
        QueueStreamCredit(_incomingUnidirectional, now);
    }

    /// <summary>Opens a stream, or fails for lack of the peer's permission: then the peer is told, and OnStreamCredit follows.</summary>
    public bool TryOpen(bool bidirectional, out StreamState? stream)
    {
        ref SendCredit credit = ref OpenCredit(bidirectional);
        if (credit.Available == 0)
        {
            if (credit.TryBlock())
            {
                _pending |= bidirectional
                    ? PendingConnectionFrames.StreamsBlockedBidirectional
                    : PendingConnectionFrames.StreamsBlockedUnidirectional;
            }

            stream = null;
            return false;
        }

        ulong id = StreamId.Create(credit.Used, bidirectional, _options.IsServer);
        credit.Use(1);
        stream = Create(id);
        stream.IsHandedOut = true;
        return true;
    }

    /// <summary>
    /// The next stream that the peer opened, in the order of ids: both ends see one order of creation (RFC 9000
    /// section 3.2), also where packets overtook each other.
    /// </summary>
    public bool TryAccept(bool bidirectional, long now, out StreamState? stream)
    {
        IncomingStreams incoming = Incoming(bidirectional);
        if (!incoming.HasToAccept)
        {
            stream = null;
            return false;
        }

        ulong id = StreamId.Create(incoming.TakeNext(), bidirectional, !_options.IsServer);
        if (!_streams.TryGetValue(id, out stream))
        {
            stream = Create(id);
        }

        stream.IsHandedOut = true;
        CloseIfSettled(stream, now);
        return true;
    }

    public bool TryGet(ulong id, out StreamState? stream) => _streams.TryGetValue(id, out stream);

    /// <summary>Keeps nothing for streams to come: a connection that was busy once does not hold for ever what it needed then.</summary>
    public void Rest()
    {
        _freeStreams.Clear();
        _freeSends.Clear();
        _freeReceives.Clear();
        _pool.Rest();
        _streams.TrimExcess();
        _whole.TrimExcess();
    }

    /// <summary>Gives back credit that was held back.</summary>
    public void HandleTimeout(long now)
    {
        QueueStreamCredit(_incomingBidirectional, now);
        QueueStreamCredit(_incomingUnidirectional, now);
    }

    /// <summary>The connection is over: all streams are forgotten.</summary>
    public void Abandon()
    {
        StreamState[] streams = [.. _streams.Values];
        foreach (StreamState stream in streams)
        {
            Forget(stream);
            stream.Send?.Buffer.Clear();
            if (stream.Receive is { } receive)
            {
                receive.TakeTarget();
                receive.Assembler.Discard();
            }

            Recycle(stream);
        }
    }

    internal void OnSendChanged(StreamState stream) => _scheduler.Update(stream);

    internal void SetUrgency(StreamState stream, SendUrgency urgency)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(urgency.Class);
        stream.Urgency = urgency;
        if (!stream.IsClosed && stream.Send is not null)
        {
            _scheduler.Move(stream);
        }
    }

    internal void SetPaths(StreamState stream, PathSet paths, int copies)
    {
        if (stream.IsClosed || stream.Send is null)
        {
            return;
        }

        // Joined before the other is left: that one need not be given up if it is the same.
        Lane lane = _options.Lanes.Join(paths, copies);
        _scheduler.Remove(stream);
        LeaveLane(stream);
        stream.Lane = lane;
        _scheduler.Update(stream);
    }

    internal void ResetStream(StreamState stream, ulong errorCode, ulong reliableSize)
    {
        if (stream.IsClosed || stream.Send is not { } send
            || !send.Reset(errorCode, PeerKnowsResetStreamAt ? reliableSize : 0))
        {
            return;
        }

        if (stream.IsWhole)
        {
            GiveUpWhole(stream);
        }

        _scheduler.Update(stream);
        if (send.IsResetReady)
        {
            _scheduler.AddPending(stream, PendingStreamFrames.Reset);
        }
    }

    internal void StopReading(StreamState stream, ulong errorCode, long now)
    {
        if (stream.IsClosed || stream.Receive is not { } receive)
        {
            return;
        }

        if (receive.Stop(errorCode))
        {
            // RFC 9000 section 3.5: only while the size is unknown; after that there is nothing left to stop.
            _scheduler.AddPending(stream, PendingStreamFrames.StopSending);
        }

        OnConsumed(stream, now);
    }

    internal void Release(StreamState stream, ulong errorCode, long now)
    {
        if (stream.IsReleased)
        {
            return;
        }

        stream.IsReleased = true;
        if (stream.IsClosed)
        {
            Recycle(stream);
            return;
        }

        if (stream.Send is { IsWritable: true })
        {
            ResetStream(stream, errorCode, reliableSize: 0);
        }

        if (stream.Receive is { } receive)
        {
            receive.AcknowledgeReset();
            StopReading(stream, errorCode, now);
        }
    }

    /// <summary>The reader of a stream made progress: credit follows it.</summary>
    internal void OnConsumed(StreamState stream, long now)
    {
        if (stream.IsClosed || stream.Receive is not { } receive)
        {
            return;
        }

        ulong freed = receive.Settle();
        if (freed > 0)
        {
            if (receive.Window.Consume(freed, now, RoundTrip))
            {
                // One stream alone must be able to use the window it earned.
                _window.GrowTo(receive.Window.Size + (receive.Window.Size / 2));
            }

            ConsumeOfConnection(freed, now);
            if (receive.WantsCredit && receive.Window.UpdateDue)
            {
                _scheduler.AddPending(stream, PendingStreamFrames.MaxStreamData);
            }
        }

        CloseIfSettled(stream, now);
    }

    private void ConsumeOfConnection(ulong count, long now)
    {
        _window.Consume(count, now, RoundTrip);
        if (_window.UpdateDue)
        {
            _pending |= PendingConnectionFrames.MaxData;
        }
    }

    private bool IsOurs(ulong id) => StreamId.IsServerInitiated(id) == _options.IsServer;

    private IncomingStreams Incoming(bool bidirectional) =>
        bidirectional ? _incomingBidirectional : _incomingUnidirectional;

    private ref SendCredit OpenCredit(bool bidirectional)
    {
        if (bidirectional)
        {
            return ref _openBidirectional;
        }

        return ref _openUnidirectional;
    }

    // "Local" and "remote" in the parameters are meant from the side that sent them (RFC 9000 section 18.2).
    private ulong InitialSendCredit(ulong id) =>
        !StreamId.IsBidirectional(id) ? _peer.MaxStreamDataUnidirectional
        : IsOurs(id) ? _peer.MaxStreamDataBidirectionalRemote
        : _peer.MaxStreamDataBidirectionalLocal;

    private ulong InitialReceiveWindow(ulong id) =>
        !StreamId.IsBidirectional(id) ? _options.Announced.MaxStreamDataUnidirectional
        : IsOurs(id) ? _options.Announced.MaxStreamDataBidirectionalLocal
        : _options.Announced.MaxStreamDataBidirectionalRemote;

    private StreamState Create(ulong id)
    {
        SendHalf? send = null;
        ReceiveHalf? receive = null;
        if (StreamId.IsBidirectional(id) || IsOurs(id))
        {
            send = _freeSends.Take() ?? new SendHalf(_pool);
            send.Open(InitialSendCredit(id), _options.SendBufferSize);
        }

        if (StreamId.IsBidirectional(id) || !IsOurs(id))
        {
            receive = _freeReceives.Take() ?? new ReceiveHalf(_pool);
            ulong window = InitialReceiveWindow(id);
            receive.Open(window, Math.Max(window, _options.MaxStreamWindow));
        }

        StreamState stream = _freeStreams.Take() ?? new StreamState(this);
        stream.Attach(id, send, receive);
        _streams.Add(id, stream);
        return stream;
    }

    /// <summary>Tells that the sending side is settled, and closes the stream when both are.</summary>
    private void CloseIfSettled(StreamState stream, long now)
    {
        if (stream.IsClosed)
        {
            return;
        }

        if (stream.Send is { IsSettled: true } && !stream.SendSettledReported)
        {
            stream.SendSettledReported = true;
            _scheduler.Update(stream);
            if (!stream.IsWhole)
            {
                _events.OnStreamSendSettled(stream);
            }
            else if (!stream.Send.IsReset)
            {
                _events.OnWholeStreamAcknowledged(stream.Token);
            }
        }

        if (stream.IsClosed || !stream.IsHandedOut
            || stream.Send is { IsSettled: false } || stream.Receive is { IsSettled: false })
        {
            return;
        }

        Forget(stream);
        if (!IsOurs(stream.Id))
        {
            IncomingStreams incoming = Incoming(stream.IsBidirectional);
            incoming.OnClosed(stream.IsAbortedByPeer, now);
            QueueStreamCredit(incoming, now);
        }

        _events.OnStreamClosed(stream);
        Recycle(stream);
    }

    private void QueueStreamCredit(IncomingStreams incoming, long now)
    {
        incoming.Release(now);
        if (incoming.UpdateDue)
        {
            _pending |= incoming.IsBidirectional
                ? PendingConnectionFrames.MaxStreamsBidirectional
                : PendingConnectionFrames.MaxStreamsUnidirectional;
        }
    }

    private void Forget(StreamState stream)
    {
        stream.IsClosed = true;
        if (stream.IsWhole)
        {
            ForgetWhole(stream);
        }

        stream.Pending = PendingStreamFrames.None;
        _streams.Remove(stream.Id);
        _scheduler.Remove(stream);
        LeaveLane(stream);
    }

    private void LeaveLane(StreamState stream)
    {
        if (stream.Lane is { } lane)
        {
            stream.Lane = null;
            _options.Lanes.Leave(lane);
        }
    }

    /// <summary>Keeps the objects of a stream that nobody refers to any more.</summary>
    private void Recycle(StreamState stream)
    {
        // While a list still holds it, its time has not come.
        if (!stream.IsReleased || !stream.IsClosed || stream.IsInPendingList
            || (stream.Send is null && stream.Receive is null))
        {
            return;
        }

        (SendHalf? send, ReceiveHalf? receive) = stream.Detach();
        if (send is not null)
        {
            send.Clear();
            _freeSends.Give(send);
        }

        if (receive is not null)
        {
            receive.Clear();
            _freeReceives.Give(receive);
        }

        _freeStreams.Give(stream);
    }
}
