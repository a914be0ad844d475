using System.Net;
using System.Security.Cryptography.X509Certificates;
using Post.Quic.Managed;
using Post.Quic.Tests.Links;
using Post.Quic.Tests.Transports;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.EndToEnd;

/// <summary>A client and a server of chosen engines, associated over loopback, with a link between them where one is asked for.</summary>
internal sealed class PostPair : IAsyncDisposable
{
    private readonly PostTransport _clientTransport;
    private readonly TestEngine _server;
    private readonly X509Certificate2 _identity = Identity.CreateSelfSigned("server");
    private readonly PairSetup _setup;
    private PostTransport _serverTransport;
    private Listener? _listener;

    private PostPair(TestEngine client, TestEngine server, PairSetup setup)
    {
        _server = server;
        _clientTransport = TransportOf(client);
        _serverTransport = TransportOf(server);
        _setup = setup;
    }

    public Association Client { get; private set; } = null!;

    public Association Server { get; private set; } = null!;

    /// <summary>What lies between them, where the setup asks for it.</summary>
    public UdpRelay? Relay { get; private set; }

    /// <summary>Likewise, the one that can be cut.</summary>
    public CutRelay? Cut { get; private set; }

    public Listener Listener => _listener!;

    public KeyFingerprint ServerKey => KeyFingerprint.Of(_identity);

    /// <summary>What both ends can do.</summary>
    public TransportCapabilities Capabilities => Client.Capabilities & (Server.Capabilities | TransportCapabilities.Migration);

    /// <summary>The transport of an engine; skips the test where this machine lacks it.</summary>
    public static PostTransport TransportOf(TestEngine engine)
    {
        if (engine == TestEngine.Managed)
        {
            return new ManagedTransport();
        }

        if (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS() || OperatingSystem.IsWindows())
        {
            return MsQuicPlatform.CreateTransport(useExtras: engine == TestEngine.MsQuic);
        }

        throw new AssertInconclusiveException("System.Net.Quic does not exist on this platform.");
    }

    /// <summary>Listens only; <see cref="AssociateAsync"/> then makes associations.</summary>
    public static async Task<PostPair> ListenAsync(
        TestEngine client, TestEngine server, PairSetup? setup, CancellationToken cancellationToken)
    {
        var pair = new PostPair(client, server, setup ?? new PairSetup());
        try
        {
            await pair.ListenAsync(cancellationToken);
            return pair;
        }
        catch
        {
            await pair.DisposeAsync();
            throw;
        }
    }

    public static async Task<PostPair> ConnectAsync(
        TestEngine client, TestEngine server, CancellationToken cancellationToken, PairSetup? setup = null)
    {
        PostPair pair = await ListenAsync(client, server, setup, cancellationToken);
        try
        {
            (pair.Client, pair.Server) = await pair.AssociateAsync(cancellationToken);
            return pair;
        }
        catch
        {
            await pair.DisposeAsync();
            throw;
        }
    }

    /// <summary>One more association of the same two; the first is <see cref="Client"/> and <see cref="Server"/>.</summary>
    public async Task<(Association Client, Association Server)> AssociateAsync(CancellationToken cancellationToken)
    {
        using var failed = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<Association?> accepting = Listener.AcceptAsync(failed.Token).AsTask();
        try
        {
            Association client = await AssociateOneSidedAsync(cancellationToken);
            return (client, (await accepting)!);
        }
        catch
        {
            await failed.CancelAsync();
            throw;
        }
    }

    /// <summary>The client's part only, for servers that take their associations otherwise or not at all.</summary>
    public async Task<Association> AssociateOneSidedAsync(CancellationToken cancellationToken)
    {
        IPEndPoint address = Relay?.EndPoint ?? Cut?.EndPoint ?? (IPEndPoint)Listener.LocalEndPoints[0];
        return await Association.AssociateAsync(
            _clientTransport,
            _setup.Client,
            Remote.Pinned(address, ServerKey) with { Trust = _setup.ServerTrust ?? PeerTrust.Pinned(ServerKey) },
            _setup.ClientOptions,
            cancellationToken);
    }

    /// <summary>Another listener with the same identity takes the place of the first behind the link that can be cut.</summary>
    public async Task RestartListenerAsync(CancellationToken cancellationToken, bool onSamePort = false)
    {
        int port = onSamePort ? ((IPEndPoint)_listener!.LocalEndPoints[0]).Port : 0;
        await _listener!.DisposeAsync();
        await _serverTransport.DisposeAsync();
        _serverTransport = TransportOf(_server);
        while (true)
        {
            try
            {
                _listener = await NewListenerAsync(cancellationToken, port);
                break;
            }
            catch (PostException inUse) when (onSamePort && inUse.InnerException is TransportException { Reason: TransportErrorReason.LocalAddressUnavailable })
            {
                // A process that is killed gives its port back at once; here the connections of the first still drain.
                await Task.Delay(20, cancellationToken);
            }
        }

        Cut!.Redirect((IPEndPoint)_listener.LocalEndPoints[0]);
    }

    public async ValueTask DisposeAsync()
    {
        Client?.Abort();
        Server?.Abort();
        if (_listener is not null)
        {
            await _listener.DisposeAsync();
        }

        await _clientTransport.DisposeAsync();
        await _serverTransport.DisposeAsync();
        if (Relay is not null)
        {
            await Relay.DisposeAsync();
        }

        if (Cut is not null)
        {
            await Cut.DisposeAsync();
        }

        _identity.Dispose();
    }

    private async Task ListenAsync(CancellationToken cancellationToken)
    {
        _listener = await NewListenerAsync(cancellationToken);
        var address = (IPEndPoint)_listener.LocalEndPoints[0];
        Relay = _setup.Link is null ? null : new UdpRelay(address, _setup.Link);
        Cut = _setup.IsCuttable ? new CutRelay(address) : null;
    }

    private async Task<Listener> NewListenerAsync(CancellationToken cancellationToken, int port = 0) => await Listener.ListenAsync(
        _serverTransport,
        Local.At(new IPEndPoint(IPAddress.Loopback, port), _identity),
        new ListenerOptions { Association = _setup.ServerOptions, ClientTrust = _setup.ClientTrust },
        cancellationToken);
}
