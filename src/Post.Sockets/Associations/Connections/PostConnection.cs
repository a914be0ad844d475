using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using Post.Sockets.Associations.Ownership;
using Post.Sockets.Diagnostics;
using Post.Sockets.Objects;
using Post.Sockets.Paths;
using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Connections;

/// <summary>
/// One connection that speaks post/1, and all that lives and dies with it: its control streams, its handshake, its HELLO, its streams. An
/// association has one at a time, none for a while when it was lost, and then another.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "Its token source has no timer, and its timer is disposed with HELLO or with the connection.")]
internal sealed class PostConnection
{
    private readonly CancellationTokenSource _over = new();
    private readonly AssociationFactory _factory;
    private readonly IHelloHandler _helloHandler;
    private readonly OneTimeSignal _ready;
    private readonly OneTimeSignal _handshake;
    private readonly Lock _gate = new();
    private HeldDatagrams? _held;
    private List<OutboundObject>? _waitingForHandshake;
    private List<OutboundObject>? _waitingForHello;
    private List<IConnectionStream>? _streams;
    private ITimer? _helloTimer;
    private volatile bool _takesDatagrams;
    private volatile bool _isHandshakeCompleted;
    private TransportException? _endReason;
    private int _closed;

    public PostConnection(AssociationFactory factory, TransportConnection transport, IHelloHandler helloHandler)
    {
        _factory = factory;
        _helloHandler = helloHandler;
        Transport = transport;
        _ready = new OneTimeSignal(factory.Continuations);
        _handshake = new OneTimeSignal(factory.Continuations);
        MaxDatagramSize = transport.MaxDatagramSize;
        _isHandshakeCompleted = transport.IsHandshakeCompleted;
        NoteCapabilities();
        Control = new ControlWriter(this);
        Inbound = new InboundReader(this);
        Objects = new InboundObjects(this);
    }

    public TransportConnection Transport { get; }

    /// <summary>The association that it carries; null until that is decided.</summary>
    public IConnectionUser? User { get; private set; }

    /// <summary>What that association shares with it.</summary>
    public AssociationState State => User!.State;

    /// <summary>It carries its association, and no other connection has taken its place.</summary>
    public bool IsCurrent => User is { } user && user.Connection.Value == this;

    public ControlWriter Control { get; }

    public InboundReader Inbound { get; }

    public InboundObjects Objects { get; }

    /// <summary>What the control stream is to carry next; there once it carries an association.</summary>
    public PendingFrames Frames { get; private set; } = null!;

    /// <summary>What it takes in one call now.</summary>
    public SendCapacity Capacity { get; } = new();

    /// <summary>The paths of the connection, and who is told of them.</summary>
    public PathHistory Paths { get; } = new();

    /// <summary>The paths as they are now.</summary>
    public IReadOnlyList<PostPath> GetPaths() => [.. Transport.GetPaths().Select(Describe)];

    /// <summary>A path with what the transport does not know of it.</summary>
    public PostPath Describe(PostPath path) => PathDescription.Describe(path, _factory.Transport.Interfaces, User?.State.Association.Local);

    /// <summary>What the peer said; null before it did.</summary>
    public HelloFrame? PeerHello { get; private set; }

    /// <summary>What is known of the peer is what it said on this connection. By the owner.</summary>
    public bool IsPeerKnown => PeerHello is not null && ReferenceEquals(State.Peer.Hello, PeerHello);

    /// <summary>What we told the peer in our HELLO: everything below this id of ours has ended.</summary>
    public long ToldLowest { get; set; }

    /// <summary>What we told the peer in our HELLO: so much of its objects is here.</summary>
    public HeldObjects ToldHeld { get; set; } = HeldObjects.None;

    /// <summary>The number of the resumption that this connection is for; 0 for the association's first connection.</summary>
    public long Resumption { get; set; }

    public bool IsHandshakeCompleted => _isHandshakeCompleted;

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

    public PostMetrics Metrics => _factory.Metrics;

    /// <summary>The time on the transport's clock.</summary>
    public long Now => _factory.Transport.TimeProvider.GetTimestamp();

    public ILogger Log => _factory.AssociationLog;

    /// <summary>Bits per second that are reserved by streams. By the owner.</summary>
    public long ReservedBitsPerSecond => _streams?.Sum(static stream => stream.ReservedBitsPerSecond) ?? 0;

    /// <summary>What the connection can do, as noted last.</summary>
    public TransportCapabilities Capabilities { get; private set; }

    public bool Can(TransportCapabilities capability) => (Capabilities & capability) != 0;

    /// <summary>Asks the transport again what the connection can do.</summary>
    public void NoteCapabilities() => Capabilities = Transport.Capabilities;

    /// <summary>Begins to receive, and to wait for the peer's HELLO.</summary>
    public void Start()
    {
        // What flows with the caller is the caller's; the connection outlives the call.
        using (ExecutionContext.SuppressFlow())
        {
            _helloTimer = _factory.Transport.TimeProvider.CreateTimer(
                static connection => ((PostConnection)connection!).OnNoHello(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            if (IsHandshakeCompleted)
            {
                AwaitHello();
            }

            Paths.Begin(GetPaths());
            Transport.Start(new ConnectionEvents(this));
            Inbound.Start();
        }
    }

    /// <summary>It is for this association.</summary>
    public void Bind(IConnectionUser user)
    {
        if (User is not null)
        {
            return;
        }

        Frames = new PendingFrames(user.State);
        User = user;
    }

    /// <summary>What waited for <see cref="IsReady"/> goes on.</summary>
    public void MakeReady()
    {
        while (true)
        {
            List<(byte[] Payload, bool IsEarly, long ArrivedAt)>? taken;
            lock (_gate)
            {
                taken = _held?.Take();
                if (taken is null or [])
                {
                    _held = null;
                    _takesDatagrams = true;
                    break;
                }
            }

            foreach (var (payload, isEarly, arrivedAt) in taken)
            {
                Objects.OnDatagram(payload, isEarly, arrivedAt);
            }
        }

        _ready.Release();
        State.Owner.Wake();
    }

    public Task WhenReadyAsync() => _ready.WaitAsync(Over);

    public Task WhenHandshakeAsync() => _handshake.WaitAsync(Over);

    public void OnDatagram(ReadOnlySpan<byte> payload, bool isEarly, long arrivedAt)
    {
        if (_takesDatagrams || !TryHold(payload, isEarly, arrivedAt))
        {
            Objects.OnDatagram(payload, isEarly, arrivedAt);
        }
    }

    public void OnHello(HelloFrame hello)
    {
        _helloTimer?.Dispose();
        _helloTimer = null;
        PeerHello = hello;
        _helloHandler.OnHello(this, hello);
        if (hello.Addresses.All.Count > 0)
        {
            User?.OnPeerAddresses(this, hello.Addresses);
        }

        User?.State.Owner.Post(new Message(static (target, _, _) => ((PostConnection)target).GoOn(ref ((PostConnection)target)._waitingForHello), this));
    }

    /// <summary>The handshake is complete.</summary>
    public void OnHandshakeCompleted()
    {
        _isHandshakeCompleted = true;
        User?.State.Owner.PostQuietly(
            new Message(static (target, _, _) => ((PostConnection)target).GoOn(ref ((PostConnection)target)._waitingForHandshake), this));
        Queue(() =>
        {
            // With early data, the time until here was the handshake's, which has its own limit.
            AwaitHello();
            NoteCapabilities();
            _handshake.Release();
            User?.OnHandshakeCompleted(this);
        });
    }

    /// <summary>The transport says that the connection is over.</summary>
    public void OnEnded(TransportException reason) => Queue(() =>
    {
        _helloTimer?.Dispose();
        EndReason = reason;
        _helloHandler.OnEnded(this, reason);
        LetGo();
    });

    /// <summary>The peer broke the rules of post/1 on this connection.</summary>
    public void Violate(PostErrorCode code, string what)
    {
        if (IsOver)
        {
            return;
        }

        Log.PeerViolation(code, what);
        Metrics.Violation(code);
        _helloHandler.OnViolation(this, code, what);
    }

    /// <summary>A defect of ours or of the transport must not leave anybody hanging without a word.</summary>
    public void Fail(Exception exception)
    {
        if (User is { } user)
        {
            user.OnFailed(exception);
        }
        else
        {
            Log.PumpFailed(exception);
            _ = CloseAsync(PostErrorCode.InternalError, "internal error");
        }
    }

    /// <summary>An object that may not go as early data. By the owner.</summary>
    public void WaitForHandshake(OutboundObject item) => (_waitingForHandshake ??= []).Add(item);

    /// <summary>An object of which nothing may go before it is known what the peer can take. By the owner.</summary>
    public void WaitForHello(OutboundObject item) => (_waitingForHello ??= []).Add(item);

    /// <summary>By the owner.</summary>
    public void AddStream(IConnectionStream stream) => (_streams ??= []).Add(stream);

    /// <summary>By the owner.</summary>
    public void RemoveStream(IConnectionStream stream) => _streams?.Remove(stream);

    /// <summary>Nothing more is read or written here; streams of the application end with an error. By the owner.</summary>
    public void EndStreams(PostException error)
    {
        foreach (var stream in _streams?.ToArray() ?? [])
        {
            stream.End(error);
        }

        _streams = null;
        Frames.Cancel();
    }

    /// <summary>Whoever waits here for the transport waits no more.</summary>
    public void LetGo() => _over.Cancel();

    /// <summary>What is known of the connection, for those who ask when it is gone.</summary>
    public ConnectionFacts Facts() => new(
        Transport.Peer, Transport.LocalEndPoint, Transport.RemoteEndPoint, Transport.Capabilities, Transport.IsResumed);

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
            await Transport.CloseAsync((long)code, reason, CancellationToken.None).ConfigureAwait(false);
            await Transport.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            Log.CloseFailed(exception);
        }

        LetGo();
    }

    private void Queue(Action action) => _factory.Transport.Dispatcher.Queue(new Work(action));

    /// <summary>Keeps a datagram that came before it is known what its ids mean; false when that is known by now.</summary>
    private bool TryHold(ReadOnlySpan<byte> payload, bool isEarly, long arrivedAt)
    {
        lock (_gate)
        {
            if (_takesDatagrams)
            {
                return false;
            }

            if ((_held ??= new HeldDatagrams()).TryAdd(payload, isEarly, arrivedAt))
            {
                return true;
            }
        }

        // Its sender believes that it arrived: better to lose the connection than the object.
        Queue(() => _ = CloseAsync(PostErrorCode.InternalError, "too much came before HELLO"));
        return true;
    }

    private void GoOn(ref List<OutboundObject>? waiting)
    {
        foreach (var item in waiting ?? [])
        {
            if (!item.IsEnded && IsCurrent)
            {
                State.Scheduler.Add(item.Entry);
            }
        }

        waiting = null;
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
            Queue(() => Violate(PostErrorCode.MissingHello, "no HELLO came"));
        }
    }
}
