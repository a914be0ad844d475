using System.Net;
using System.Security.Cryptography.X509Certificates;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.Transports;

/// <summary>A client and a server connected over loopback.</summary>
internal sealed class TransportPair : IAsyncDisposable
{
    private readonly PostTransport _clientTransport;
    private readonly PostTransport _serverTransport;
    private readonly TransportListener _listener;
    private readonly X509Certificate2 _identity;
    private readonly TransportConnectRequest _request;

    private TransportPair(
        PostTransport clientTransport,
        PostTransport serverTransport,
        TransportListener listener,
        X509Certificate2 identity,
        TransportConnectRequest request,
        TransportConnection client,
        TransportConnection server)
    {
        _clientTransport = clientTransport;
        _serverTransport = serverTransport;
        _listener = listener;
        _identity = identity;
        _request = request;
        Client = client;
        Server = server;
        client.Start(ClientEvents);
        server.Start(ServerEvents);
    }

    public TransportConnection Client { get; }

    public TransportConnection Server { get; }

    public RecordedEvents ClientEvents { get; } = new();

    public RecordedEvents ServerEvents { get; } = new();

    /// <summary>The next stream that the peer of an end opened, pushed or fetched.</summary>
    public ValueTask<TransportStream> AcceptAsync(TransportConnection end, CancellationToken cancellationToken) =>
        end.Capabilities.HasFlag(TransportCapabilities.WholeStreams)
            ? (end == Client ? ClientEvents : ServerEvents).NextStreamAsync(cancellationToken)
            : end.AcceptStreamAsync(cancellationToken);

    public TimeProvider ClientTime => _clientTransport.TimeProvider;

    public KeyFingerprint ServerKey => KeyFingerprint.Of(_identity);

    public static async Task<TransportPair> ConnectAsync(
        PostTransport clientTransport,
        PostTransport serverTransport,
        PeerTrust? trust,
        Local? client,
        PeerTrust? clientTrust,
        TransportOptions? limits,
        CancellationToken cancellationToken)
    {
        X509Certificate2 identity = Identity.CreateSelfSigned();
        TransportListener listener = await serverTransport.ListenAsync(
            new TransportListenRequest
            {
                Local = Local.At(new IPEndPoint(IPAddress.Loopback, 0), identity),
                ClientTrust = clientTrust,
                Options = limits ?? new TransportOptions(),
            },
            cancellationToken);
        Task<TransportConnection?> accepting = listener.AcceptAsync(cancellationToken).AsTask();
        try
        {
            var address = (IPEndPoint)listener.LocalEndPoints[0];
            var request = new TransportConnectRequest
            {
                Local = client ?? Local.Anonymous,
                Remote = Remote.Pinned(address, KeyFingerprint.Of(identity)) with { Trust = trust ?? PeerTrust.Pinned(KeyFingerprint.Of(identity)) },
                Options = limits ?? new TransportOptions(),
            };
            TransportConnection connection = await clientTransport.ConnectAsync(request, cancellationToken);
            TransportConnection? accepted = await accepting;
            return new TransportPair(clientTransport, serverTransport, listener, identity, request, connection, accepted!);
        }
        catch
        {
            await listener.DisposeAsync();
            await clientTransport.DisposeAsync();
            await serverTransport.DisposeAsync();
            throw;
        }
    }

    public static async Task<byte[]> ReadAllAsync(TransportStream stream, CancellationToken cancellationToken)
    {
        using var all = new MemoryStream();
        byte[] buffer = new byte[32 * 1024];
        while (true)
        {
            TransportReadResult result = await stream.ReadAsync(buffer, cancellationToken);
            Assert.IsFalse(result.IsReset, $"The stream was reset with code {result.ResetCode}.");
            all.Write(buffer, 0, result.Count);
            if (result.IsCompleted)
            {
                return all.ToArray();
            }
        }
    }

    /// <summary>A second connection of the same client to the same listener; the caller disposes both ends.</summary>
    public async Task<(TransportConnection Client, TransportConnection Server)> ConnectAgainAsync(
        CancellationToken cancellationToken, PeerTrust? trust = null)
    {
        using var failed = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<TransportConnection?> accepting = _listener.AcceptAsync(failed.Token).AsTask();
        try
        {
            TransportConnection client = await _clientTransport.ConnectAsync(
                trust is null ? _request : _request with { Remote = _request.Remote with { Trust = trust } }, cancellationToken);
            return (client, (await accepting)!);
        }
        catch
        {
            await failed.CancelAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await Server.DisposeAsync();
        await _listener.DisposeAsync();
        await _clientTransport.DisposeAsync();
        await _serverTransport.DisposeAsync();
        _identity.Dispose();
    }
}
