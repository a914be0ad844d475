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
