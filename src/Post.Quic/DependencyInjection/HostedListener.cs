using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Post.Sockets;

namespace Post.Quic.DependencyInjection;

/// <summary>A listener that lives as long as the host, and serves each association in a scope of its own.</summary>
internal sealed partial class HostedListener<THandler> : IHostedService, IAsyncDisposable
    where THandler : class, IPostHandler
{
    private readonly IServiceProvider _services;
    private readonly string _localName;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Dictionary<Association, Task> _serving = [];
    private readonly Lock _gate = new();
    private Listener? _listener;

    public HostedListener(IServiceProvider services, string localName)
    {
        _services = services;
        _localName = localName;
        _logger = (services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance).CreateLogger("Post.Quic.HostedListener");
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var locals = _services.GetRequiredService<PostLocals>();
        var local = locals.Get(_localName);
        var options = _services.GetRequiredService<IOptionsMonitor<PostListenerOptions>>().Get(_localName);
        var listener = await _services.GetRequiredService<PostHost>().ListenAsync(
            local,
            new ListenerOptions
            {
                Association = options.Association ?? locals.GetAssociationOptions(_localName),
                ClientTrust = options.ClientTrust ?? TrustOf(_services.GetRequiredService<IOptionsMonitor<PostLocalOptions>>().Get(_localName)),
                MaxAssociations = options.MaxAssociations,
            },
            cancellationToken).ConfigureAwait(false);
        _listener = listener;
        _services.GetRequiredService<PostListeners>().Add(_localName, listener);
        listener.Register<Accept>(AcceptAsync);
        LogListening(_logger, string.Join(", ", listener.LocalEndPoints), local.Key?.ToString() ?? "none");
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_listener is null)
        {
            return;
        }

        _services.GetRequiredService<PostListeners>().Remove(_localName);
        await _listener.DisposeAsync().ConfigureAwait(false);
        await _stopping.CancelAsync().ConfigureAwait(false);
        KeyValuePair<Association, Task>[] serving;
        lock (_gate)
        {
            serving = [.. _serving];
        }

        LogStopping(_logger, serving.Length);
        try
        {
            await Task.WhenAll(serving.Select(one => one.Value)).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The host waits no longer.
            foreach (var (association, _) in serving)
            {
                association.Abort();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_listener is not null)
        {
            await _listener.DisposeAsync().ConfigureAwait(false);
        }

        _stopping.Dispose();
    }

    private static PeerTrust? TrustOf(PostLocalOptions options) => options.TrustedKeys.Count == 0
        ? null
        : PeerTrust.Pinned(options.TrustedKeys.Select(key => KeyFingerprint.Parse(key)));

    private async ValueTask AcceptAsync(Accept accept)
    {
        var scope = _services.GetRequiredService<IServiceScopeFactory>().CreateAsyncScope();
        try
        {
            var handler = scope.ServiceProvider.GetRequiredService<THandler>();
            await handler.AcceptAsync(accept).ConfigureAwait(false);
            lock (_gate)
            {
                // Started under the gate, and off this thread: the association starts only when this handler has returned.
                _serving[accept.Association] = Task.Run(() => ServeAsync(accept.Association, handler, scope), CancellationToken.None);
            }
        }
        catch (Exception)
        {
            // The listener logs it and refuses the association.
            await scope.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private async Task ServeAsync(Association association, THandler handler, AsyncServiceScope scope)
    {
        try
        {
            await handler.RunAsync(association, _stopping.Token).ConfigureAwait(false);
            await association.CloseAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // An ordinary way to return: what was sent is still delivered.
            await association.CloseAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (PostException exception) when (association.Completion.IsCompleted)
        {
            LogEnded(_logger, association.RemoteEndPoint?.ToString(), exception.Message);
        }
        catch (Exception exception)
        {
            LogHandlerFailed(_logger, typeof(THandler).Name, exception);
            association.Abort();
        }
        finally
        {
            lock (_gate)
            {
                _serving.Remove(association);
            }

            await scope.DisposeAsync().ConfigureAwait(false);
        }
    }

    [LoggerMessage(1, LogLevel.Information, "Listening on {EndPoints} with the key {Key}")]
    private static partial void LogListening(ILogger logger, string endPoints, string key);

    [LoggerMessage(2, LogLevel.Information, "No longer listening; {Count} associations finish")]
    private static partial void LogStopping(ILogger logger, int count);

    [LoggerMessage(3, LogLevel.Debug, "The association with {Remote} ended: {Reason}")]
    private static partial void LogEnded(ILogger logger, string? remote, string reason);

    [LoggerMessage(4, LogLevel.Error, "{Handler} failed; its association is aborted")]
    private static partial void LogHandlerFailed(ILogger logger, string handler, Exception exception);
}
