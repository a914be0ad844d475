using System.Net;
using System.Net.Quic;
using System.Runtime.Versioning;
using System.Security.Cryptography.X509Certificates;

namespace Post.Quic.Interop.Tests.MsQuic;

/// <summary>A listener of msquic that sends the first stream of its first connection back.</summary>
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
internal sealed class MsQuicEchoListener : IAsyncDisposable
{
    private readonly QuicListener _listener;

    private MsQuicEchoListener(QuicListener listener, CancellationToken cancellationToken)
    {
        _listener = listener;
        Serving = EchoAsync(cancellationToken);
    }

    public IPEndPoint EndPoint => _listener.LocalEndPoint;

    /// <summary>Null until somebody has connected.</summary>
    public QuicConnection? Connection { get; private set; }

    /// <summary>Ends when all was sent back and acknowledged.</summary>
    public Task Serving { get; }

    public static async Task<MsQuicEchoListener> ListenAsync(X509Certificate2 identity, CancellationToken cancellationToken) => new(
        await QuicListener.ListenAsync(
            new QuicListenerOptions
            {
                ListenEndPoint = new IPEndPoint(IPAddress.Loopback, 0),
                ApplicationProtocols = [PinnedTls.Protocol],
                ConnectionOptionsCallback = (_, _, _) => ValueTask.FromResult(new QuicServerConnectionOptions
                {
                    DefaultCloseErrorCode = 0,
                    DefaultStreamErrorCode = 0,
                    ServerAuthenticationOptions = PinnedTls.Server(identity),
                }),
            },
            cancellationToken),
        cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _listener.DisposeAsync();

        // Not earlier: a close overtakes what the client has not read yet.
        if (Connection is not null)
        {
            await Connection.DisposeAsync();
        }
    }

    private async Task EchoAsync(CancellationToken cancellationToken)
    {
        Connection = await _listener.AcceptConnectionAsync(cancellationToken);
        await using QuicStream inbound = await Connection.AcceptInboundStreamAsync(cancellationToken);
        await inbound.CopyToAsync(inbound, cancellationToken);
        inbound.CompleteWrites();
        await inbound.WritesClosed;
    }
}
