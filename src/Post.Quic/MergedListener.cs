using System.Net;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Post.Sockets.Transport;

namespace Post.Quic;

/// <summary>The listeners of all endpoints of a Local as one.</summary>
internal sealed partial class MergedListener : TransportListener
{
    private readonly IReadOnlyList<ListenerSource> _sources;
    private readonly ILogger _logger;
    private readonly Channel<TransportConnection> _accepted;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _loops;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isDisposed;

    private MergedListener(IReadOnlyList<ListenerSource> sources, int backlog, ILogger logger)
    {
        _sources = sources;
        _logger = logger;
        _accepted = Channel.CreateBounded<TransportConnection>(backlog);
        LocalEndPoints = [.. sources.Select(source => source.EndPoint)];

        // The caller's execution context must not flow into connections that are accepted later.
        using (ExecutionContext.SuppressFlow())
        {
            _loops = Task.WhenAll([.. sources.Select(AcceptLoopAsync)]);
        }
    }

    public override IReadOnlyList<EndPoint> LocalEndPoints { get; }

    /// <summary>When the endpoints are closed.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Opens a listener for each endpoint of the Local; if one fails, none stays open.</summary>
    public static async ValueTask<MergedListener> OpenAsync(
        TransportListenRequest request,
        Func<ListenAddress, ValueTask<ListenerSource>> open,
        Func<Exception, TransportException> translate,
        ILogger logger,
        bool canLeaveIPv4)
    {
        var sources = new List<ListenerSource>();
        try
        {
            foreach (ListenAddress address in LocalAddresses.ForListening(request.Local, canLeaveIPv4))
            {
                sources.Add(await open(address).ConfigureAwait(false));
            }
        }
        catch (Exception exception)
        {
            foreach (ListenerSource source in sources)
            {
                await source.Dispose().ConfigureAwait(false);
            }

            if (exception is OperationCanceledException)
            {
                throw;
            }

            throw translate(exception);
        }

        return new MergedListener(sources, request.Backlog, logger);
    }

    public override async ValueTask<TransportConnection?> AcceptAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _accepted.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException)
        {
            return null;
        }
    }

    public override async ValueTask DisposeAsync()
    {
        if (!Interlocked.Exchange(ref _isDisposed, true))
        {
            await EndAsync().ConfigureAwait(false);
        }

        await _ended.Task.ConfigureAwait(false);
    }

    private async ValueTask EndAsync()
    {
        try
        {
            await _stopping.CancelAsync().ConfigureAwait(false);
            foreach (ListenerSource source in _sources)
            {
                await source.Dispose().ConfigureAwait(false);
            }

            await _loops.ConfigureAwait(false);
            _accepted.Writer.TryComplete();
            while (_accepted.Reader.TryRead(out TransportConnection? unwanted))
            {
                await unwanted.DisposeAsync().ConfigureAwait(false);
            }

            _stopping.Dispose();
        }
        finally
        {
            _ended.TrySetResult();
        }
    }

    private async Task AcceptLoopAsync(ListenerSource source)
    {
        while (!_stopping.IsCancellationRequested)
        {
            TransportConnection? connection = null;
            try
            {
                connection = await source.Accept(_stopping.Token).ConfigureAwait(false);
                await _accepted.Writer.WriteAsync(connection, _stopping.Token).ConfigureAwait(false);
            }
            catch (Exception exception)
            {
                if (connection is not null)
                {
                    // The listener was closed while the connection waited for room: its peer must not wait for an answer.
                    await connection.DisposeAsync().ConfigureAwait(false);
                }

                if (_stopping.IsCancellationRequested || exception is ObjectDisposedException)
                {
                    return;
                }

                // A failed handshake of one peer must not stop the others.
                HandshakeFailed(exception.Message);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "A client's handshake failed: {Reason}")]
    private partial void HandshakeFailed(string reason);
}
