using System.Net;
using System.Security.Cryptography.X509Certificates;
using Post.Quic.Engine;

namespace Post.Quic.Interop.Tests.MsQuic;

/// <summary>A listener of ours that sends the first stream of its first connection back.</summary>
internal sealed class ManagedEchoListener : IAsyncDisposable
{
    private readonly QuicListener _listener;

    private ManagedEchoListener(QuicListener listener, CancellationToken cancellationToken)
    {
        _listener = listener;
        Serving = EchoAsync(cancellationToken);
    }

    public IPEndPoint EndPoint => _listener.LocalEndPoint;

    /// <summary>Null until somebody has connected.</summary>
    public QuicConnection? Connection { get; private set; }

    /// <summary>Ends when all was sent back and acknowledged.</summary>
    public Task Serving { get; }

    public static async Task<ManagedEchoListener> ListenAsync(
        X509Certificate2 identity, CancellationToken cancellationToken, QuicRetryPolicy retry = QuicRetryPolicy.UnderLoad) => new(
        await QuicListener.ListenAsync(
            new QuicListenerOptions
            {
                ListenEndPoint = new IPEndPoint(IPAddress.Loopback, 0),
                Retry = retry,
                ConnectionOptionsCallback = (_, _, _) => ValueTask.FromResult(new QuicServerConnectionOptions
                {
                    ServerAuthenticationOptions = PinnedTls.Server(identity),
                }),
            },
            cancellationToken),
        cancellationToken);

    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    private async Task EchoAsync(CancellationToken cancellationToken)
    {
        Connection = await _listener.AcceptConnectionAsync(cancellationToken);
        QuicStream inbound = await Connection.AcceptInboundStreamAsync(cancellationToken);
        await inbound.CopyToAsync(inbound, cancellationToken);
        await inbound.WriteAsync(default, true, cancellationToken);
        await inbound.WritesClosed;
    }
}
