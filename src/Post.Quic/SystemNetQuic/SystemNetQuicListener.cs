using System.Net;
using System.Net.Quic;
using System.Runtime.Versioning;
using System.Security.Authentication;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Post.Sockets.Transport;

namespace Post.Quic.SystemNetQuic;

/// <summary>One listener of System.Net.Quic for each endpoint of the Local, behind the seam.</summary>
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
internal sealed partial class SystemNetQuicListener : TransportListener
{
    private readonly IReadOnlyList<QuicListener> _listeners;
    private readonly Func<QuicConnection, SystemNetQuicConnection> _wrap;
    private readonly ILogger _logger;
    private readonly Channel<QuicConnection> _accepted;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _loops;

    public SystemNetQuicListener(
        IReadOnlyList<QuicListener> listeners,
        int backlog,
        Func<QuicConnection, SystemNetQuicConnection> wrap,
        ILogger logger)
    {
        _listeners = listeners;
        _wrap = wrap;
        _logger = logger;
        _accepted = Channel.CreateBounded<QuicConnection>(backlog);
        LocalEndPoints = [.. listeners.Select(EndPoint (listener) => listener.LocalEndPoint)];
        _loops = Task.WhenAll(listeners.Select(AcceptLoopAsync));
    }

    public override IReadOnlyList<EndPoint> LocalEndPoints { get; }

    public override async ValueTask<TransportConnection?> AcceptAsync(CancellationToken cancellationToken)
    {
        try
        {
            return _wrap(await _accepted.Reader.ReadAsync(cancellationToken).ConfigureAwait(false));
        }
        catch (ChannelClosedException)
        {
            return null;
        }
    }

    public override async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested)
        {
            return;
        }

        await _stopping.CancelAsync().ConfigureAwait(false);
        foreach (QuicListener listener in _listeners)
        {
            await listener.DisposeAsync().ConfigureAwait(false);
        }

        await _loops.ConfigureAwait(false);
        _accepted.Writer.TryComplete();
        while (_accepted.Reader.TryRead(out QuicConnection? unwanted))
        {
            await unwanted.DisposeAsync().ConfigureAwait(false);
        }

        _stopping.Dispose();
    }

    private async Task AcceptLoopAsync(QuicListener listener)
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                QuicConnection connection = await listener.AcceptConnectionAsync(_stopping.Token).ConfigureAwait(false);
                await _accepted.Writer.WriteAsync(connection, _stopping.Token).ConfigureAwait(false);
            }
            catch (Exception exception) when (_stopping.IsCancellationRequested
                && exception is OperationCanceledException or ObjectDisposedException or QuicException)
            {
                return;
            }
            catch (Exception exception) when (exception is QuicException or AuthenticationException or OperationCanceledException)
            {
                // One peer's failed handshake is no reason to turn the others away.
                HandshakeFailed(exception.Message);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "A client's handshake failed: {Reason}")]
    private partial void HandshakeFailed(string reason);
}
