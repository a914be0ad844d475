using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Post.Quic.Engine.Tests.Endpoint;

/// <summary>A client and a server connected by real sockets on loopback.</summary>
internal sealed class LoopbackPair : IAsyncDisposable
{
    public static readonly SslApplicationProtocol Protocol = new("loopback");

    private static readonly DevelopmentCertificates Certificates = DevelopmentCertificates.Create();

    private LoopbackPair(QuicListener listener, QuicConnection client, QuicConnection server)
    {
        Listener = listener;
        Client = client;
        Server = server;
    }

    public QuicListener Listener { get; }

    public QuicConnection Client { get; }

    public QuicConnection Server { get; }

    public static async Task<LoopbackPair> ConnectAsync(
        CancellationToken cancellationToken,
        Func<QuicClientConnectionOptions, QuicClientConnectionOptions>? client = null,
        Func<QuicServerConnectionOptions, QuicServerConnectionOptions>? server = null,
        Func<QuicListenerOptions, QuicListenerOptions>? listen = null)
    {
        QuicListener listener = await ListenAsync(server, listen);
        try
        {
            Task<QuicConnection> accepting = listener.AcceptConnectionAsync(cancellationToken).AsTask();
            QuicConnection connected = await ConnectToAsync(listener, cancellationToken, client);
            return new LoopbackPair(listener, connected, await accepting);
        }
        catch
        {
            await listener.DisposeAsync();
            throw;
        }
    }

    public static ValueTask<QuicListener> ListenAsync(
        Func<QuicServerConnectionOptions, QuicServerConnectionOptions>? server = null,
        Func<QuicListenerOptions, QuicListenerOptions>? listen = null)
    {
        var options = new QuicServerConnectionOptions { ServerAuthenticationOptions = ServerAuthentication() };
        options = server?.Invoke(options) ?? options;
        var listenerOptions = new QuicListenerOptions
        {
            ListenEndPoint = new IPEndPoint(IPAddress.Loopback, 0),
            ConnectionOptionsCallback = (_, _, _) => ValueTask.FromResult(options),
        };
        return QuicListener.ListenAsync(listen?.Invoke(listenerOptions) ?? listenerOptions);
    }

    public static ValueTask<QuicConnection> ConnectToAsync(
        QuicListener listener,
        CancellationToken cancellationToken,
        Func<QuicClientConnectionOptions, QuicClientConnectionOptions>? client = null)
    {
        var options = new QuicClientConnectionOptions
        {
            RemoteEndPoint = listener.LocalEndPoint,
            ClientAuthenticationOptions = ClientAuthentication(),
        };
        return QuicConnection.ConnectAsync(client?.Invoke(options) ?? options, cancellationToken);
    }

    public static SslServerAuthenticationOptions ServerAuthentication() => new()
    {
        ApplicationProtocols = [Protocol],
        ServerCertificateContext = SslStreamCertificateContext.Create(Certificates.Server.Certificate, null, offline: true),
    };

    public static SslClientAuthenticationOptions ClientAuthentication() => new()
    {
        ApplicationProtocols = [Protocol],
        TargetHost = "localhost",
        CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            CustomTrustStore = { Certificates.Authority.Certificate },
            RevocationMode = X509RevocationMode.NoCheck,
        },
    };

    public static ReadOnlyMemory<byte> ServerKeyHash =>
        SHA256.HashData(Certificates.Server.Certificate.PublicKey.ExportSubjectPublicKeyInfo());

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await Server.DisposeAsync();
        await Listener.DisposeAsync();
    }
}
