using System.Net;
using Post.Sockets.Transport;

namespace Post.Sockets.Testing;

/// <summary>One end of a connection of the in-memory network.</summary>
internal sealed partial class InMemoryConnection : TransportConnection
{
    /// <summary>Whole streams without an acknowledgement; against callers that never look at <see cref="TransportSendResult.Full"/>.</summary>
    private const int MaxWholeStreams = 1024;

    private readonly InMemoryWire _wire;
    private readonly List<PathEnd> _paths = [];
    private readonly List<(Packet? Packet, LinkMessage Message, PathEnd Path, long ArrivedAt)> _beforeStart = [];
    private readonly Dictionary<long, InMemoryStream> _wholeStreams = [];
    private readonly EventQueue _queue;
    private readonly TellItem _tell;
    private readonly AliveEntry _alive;
    private PathEnd _main = null!;
    private long _creditGiven;
    private long _creditTold;
    private long _lastReceived;
    private long _lastPing;
    private long _latestHeard;
    private bool _tellQueued;

    public InMemoryConnection(InMemoryWire wire, bool isClient, TransportCapabilities capabilities, in EndSettings settings)
    {
        _wire = wire;
        IsClient = isClient;
        Capabilities = capabilities;
        Limits = settings.Limits;
        PeerLimits = settings.PeerLimits;
        Peer = settings.Peer;
        IdleTimeout = settings.IdleTimeout;
        KeepAlive = settings.KeepAlive;
        IsResumed = settings.IsResumed;
        _creditGiven = Limits.ConnectionReceiveWindow;
        _creditTold = _creditGiven;
        Sender = new InMemorySender(this, PeerLimits.ConnectionReceiveWindow);
        Streams = new StreamLedger(this);
        _queue = new EventQueue(this);
        _tell = new TellItem(this);
        _alive = new AliveEntry(this);
        _lastReceived = Network.Clock.NowTicks;
        _lastPing = _lastReceived;
    }

    public override TransportCapabilities Capabilities { get; }

    public override bool IsClient { get; }

    public override PeerIdentity Peer { get; }

    public override EndPoint? LocalEndPoint => _main.LocalEndPoint;

    public override EndPoint? RemoteEndPoint => _main.RemoteEndPoint;

    public override bool IsHandshakeCompleted => HandshakeCompleted;

    public override bool IsResumed { get; }

    public override int MaxDatagramSize => Has(TransportCapabilities.Datagrams) ? Packet.MaxDatagram : 0;

    public InMemoryNetwork Network => _wire.Network;

    /// <summary>Who listens; null before <see cref="Start"/>.</summary>
    public TransportEvents? Events { get; private set; }

    /// <summary>The early data was not taken, and the listener was not told: no stream is opened in between.</summary>
    public bool HasUntoldRejection { get; private set; }

    /// <summary>Whose end it is; set when the wire is made.</summary>
    public InMemoryTransport? Host { get; set; }

    public TransportOptions Limits { get; }

    public TransportOptions PeerLimits { get; }

    public TimeSpan IdleTimeout { get; }

    public TimeSpan? KeepAlive { get; }

    public InMemorySender Sender { get; }

    public StreamLedger Streams { get; }

    public TransportException? Failure { get; private set; }

    public bool HandshakeCompleted { get; set; } = true;

    /// <summary>On a server that does not take the early data of this client.</summary>
    public bool DropsEarlyData { get; set; }

    /// <summary>Where a server's connection is handed out when the client's first packet arrives.</summary>
    public InMemoryListener? Listener { get; set; }

    public PathEnd MainPath => _main;

    public bool Has(TransportCapabilities capability) => (Capabilities & capability) != 0;

    public override void Start(TransportEvents events)
    {
        ArgumentNullException.ThrowIfNull(events);
        lock (Network.Gate)
        {
            if (Events is not null)
            {
                throw new InvalidOperationException("The connection was started already.");
            }

            Events = events;
            foreach ((Packet? packet, LinkMessage message, PathEnd path, long arrivedAt) in _beforeStart)
            {
                if (packet is not null)
                {
                    Receive(packet, path, arrivedAt);
                }
                else
                {
                    Receive(message, path);
                }
            }

            _beforeStart.Clear();
            _queue.Begin();
        }
    }

    public override TransportStream? TryOpenStream(TransportStreamKind kind, in TransportPriority priority)
    {
        lock (Network.Gate)
        {
            ThrowIfEnded();
            return Streams.TryOpen(kind, priority);
        }
    }

    public override ValueTask<TransportStream> OpenStreamAsync(
        TransportStreamKind kind,
        TransportPriority priority,
        CancellationToken cancellationToken)
    {
        lock (Network.Gate)
        {
            return Failure is { } failure
                ? ValueTask.FromException<TransportStream>(failure.Again())
                : Streams.OpenAsync(kind, priority, cancellationToken);
        }
    }

    public override ValueTask<TransportStream> AcceptStreamAsync(CancellationToken cancellationToken)
    {
        lock (Network.Gate)
        {
            return Streams.AcceptAsync(cancellationToken);
        }
    }

    public override TransportSendResult TrySendStream(
        ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, in TransportPriority priority, long token)
    {
        lock (Network.Gate)
        {
            if (Failure is not null || !Has(TransportCapabilities.WholeStreams))
            {
                return TransportSendResult.Unavailable;
            }

            int length = first.Length + second.Length;
            if (length > Packet.MaxDatagram || length > Sender.Credit || length > PeerLimits.StreamReceiveWindow)
            {
                return TransportSendResult.TooLarge;
            }

            if (_wholeStreams.Count >= MaxWholeStreams)
            {
                return TransportSendResult.Full;
            }

            if (Streams.TryOpen(TransportStreamKind.Unidirectional, priority) is not { } stream)
            {
                return TransportSendResult.NoStreams;
            }

            byte[] bytes = [.. first, .. second];
            stream.Token = token;
            _wholeStreams.Add(token, stream);
            stream.Send!.WriteWhole(bytes);
            return TransportSendResult.Queued;
        }
    }

    public override void ResetSentStream(long token, long errorCode, long reliableSize = 0)
    {
        lock (Network.Gate)
        {
            if (_wholeStreams.Remove(token, out InMemoryStream? stream))
            {
                stream.Send!.Reset(errorCode, reliableSize);
            }
        }
    }

    public override TransportDatagramResult TrySendDatagram(ReadOnlySpan<byte> payload, in TransportPriority priority, long token)
    {
        lock (Network.Gate)
        {
            return Failure is not null || !Has(TransportCapabilities.Datagrams)
                ? TransportDatagramResult.Unavailable
                : Sender.TrySend(payload, priority, token);
        }
    }

    public override TransportStatistics GetStatistics()
    {
        if (!Has(TransportCapabilities.Statistics))
        {
            return default;
        }

        lock (Network.Gate)
        {
            return new TransportStatistics
            {
                SmoothedRtt = _main.SmoothedRtt,
                MinRtt = _main.MinRtt,
                CongestionWindow = _paths.Where(IsInUse).Sum(path => path.Window()),
                BytesInFlight = _paths.Sum(path => path.InFlight),
                EstimatedRate = _paths.Where(IsInUse).Select(path => path.Rate()).Aggregate((sum, rate) => sum + rate),
                MaximumRate = _paths.Where(IsInUse).Select(path => path.MaximumRate()).Aggregate((sum, rate) => sum + rate),
                BytesSent = _paths.Sum(path => path.BytesSent),
                BytesReceived = _paths.Sum(path => path.BytesReceived),
                PacketsSent = _paths.Sum(path => path.PacketsSent),
                PacketsLost = _paths.Sum(path => path.PacketsLost),
            };
        }
    }

    public override IReadOnlyList<PostPath> GetPaths()
    {
        lock (Network.Gate)
        {
            return [.. _paths.Select(path => path.Snapshot(Has(TransportCapabilities.Paths)))];
        }
    }

    public override ValueTask MigrateAsync(IPEndPoint? localEndPoint, CancellationToken cancellationToken)
    {
        if (!IsClient || !Has(TransportCapabilities.Migration))
        {
            return base.MigrateAsync(localEndPoint, cancellationToken);
        }

        lock (Network.Gate)
        {
            ThrowIfEnded();
            return new InMemoryMigration(_wire, localEndPoint).Start(cancellationToken);
        }
    }

    public override ValueTask<PostPath> OpenPathAsync(IPEndPoint localEndPoint, IPEndPoint? remoteEndPoint, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(localEndPoint);
        if (!IsClient || !Has(TransportCapabilities.Multipath))
        {
            return base.OpenPathAsync(localEndPoint, remoteEndPoint, cancellationToken);
        }

        lock (Network.Gate)
        {
            ThrowIfEnded();
            cancellationToken.ThrowIfCancellationRequested();
            return new InMemoryPathOpening(_wire, localEndPoint, _wire.FindServer(remoteEndPoint)).Start(cancellationToken);
        }
    }

    public override ValueTask ClosePathAsync(long pathId, CancellationToken cancellationToken)
    {
        if (!Has(TransportCapabilities.Multipath))
        {
            return base.ClosePathAsync(pathId, cancellationToken);
        }

        lock (Network.Gate)
        {
            ThrowIfEnded();
            ClosePath(pathId);
        }

        return ValueTask.CompletedTask;
    }

    public override void SetPathStatus(long pathId, TransportPathStatus status)
    {
        if (!Has(TransportCapabilities.Multipath))
        {
            base.SetPathStatus(pathId, status);
        }

        lock (Network.Gate)
        {
            SetReserve(pathId, status == TransportPathStatus.Backup);
        }
    }

    public override ValueTask CloseAsync(long errorCode, string reason, CancellationToken cancellationToken)
    {
        lock (Network.Gate)
        {
            Close(errorCode, reason);
        }

        return ValueTask.CompletedTask;
    }

    public override ValueTask DisposeAsync() => CloseAsync(0, string.Empty, CancellationToken.None);

    /// <summary>Tells the peer, and ends this side. Under the network's lock.</summary>
    public void Close(long errorCode, string reason)
    {
        if (Failure is null)
        {
            Tell(new LinkMessage(LinkMessageKind.Close, reason, errorCode));
            End(new TransportException(TransportErrorReason.ClosedLocally, "The connection was closed on this side.", errorCode));
        }
    }

    /// <summary>Begins to count silence.</summary>
    public void Watch()
    {
        if (IdleTimeout > TimeSpan.Zero || KeepAlive is not null)
        {
            ScheduleAlive();
        }
    }

    public void Tell(in LinkMessage message)
    {
        if (Failure is null)
        {
            _main.Out.Send(message);
        }
    }

    /// <summary>Tells the peer its new credit once, after all that happens at this moment.</summary>
    public void TellLate()
    {
        if (!_tellQueued && Failure is null)
        {
            _tellQueued = true;
            Network.Clock.EnqueueLate(_tell);
        }
    }

    public void GiveCredit(long bytes)
    {
        _creditGiven += bytes;
        if (_creditGiven - _creditTold >= Limits.ConnectionReceiveWindow / 8)
        {
            TellLate();
        }
    }

    public void ReportDatagram(long token, TransportDatagramState state) => _queue.DatagramState(token, state);

    public void ReportSent(InMemoryStream stream)
    {
        if (stream.Token is { } token)
        {
            _queue.WholeStreamSent(token);
        }
    }

    public void ReportAcknowledged(InMemoryStream stream)
    {
        if (stream.Token is not { } token)
        {
            _queue.StreamAcknowledged(stream);
        }
        else if (_wholeStreams.Remove(token))
        {
            _queue.WholeStreamAcknowledged(token);
        }
    }

    public void ReportAccepted(InMemoryStream stream) => _queue.StreamAccepted(stream);

    /// <summary>The listener is about to hear that the early data was not taken: streams can be opened again.</summary>
    public void OnRejectionTold()
    {
        lock (Network.Gate)
        {
            HasUntoldRejection = false;
            Streams.ServeOpenWaits();
        }
    }

    public void Receive(Packet packet, PathEnd path, long arrivedAt)
    {
        if (Failure is not null || (packet.IsEarlyData && DropsEarlyData))
        {
            // It was not taken: to its sender it is lost.
            packet.Path.Out.ScheduleLoss(packet, Network.Clock.NowTicks);
            return;
        }

        if (Events is null)
        {
            _beforeStart.Add((packet, default, path, arrivedAt));
            return;
        }

        Heard(path, packet.SentAt);
        path.BytesReceived += packet.WireSize;
        bool early = packet.IsEarlyData && !HandshakeCompleted;
        foreach (ref readonly PacketFrame frame in packet.Frames)
        {
            if (frame.Stream is null)
            {
                _queue.Datagram(packet, frame, early, arrivedAt);
            }
            else
            {
                bool isWhole = Has(TransportCapabilities.WholeStreams) && frame.Stream.Stream.Kind == TransportStreamKind.Unidirectional
                    && frame is { Offset: 0, IsEnd: true } && !frame.Stream.IsReset;
                InMemoryStream stream = Streams.Inbound(frame.Stream, early, isWhole, out bool isNew);
                stream.Receive!.Receive(packet, frame, arrivedAt);
                if (isWhole && isNew)
                {
                    _queue.WholeStream(stream, packet, frame, early, arrivedAt);
                }
            }
        }

        path.Out.Send(new LinkMessage(LinkMessageKind.Acknowledge, packet));
    }

    public void Receive(in LinkMessage message, PathEnd path)
    {
        // Even an ended connection returns its packets to the pool, by their acknowledgement.
        if (message.Kind == LinkMessageKind.Acknowledge)
        {
            Heard(path, 0);
            Sender.OnAcknowledged((Packet)message.Target!);
            return;
        }

        if (Failure is not null)
        {
            return;
        }

        Heard(path, message.Kind == LinkMessageKind.Ping ? message.Second : 0);
        switch (message.Kind)
        {
            case LinkMessageKind.Connect:
                Listener!.Offer(this);
                return;
            case LinkMessageKind.Ping:
                if (message.First == 1)
                {
                    path.Out.Send(new LinkMessage(LinkMessageKind.Ping, null, 0, Network.Clock.NowTicks));
                }

                return;
        }

        if (Events is null)
        {
            _beforeStart.Add((null, message, path, 0));
            return;
        }

        switch (message.Kind)
        {
            case LinkMessageKind.StreamCredit:
                ((InMemorySendHalf)message.Target!).OnCredit(message.First);
                Sender.Pump();
                break;
            case LinkMessageKind.ConnectionCredit:
                Sender.OnCredit(message.First);
                break;
            case LinkMessageKind.StreamCount:
                Streams.OnLimit((TransportStreamKind)message.Second, message.First);
                break;
            case LinkMessageKind.Reset:
                Streams.Inbound((InMemorySendHalf)message.Target!, !HandshakeCompleted, isWhole: false, out _).Receive!
                    .OnReset(message.First, message.Second, message.Third);
                break;
            case LinkMessageKind.Stop:
                var half = (InMemorySendHalf)message.Target!;
                if (half.OnStopped(message.First))
                {
                    ReportStopped(half.Stream, message.First);
                }

                break;
            case LinkMessageKind.Close:
                End(new TransportException(
                    TransportErrorReason.ClosedByPeer, $"The peer closed the connection: {message.Target}", message.First));
                break;
            case LinkMessageKind.HandshakeDone:
                CompleteHandshake(earlyDataRejected: false);
                break;
        }
    }

    public void CompleteHandshake(bool earlyDataRejected)
    {
        if (HandshakeCompleted || Failure is not null)
        {
            return;
        }

        HandshakeCompleted = true;
        if (earlyDataRejected)
        {
            // Told before what fails with it.
            HasUntoldRejection = Events is not null;
            if (HasUntoldRejection)
            {
                _queue.EarlyDataRejected();
            }

            _wholeStreams.Clear();
            var failure = new TransportException(TransportErrorReason.EarlyDataRejected, "The server did not take the early data.");
            Streams.ForgetEarlyData(failure);
            Sender.ForgetEarlyData(PeerLimits.ConnectionReceiveWindow);
        }

        if (Events is not null)
        {
            _queue.HandshakeCompleted();
        }

        if (IsClient)
        {
            Tell(new LinkMessage(LinkMessageKind.HandshakeDone, null));
        }
    }

    /// <summary>The connection is over: everything that waits is told so.</summary>
    public void End(TransportException failure)
    {
        if (Failure is not null)
        {
            return;
        }

        Failure = failure;
        Network.Clock.Cancel(_alive);
        Sender.End();
        Streams.FailAll(failure);
        _wholeStreams.Clear();
        _queue.Closed(failure.Again());
        _wire.OnEnded();
    }

    private void ReportStopped(InMemoryStream stream, long code)
    {
        if (stream.Token is not { } token)
        {
            _queue.StreamStopped(stream, code);
        }
        else if (_wholeStreams.Remove(token))
        {
            _queue.WholeStreamStopped(token, code);
        }
    }

    private void ThrowIfEnded()
    {
        if (Failure is { } failure)
        {
            throw failure.Again();
        }
    }

    private void Heard(PathEnd path, long sentAt)
    {
        _lastReceived = Network.Clock.NowTicks;
        if (path.RemoteMoved() && Failure is null)
        {
            ReportPath(path, PostPathChange.PeerMoved);
        }

        // What was sent before the peer moved may come after what it sent from its new address.
        bool isNews = sentAt > _latestHeard;
        _latestHeard = Math.Max(_latestHeard, sentAt);
        if (!isNews || ReferenceEquals(path, _main) || Failure is not null || Has(TransportCapabilities.Multipath))
        {
            return;
        }

        // The server answers where the client sends from; the client stays where it is while that works.
        if (path.State is PostPathState.Standby or PostPathState.Active && (!IsClient || _main.IsSuspect || _main.State == PostPathState.Failed))
        {
            UsePath(path);
            ReportPath(path, PostPathChange.PeerMoved);
        }
    }

    private void ScheduleAlive()
    {
        long due = IdleTimeout > TimeSpan.Zero ? _lastReceived + IdleTimeout.Ticks : long.MaxValue;
        if (KeepAlive is { } interval)
        {
            due = Math.Min(due, Math.Max(_lastReceived, _lastPing) + interval.Ticks);
        }

        Network.Clock.Schedule(_alive, due);
    }

    private void CheckAlive()
    {
        long now = Network.Clock.NowTicks;
        if (IdleTimeout > TimeSpan.Zero && now - _lastReceived >= IdleTimeout.Ticks)
        {
            End(new TransportException(
                TransportErrorReason.TimedOut, $"Nothing was heard of the peer for {IdleTimeout}; a keep-alive prevents that where it is mere silence."));
            return;
        }

        if (KeepAlive is { } interval && now - Math.Max(_lastReceived, _lastPing) >= interval.Ticks)
        {
            _lastPing = now;
            Tell(new LinkMessage(LinkMessageKind.Ping, null, 1, now));
        }

        ScheduleAlive();
    }

    private void TellCredit()
    {
        _tellQueued = false;
        Streams.TellLimits();
        if (_creditGiven - _creditTold >= Limits.ConnectionReceiveWindow / 8)
        {
            _creditTold = _creditGiven;
            Tell(new LinkMessage(LinkMessageKind.ConnectionCredit, null, _creditGiven));
        }
    }

    /// <summary>What the two requests agreed on, for one end.</summary>
    internal readonly record struct EndSettings(
        TransportOptions Limits,
        TransportOptions PeerLimits,
        PeerIdentity Peer,
        TimeSpan IdleTimeout,
        TimeSpan? KeepAlive,
        bool IsResumed);

    private sealed class TellItem(InMemoryConnection connection) : IThreadPoolWorkItem
    {
        public void Execute()
        {
            lock (connection.Network.Gate)
            {
                connection.TellCredit();
            }
        }
    }

    private sealed class AliveEntry(InMemoryConnection connection) : ClockEntry
    {
        public override void Fire()
        {
            lock (connection.Network.Gate)
            {
                connection.CheckAlive();
            }
        }
    }
}
