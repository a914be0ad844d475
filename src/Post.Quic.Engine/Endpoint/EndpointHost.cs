using System.Collections.Immutable;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Crypto.Providers;
using Post.Quic.Engine.Diagnostics;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Tls;
using Post.Quic.Engine.Tls.Tickets;
using Post.Quic.Engine.Udp;

namespace Post.Quic.Engine.Endpoint;

/// <summary>
/// The sockets of an endpoint and what its connections share: the table they are found by, keys, tokens, clock. It
/// begins connections; each then lives by its own driver.
/// </summary>
internal sealed class EndpointHost : IDatagramSender, IDisposable
{
    private static readonly TimeSpan NewTokenLifetime = TimeSpan.FromDays(1);

    private readonly QuicEndpointOptions _options;
    private readonly Lock _gate = new();
    private readonly TokenSealer _tokens;
    private readonly TokenReplayFilter _usedTokens;
    private ImmutableArray<EndpointSocket> _sockets = [];
    private IncomingPolicy? _incoming;
    private QuicListener? _listener;
    private int _handshakes;
    private int _connections;
    private bool _isUnowned;
    private bool _isDisposed;

    public EndpointHost(QuicEndpointOptions options)
    {
        _options = options;
        Clock = new EndpointClock(options.TimeProvider);
        Crypto = options.UsePlatformCrypto ? CryptoProviderFactory.Create(CryptoProviderKind.Platform) : CryptoProviderFactory.Default;
        Logger = (options.LoggerFactory ?? NullLoggerFactory.Instance).CreateLogger("Post.Quic.Engine");
        Metrics = EngineMetrics.Create(options.MeterFactory, options.TimeProvider);
        StatelessResetKey resetKey = options.StatelessResetKey.IsEmpty
            ? new StatelessResetKey(Random)
            : new StatelessResetKey(options.StatelessResetKey.Span);
        Router = new ConnectionRouter<QuicConnection>(Random, resetKey);
        byte[] tokenKey = options.TokenKey.IsEmpty ? RandomNumberGenerator.GetBytes(TokenSealer.RootKeyLength) : options.TokenKey.ToArray();
        _tokens = new TokenSealer(Crypto, Random, tokenKey, (long)NewTokenLifetime.TotalMicroseconds);
        CryptographicOperations.ZeroMemory(tokenKey);
        _usedTokens = new TokenReplayFilter((long)NewTokenLifetime.TotalMicroseconds);
        TicketKeys = new TicketKeyRing(Random);
        LocalAddress = TakeSocket(NetworkAddress.FromEndPoint(options.LocalEndPoint));
        Load = new HandshakeLoad(Logger, LocalAddress.ToEndPoint());
        EngineLog.CryptoProviderChosen(Logger, Crypto.Name);
        EngineLog.EndpointOpened(Logger, LocalAddress.ToEndPoint(), $"{_sockets[0].Udp.Name}: {_sockets[0].Udp.Features}");
    }

    public EndpointClock Clock { get; }

    public ILogger Logger { get; }

    public EngineMetrics Metrics { get; }

    public RandomSource Random { get; } = SystemRandomSource.Instance;

    public CryptoProvider Crypto { get; }

    public ConnectionRouter<QuicConnection> Router { get; }

    /// <summary>Seals session tickets: one ring for all, so that any connection's ticket is good for the next.</summary>
    public TicketKeyRing TicketKeys { get; }

    public IAntiReplay AntiReplay { get; } = new BoundedAntiReplay();

    /// <summary>Ties the core's clock to the calendar for certificates and tickets.</summary>
    public TlsClock TlsClock => new(Clock.TimeProvider.GetUtcNow(), Clock.Now);

    /// <summary>Where it was opened.</summary>
    public NetworkAddress LocalAddress { get; }

    /// <summary>What is let in now; null while nobody listens.</summary>
    public IncomingPolicy? Incoming => Volatile.Read(ref _incoming);

    /// <summary>Sockets that are open now.</summary>
    public ImmutableArray<EndpointSocket> Sockets => _sockets;

    /// <summary>Tells in the log of many handshakes at once.</summary>
    public HandshakeLoad Load { get; }

    /// <summary>Handshakes of clients under way.</summary>
    public int Handshakes => Volatile.Read(ref _handshakes);

    public EndpointIngress<QuicConnection> CreateIngress() => new(Router, Crypto, Random, _tokens, _usedTokens, Metrics);

    /// <summary>Joins the socket that serves an address, or opens one there; each user gives it back.</summary>
    /// <param name="local">The address.</param>
    /// <param name="interfaceIndex">The number of the interface that a new one sends by; 0: the routes decide.</param>
    /// <exception cref="System.Net.Sockets.SocketException">The address is taken or not of this machine.</exception>
    public NetworkAddress TakeSocket(in NetworkAddress local, int interfaceIndex = 0)
    {
        lock (_gate)
        {
            if (local.Port != 0 && FindSocket(local) is { } open)
            {
                open.Users++;
                return open.LocalAddress;
            }
        }

        var udp = UdpSocket.Create(new UdpSocketOptions
        {
            LocalAddress = local,
            DualMode = _options.DualMode,
            HearErrors = _options.Use != EndpointUse.Listening,
            SeeLocal = _options.Use != EndpointUse.Connecting,
            DedicatedThread = _options.DedicatedThread,
            InterfaceIndex = interfaceIndex,
            Kind = _options.UsePortableSockets ? UdpSocketKind.Portable : UdpSocketKind.Auto,
        });
        var socket = new EndpointSocket(this, udp) { Users = 1 };
        lock (_gate)
        {
            if (_isDisposed)
            {
                socket.Dispose();
                throw new ObjectDisposedException(nameof(QuicEndpoint));
            }

            _sockets = _sockets.Add(socket);
        }

        socket.Start();
        return socket.LocalAddress;
    }

    /// <exception cref="System.Net.Sockets.SocketException">The address is not of this machine.</exception>
    public static void CheckIsOfThisMachine(in NetworkAddress local)
    {
        // The system is the only one to know: on Linux all of 127.0.0.0/8 is, and no list of addresses has it.
        System.Net.IPEndPoint any = local.WithPort(0).ToEndPoint();
        using var probe = new System.Net.Sockets.Socket(any.AddressFamily, System.Net.Sockets.SocketType.Dgram, System.Net.Sockets.ProtocolType.Udp);
        probe.Bind(any);
    }

    /// <summary>A user of a socket needs it no more; with the last of them it closes.</summary>
    public void ReturnSocket(in NetworkAddress local)
    {
        EndpointSocket? closing;
        lock (_gate)
        {
            closing = FindSocket(local);
            if (_isDisposed || closing is null || --closing.Users > 0)
            {
                return;
            }

            _sockets = _sockets.Remove(closing);
        }

        closing.Dispose();
    }

    /// <summary>Lets clients in; one listener at a time.</summary>
    public void StartListening(QuicListener listener, IncomingPolicy policy)
    {
        lock (_gate)
        {
            if (_listener is not null)
            {
                throw new InvalidOperationException("This endpoint has a listener already; dispose it first, or open another endpoint.");
            }

            _listener = listener;
            _incoming = policy;
        }
    }

    public void StopListening(QuicListener listener)
    {
        lock (_gate)
        {
            if (_listener == listener)
            {
                _listener = null;
                _incoming = null;
            }
        }
    }

    /// <summary>Begins a connection with a client; null where its choice of id is taken or the listener is gone.</summary>
    public QuicConnection? TryAccept(in ServerArrival arrival, in DatagramMetadata metadata, long now)
    {
        QuicListener? listener = Volatile.Read(ref _listener);
        if (listener is null)
        {
            return null;
        }

        Load.OnChanged(Interlocked.Increment(ref _handshakes), Incoming);
        QuicConnection? connection = null;
        try
        {
            return connection = QuicConnection.TryAccept(this, listener, arrival, metadata, now);
        }
        finally
        {
            if (connection is null)
            {
                HandshakeEnded();
            }
        }
    }

    /// <summary>A connection lives on this endpoint until <see cref="Release"/>.</summary>
    public void Retain() => Interlocked.Increment(ref _connections);

    /// <summary>A connection is drained.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _connections) == 0 && Volatile.Read(ref _isUnowned))
        {
            Dispose();
        }
    }

    /// <summary>Nobody begins connections here any more: with the last of them the sockets close.</summary>
    public void DisposeWhenUnused()
    {
        Retain();
        Volatile.Write(ref _isUnowned, true);
        Release();
    }

    public void HandshakeEnded() => Load.OnChanged(Interlocked.Decrement(ref _handshakes), Incoming);

    /// <summary>A token that proves the client's address to us next time (RFC 9000 section 8.1.3).</summary>
    public int SealNewToken(in NetworkAddress client, Span<byte> token)
    {
        Metrics.TokenIssued(forRetry: false);
        return _tokens.SealNewToken(client, Clock.Now, token);
    }

    public UdpSendResult Send(ReadOnlySpan<byte> payload, in OutgoingDatagrams batch, out int sent)
    {
        sent = 0;
        return FindSocket(batch.Local)?.Send(payload, batch, out sent) ?? UdpSendResult.Closed;
    }

    /// <summary>
    /// A socket can receive no more. With others left, its paths fall silent and are left; with the last, nothing would ever come
    /// again.
    /// </summary>
    public void OnSocketFailed(EndpointSocket failed)
    {
        bool isLast;
        lock (_gate)
        {
            _sockets = _sockets.Remove(failed);
            isLast = _sockets.IsEmpty;
        }

        failed.Dispose();
        if (isLast)
        {
            Dispose();
        }
    }

    /// <summary>The network says that a datagram of ours did not arrive; its sender is found by where it went.</summary>
    public void OnUdpError(in UdpError error)
    {
        foreach (QuicConnection connection in Router.Connections)
        {
            if (connection.IsClient)
            {
                connection.OnUdpError(error);
            }
        }
    }

    public void WakeWhenWritable(ConnectionDriver driver, in OutgoingDatagrams batch) =>
        FindSocket(batch.Local)?.WakeWhenWritable(driver);

    public void Dispose()
    {
        ImmutableArray<EndpointSocket> sockets;
        lock (_gate)
        {
            if (_isDisposed)
            {
                return;
            }

            _isDisposed = true;
            sockets = _sockets;
            _incoming = null;
        }

        foreach (EndpointSocket socket in sockets)
        {
            socket.Dispose();
        }

        foreach (QuicConnection connection in Router.Connections)
        {
            connection.Abandon();
        }

        EngineLog.EndpointClosed(Logger, LocalAddress.ToEndPoint());
        Router.Dispose();
        _tokens.Dispose();
        TicketKeys.Dispose();
    }

    private EndpointSocket? FindSocket(in NetworkAddress local)
    {
        foreach (EndpointSocket socket in _sockets)
        {
            if (socket.Serves(local))
            {
                return socket;
            }
        }

        return null;
    }
}
