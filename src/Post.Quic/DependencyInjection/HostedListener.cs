using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Post.Sockets;

namespace Post.Quic.DependencyInjection;

/// <summary>A listener that lives as long as the host, and serves each association in a scope of its own.</summary>
internal sealed partial class HostedListener<THandler> : IHostedService, IAsyncDisposable
    where THandler : class, IPostHandler
{
    /// <summary>How long a disposal waits for handlers that were aborted.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly IServiceProvider _services;
    private readonly string _localName;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationToken _stoppingToken;
    private readonly Dictionary<Association, Task> _serving = [];
    private readonly Lock _gate = new();
    private Listener? _listener;
    private PostListeners? _running;

    public HostedListener(IServiceProvider services, string localName)
    {
        _services = services;
        _localName = localName;
        _stoppingToken = _stopping.Token;
        _logger = (services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance).CreateLogger("Post.Quic.HostedListener");
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var locals = _services.GetRequiredService<PostLocals>();
        var local = locals.Get(_localName);
        var listener = await _services.GetRequiredService<AssociationFactory>()
            .ListenAsync(local, locals.GetListenerOptions(_localName), cancellationToken)
            .ConfigureAwait(false);
        _listener = listener;
        _running = _services.GetRequiredService<PostListeners>();
        _running.Add(_localName, listener);
        listener.Register<Accept>(AcceptAsync);
        LogListening(_logger, string.Join(", ", listener.LocalEndPoints), local.Key?.ToString() ?? "none");
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_listener is null)
        {
            return;
        }

        _running?.Remove(_localName);
        await _listener.DisposeAsync().ConfigureAwait(false);
        await _stopping.CancelAsync().ConfigureAwait(false);
        LogStopping(_logger, Serving().Length);
        try
        {
            await FinishAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The shutdown timeout of the host is over.
            AbortAll();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_listener is null || _stoppingToken.IsCancellationRequested)
        {
            return;
        }

        // A host that failed to start is disposed without being stopped: no handler may still use its services.
        _running?.Remove(_localName);
        await _listener.DisposeAsync().ConfigureAwait(false);
        await _stopping.CancelAsync().ConfigureAwait(false);
        AbortAll();
        try
        {
            await FinishAsync().WaitAsync(Patience).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // The handler ignores both its token and the end of its association.
        }
    }

    private KeyValuePair<Association, Task>[] Serving()
    {
        lock (_gate)
        {
            return [.. _serving];
        }
    }

    /// <summary>Waits for all associations that are served, including those whose handler has not accepted them yet.</summary>
    private async Task FinishAsync()
    {
        while (Serving() is { Length: > 0 } serving)
        {
            await Task.WhenAll(serving.Select(one => one.Value)).ConfigureAwait(false);
        }
    }

    private void AbortAll()
    {
        foreach (var (association, _) in Serving())
        {
            association.Abort();
        }
    }

    private async ValueTask AcceptAsync(Accept accept)
    {
        var scope = _services.GetRequiredService<IServiceScopeFactory>().CreateAsyncScope();
        THandler handler;
        try
        {
            handler = scope.ServiceProvider.GetRequiredService<THandler>();
        }
        catch (Exception)
        {
            await scope.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        var isAccepted = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            // From here on, a stopping host waits for it. It is served on another thread, since the association starts only when this handler has
            // returned.
            _serving[accept.Association] = Task.Run(
                () => ServeAsync(accept.Association, handler, scope, isAccepted.Task), CancellationToken.None);
        }

        try
        {
            await handler.AcceptAsync(accept).ConfigureAwait(false);
            isAccepted.SetResult(!accept.IsRefused);
        }
        finally
        {
            // What it throws is logged by the listener, and refuses the association.
            isAccepted.TrySetResult(false);
        }
    }

    private async Task ServeAsync(Association association, THandler handler, AsyncServiceScope scope, Task<bool> isAccepted)
    {
        try
        {
            if (!await isAccepted.ConfigureAwait(false))
            {
                return;
            }

            await handler.RunAsync(association, _stoppingToken).ConfigureAwait(false);
            await association.CloseAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stoppingToken.IsCancellationRequested)
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
            await DisposeAsync(scope).ConfigureAwait(false);
            lock (_gate)
            {
                _serving.Remove(association);
            }
        }
    }

    private async ValueTask DisposeAsync(AsyncServiceScope scope)
    {
        try
        {
            await scope.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            // A service of the application failed; the other associations must still be served to their end.
            LogHandlerFailed(_logger, typeof(THandler).Name, exception);
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
