using Microsoft.Extensions.Logging;
using Post.Sockets.Associations.Streams;
using Post.Sockets.Diagnostics;
using Post.Sockets.Objects;
using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Connections;

/// <summary>
/// One connection, and all that lives and dies with it: its streams, its control frames, its handshake, its HELLO. An association has one
/// at a time, none for a while when it was lost, and then another; what outlives them stands in <see cref="AssociationCore"/>.
/// </summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage(
    "Design", "CA1001", Justification = "Its token source has no timer, and its timer is disposed with HELLO or with the connection.")]
internal sealed class Carrier
{
    private readonly CancellationTokenSource _over = new();
    private readonly AssociationFactory _host;
    private readonly IGreeter _greeter;
    private readonly HeldDatagrams _held = new();
    private readonly Waiters _ready;
    private readonly Waiters _handshake;
    private readonly List<OutboundObject> _waitingForHandshake = [];
    private readonly List<OutboundObject> _waitingForHello = [];
    private readonly List<StreamSender> _streams = [];
    private ITimer? _helloTimer;
    private volatile bool _takesDatagrams;
    private TransportException? _endReason;
    private int _closed;

    public Carrier(AssociationFactory host, TransportConnection connection, IGreeter greeter)
    {
        _host = host;
        _greeter = greeter;
        Connection = connection;
        _ready = new Waiters(host.Continuations);
        _handshake = new Waiters(host.Continuations);
        MaxDatagramSize = connection.MaxDatagramSize;
        IsHandshakeCompleted = connection.IsHandshakeCompleted;
        NoteCapabilities();
        Control = new ControlWriter(this);
        Inbound = new InboundReader(this);
        Objects = new ObjectReader(this);
    }

    public TransportConnection Connection { get; }

    /// <summary>Held while datagrams of before <see cref="IsReady"/> are put aside or handed on; taken before the association's.</summary>
    public Lock Gate { get; } = new();

    /// <summary>Whom it carries; null until that is decided.</summary>
    public AssociationCore? Core { get; private set; }

    public ControlWriter Control { get; }

    public InboundReader Inbound { get; }

    public ObjectReader Objects { get; }

    /// <summary>What the control stream is to carry next; there once it carries an association.</summary>
    public PendingFrames Frames { get; private set; } = null!;

    /// <summary>Where streams for objects come from; there once it carries an association.</summary>
    public StreamSupply Supply { get; private set; } = null!;

    public DatagramRoom Datagrams { get; } = new();

    /// <summary>The paths of the connection, and who is told of them.</summary>
    public PathBook Paths { get; } = new();

    /// <summary>What the peer said; null before it did.</summary>
    public HelloFrame? PeerHello { get; private set; }

    /// <summary>What is known of the peer is what it said on this connection. Under the association's lock.</summary>
    public bool IsPeerKnown => PeerHello is not null && ReferenceEquals(Core!.Peer, PeerHello);

    /// <summary>What we told the peer in our HELLO: everything below this id of ours has ended.</summary>
    public long ToldLowest { get; set; }

    /// <summary>What we told the peer in our HELLO: so much of its objects is here.</summary>
    public HeldObjects ToldHeld { get; set; } = HeldObjects.None;

    /// <summary>The number of the resumption that this connection is for; 0 for the association's first connection.</summary>
    public long Resumption { get; set; }

    public bool IsHandshakeCompleted { get; private set; }

    /// <summary>What arrives may be taken: it is known for which association, and that its ids go on counting.</summary>
    public bool IsReady => _ready.HasHappened;

    /// <summary>The transport has said that the connection is over, or we have let it go.</summary>
    public bool IsOver => _over.IsCancellationRequested;

    /// <summary>Canceled when the connection is over for us.</summary>
    public CancellationToken Over => _over.Token;

    /// <summary>Why the transport's connection ended; null while it lives. Set before anybody is told.</summary>
    public TransportException? EndReason
    {
        get => Volatile.Read(ref _endReason);
        private set => Volatile.Write(ref _endReason, value);
    }

    public volatile int MaxDatagramSize;

    public PostInstruments Instruments => _host.Instruments;

    /// <summary>The time on the transport's clock.</summary>
    public long Now => _host.Transport.TimeProvider.GetTimestamp();

    public ILogger Log => _host.AssociationLog;

    /// <summary>Bits per second that are reserved by streams. Under the association's lock.</summary>
    public long ReservedBitsPerSecond
    {
        get
        {
            long sum = 0;
            foreach (var stream in _streams)
            {
                sum += stream.ReservedBitsPerSecond;
            }

            return sum;
        }
    }

    /// <summary>What the connection can do, as noted last: it is asked for under the association's lock, where the transport must not be.</summary>
    public TransportCapabilities Capabilities { get; private set; }

    public bool Can(TransportCapabilities capability) => (Capabilities & capability) != 0;

    /// <summary>Asks the transport again what the connection can do. Outside of every lock.</summary>
    public void NoteCapabilities() => Capabilities = Connection.Capabilities;

    /// <summary>Begins to receive, and to wait for the peer's HELLO.</summary>
    public void Start()
    {
        // What flows with the caller is the caller's; the connection outlives the call.
        using (ExecutionContext.SuppressFlow())
        {
            _helloTimer = _host.Transport.TimeProvider.CreateTimer(
                static carrier => ((Carrier)carrier!).OnNoHello(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            if (IsHandshakeCompleted)
            {
                AwaitHello();
            }

            Paths.Begin(Connection.GetPaths());
            Connection.Start(new CarrierEvents(this));
            Inbound.Start();
        }
    }

    /// <summary>It is for this association.</summary>
    public void Bind(AssociationCore core)
    {
        if (Core is not null)
        {
            return;
        }

        Frames = new PendingFrames(core);
        Supply = new StreamSupply(core, this);
        Core = core;
    }

    /// <summary>What waited for <see cref="IsReady"/> goes on. Outside of every lock.</summary>
    public void MakeReady()
    {
        lock (Gate)
        {
            _takesDatagrams = true;
            foreach (var (payload, isEarly, arrivedAt) in _held.Take())
            {
                Objects.OnDatagram(payload, isEarly, arrivedAt);
            }
        }

        _ready.Release();
        Core!.Wake();
    }

    public Task WhenReadyAsync() => _ready.WaitAsync(Over);

    public Task WhenHandshakeAsync() => _handshake.WaitAsync(Over);

    public void OnDatagram(ReadOnlySpan<byte> payload, bool isEarly, long arrivedAt)
    {
        if (!_takesDatagrams)
        {
            lock (Gate)
            {
                if (!_takesDatagrams)
                {
                    if (!_held.TryAdd(payload, isEarly, arrivedAt))
                    {
                        // Its sender believes that it arrived: better to lose the connection than the object.
                        _host.Transport.Dispatcher.Queue(new Work(() => _ = CloseAsync(PostErrorCode.InternalError, "too much came before HELLO")));
                    }

                    return;
                }
            }
        }

        Objects.OnDatagram(payload, isEarly, arrivedAt);
        Core!.Wake();
    }

    public void OnHello(HelloFrame hello)
    {
        _helloTimer?.Dispose();
        PeerHello = hello;
        _greeter.OnHello(this, hello);
        if (Core is { } core)
        {
            lock (core.Gate)
            {
                GoOn(core, _waitingForHello);
            }

            core.Wake();
        }
    }

    /// <summary>The handshake is complete. The transport may hold its lock.</summary>
    public void OnHandshakeCompleted()
    {
        if (Core is { } core)
        {
            lock (core.Gate)
            {
                IsHandshakeCompleted = true;
                GoOn(core, _waitingForHandshake);
            }
        }

        IsHandshakeCompleted = true;
        _host.Transport.Dispatcher.Queue(new Work(() =>
        {
            // With early data, the time until here was the handshake's, which has its own limit.
            AwaitHello();
            NoteCapabilities();
            _handshake.Release();
            Core?.OnHandshakeCompleted(this);
        }));
    }

    /// <summary>The transport says that the connection is over. It may hold its lock.</summary>
    public void OnEnded(TransportException reason) => _host.Transport.Dispatcher.Queue(new Work(() =>
    {
        _helloTimer?.Dispose();
        EndReason = reason;
        _greeter.OnEnded(this, reason);
        LetGo();
    }));

    /// <summary>The peer broke the rules of post/1 on this connection.</summary>
    public void Violate(PostErrorCode code, string what)
    {
        if (IsOver)
        {
            return;
        }

        Log.PeerViolation(code, what);
        Instruments.Violation(code);
        _greeter.OnViolation(this, code, what);
    }

    /// <summary>A defect of ours or of the transport must not leave anybody hanging without a word.</summary>
    public void Fail(Exception exception)
    {
        Log.PumpFailed(exception);
        if (Core is { } core)
        {
            core.Lifecycle.Abort(
                PostErrorCode.InternalError, new PostException(PostErrorReason.Transport, $"The association failed: {exception.Message}", exception));
        }
        else
        {
            _ = CloseAsync(PostErrorCode.InternalError, "internal error");
        }
    }

    /// <summary>An object that may not go as early data. Under the association's lock.</summary>
    public void WaitForHandshake(OutboundObject item) => _waitingForHandshake.Add(item);

    /// <summary>An object of which nothing may go before it is known what the peer can take. Under the association's lock.</summary>
    public void WaitForHello(OutboundObject item) => _waitingForHello.Add(item);

    public void AddStream(StreamSender sender) => _streams.Add(sender);

    public void RemoveStream(StreamSender sender) => _streams.Remove(sender);

    /// <summary>
    /// Nothing more is read or written here. Streams of the application end with an error; they are to be notified outside the lock. Under
    /// the association's lock.
    /// </summary>
    public StreamSender[] EndStreams(PostException error)
    {
        StreamSender[] streams = [.. _streams];
        foreach (var stream in streams)
        {
            stream.Abort(error);
        }

        _streams.Clear();
        Supply.ReleaseSpares();
        Frames.Cancel();
        return streams;
    }

    /// <summary>Whoever waits here for the transport waits no more.</summary>
    public void LetGo() => _over.Cancel();

    /// <summary>What is known of the connection, for those who ask when it is gone.</summary>
    public ConnectionFacts Facts() => new(
        Connection.Peer, Connection.LocalEndPoint, Connection.RemoteEndPoint, Connection.Capabilities, Connection.IsResumed);

    /// <summary>Closes the connection with a code, whatever became of it, and releases it.</summary>
    public async Task CloseAsync(PostErrorCode code, string reason)
    {
        if (Interlocked.Exchange(ref _closed, 1) != 0)
        {
            return;
        }

        _helloTimer?.Dispose();
        try
        {
            await Connection.CloseAsync((long)code, reason, CancellationToken.None).ConfigureAwait(false);
            await Connection.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            Log.CloseFailed(exception);
        }

        LetGo();
    }

    private void GoOn(AssociationCore core, List<OutboundObject> waiting)
    {
        foreach (var item in waiting)
        {
            if (!item.IsEnded && core.Carrier == this)
            {
                core.Scheduler.Add(item.Entry);
            }
        }

        waiting.Clear();
    }

    private void AwaitHello()
    {
        if (PeerHello is null)
        {
            _helloTimer?.Change(ProtocolLimits.HelloTimeout, Timeout.InfiniteTimeSpan);
        }
    }

    private void OnNoHello()
    {
        if (PeerHello is null)
        {
            _host.Transport.Dispatcher.Queue(new Work(() => Violate(PostErrorCode.MissingHello, "no HELLO came")));
        }
    }
}
