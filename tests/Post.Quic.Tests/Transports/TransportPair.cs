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

    private TransportPair(
        PostTransport clientTransport,
        PostTransport serverTransport,
        TransportListener listener,
        X509Certificate2 identity,
        TransportConnection client,
        TransportConnection server)
    {
        _clientTransport = clientTransport;
        _serverTransport = serverTransport;
        _listener = listener;
        _identity = identity;
        Client = client;
        Server = server;
        client.Start(ClientEvents);
        server.Start(ServerEvents);
    }

    public TransportConnection Client { get; }

    public TransportConnection Server { get; }

    public RecordedEvents ClientEvents { get; } = new();

    public RecordedEvents ServerEvents { get; } = new();

    public KeyFingerprint ServerKey => KeyFingerprint.Of(_identity);

    public static async Task<TransportPair> ConnectAsync(
        PostTransport clientTransport,
        PostTransport serverTransport,
        PeerTrust? trust,
        Local? client,
        PeerTrust? clientTrust,
        TransportLimits? limits,
        CancellationToken cancellationToken)
    {
        X509Certificate2 identity = Identity.CreateSelfSigned();
        TransportListener listener = await serverTransport.ListenAsync(
            new TransportListenRequest
            {
                Local = Local.At(new IPEndPoint(IPAddress.Loopback, 0), identity),
                ClientTrust = clientTrust,
                Limits = limits ?? new TransportLimits(),
            },
            cancellationToken);
        Task<TransportConnection?> accepting = listener.AcceptAsync(cancellationToken).AsTask();
        try
        {
            var address = (IPEndPoint)listener.LocalEndPoints[0];
            TransportConnection connection = await clientTransport.ConnectAsync(
                new TransportConnectRequest
                {
                    Local = client ?? Local.Anonymous,
                    Remote = Remote.Pinned(address, KeyFingerprint.Of(identity)) with { Trust = trust ?? PeerTrust.Pinned(KeyFingerprint.Of(identity)) },
                    Limits = limits ?? new TransportLimits(),
                },
                cancellationToken);
            TransportConnection? accepted = await accepting;
            return new TransportPair(clientTransport, serverTransport, listener, identity, connection, accepted!);
        }
        catch
        {
            await listener.DisposeAsync();
            await clientTransport.DisposeAsync();
            await serverTransport.DisposeAsync();
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
