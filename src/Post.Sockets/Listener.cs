using System.Net;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Post.Sockets.Associations;
using Post.Sockets.Diagnostics;
using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets;

/// <summary>
/// Waits for remotes that associate with us. Its one event is <see cref="Accept"/>; or take the associations as they come from
/// <see cref="AssociationsAsync"/>. Disposing it stops listening and closes none of its associations.
/// </summary>
public sealed class Listener : IAsyncDisposable
{
    private readonly PostHost _host;
    private readonly TransportListener _listener;
    private readonly ListenerOptions _options;
    private readonly HandlerTable _handlers = new();
    private readonly CancellationTokenSource _closed = new();
    private readonly ILogger _log;
    private readonly Queue<TransportConnection> _waiting = new();
    private readonly Queue<TaskCompletionSource> _waiters = new();
    private readonly Lock _gate = new();
    private readonly TaskCreationOptions _continuations;
    private int _associations;
    private bool _isClosed;
    private PostException? _error;

    internal Listener(PostHost host, Local local, TransportListener listener, ListenerOptions options)
    {
        _host = host;
        _listener = listener;
        _options = options;
        Local = local;
        _log = host.LoggerFactory.CreateLogger("Post.Sockets.Listener");
        _continuations = host.Transport.Dispatcher == TransportDispatcher.ThreadPool
            ? TaskCreationOptions.RunContinuationsAsynchronously
            : TaskCreationOptions.None;
        _ = RunAsync();
    }

    /// <summary>Who listens.</summary>
    public Local Local { get; }

    /// <summary>Where, with the ports that the system chose.</summary>
    public IReadOnlyList<EndPoint> LocalEndPoints => _listener.LocalEndPoints;

    /// <summary>Associations of this listener that are alive.</summary>
    public int AssociationCount => Volatile.Read(ref _associations);

    /// <summary>Listens without a <see cref="PostHost"/>.</summary>
    /// <param name="transport">What carries it.</param>
    /// <param name="local">Who we are, and where to listen.</param>
    /// <param name="options">Bounds and habits; null: the defaults.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="PostException">The endpoint could not be opened.</exception>
    public static ValueTask<Listener> ListenAsync(
        PostTransport transport, Local local, ListenerOptions? options = null, CancellationToken cancellationToken = default) =>
        new PostHost(transport).ListenAsync(local, options, cancellationToken);

    /// <summary>Calls a handler for each <see cref="Accept"/>, before anything of the association is delivered.</summary>
    /// <typeparam name="TEvent"><see cref="Accept"/> or <see cref="HandlerFailed"/>.</typeparam>
    /// <param name="handler">The handler; what it throws refuses the association and is raised as <see cref="HandlerFailed"/>.</param>
    /// <returns>Dispose it to end the registration.</returns>
    public IDisposable Register<TEvent>(Action<TEvent> handler)
        where TEvent : PostEvent
    {
        ArgumentNullException.ThrowIfNull(handler);
        return Register<TEvent>(happened =>
        {
            handler(happened);
            return default;
        });
    }

    /// <inheritdoc cref="Register{TEvent}(Action{TEvent})"/>
    public IDisposable Register<TEvent>(Func<TEvent, ValueTask> handler)
        where TEvent : PostEvent
    {
        var registration = _handlers.Add(handler);
        WakeAll();
        return registration;
    }

    /// <summary>
    /// Accepts every remote and gives the associations as they come. With handlers for <see cref="Accept"/> registered, those take
    /// the remotes instead.
    /// </summary>
    /// <param name="cancellationToken">Ends the enumeration.</param>
    public async IAsyncEnumerable<Association> AssociationsAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (await AcceptAsync(cancellationToken).ConfigureAwait(false) is { } association)
        {
            yield return association;
        }
    }

    /// <summary>Accepts the next remote.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The association; null when the listener was closed.</returns>
    public async ValueTask<Association?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            var connection = await NextAsync(cancellationToken).ConfigureAwait(false);
            if (connection is null)
            {
                return _error is null ? null : throw _error;
            }

            if (await BeginAsync(connection).ConfigureAwait(false) is { } association)
            {
                return association;
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            if (_isClosed)
            {
                return;
            }

            _isClosed = true;
        }

        // CancelAsync would go to the thread pool, out of a transport's virtual time, and nothing here takes long.
#pragma warning disable CA1849
        _closed.Cancel();
#pragma warning restore CA1849
        await _listener.DisposeAsync().ConfigureAwait(false);
        while (true)
        {
            TransportConnection? connection;
            lock (_gate)
            {
                if (!_waiting.TryDequeue(out connection))
                {
                    break;
                }
            }

            await RefuseAsync(connection).ConfigureAwait(false);
        }

        WakeAll();
    }

    private async Task RunAsync()
    {
        try
        {
            while (await _listener.AcceptAsync(_closed.Token).ConfigureAwait(false) is { } connection)
            {
                if (Volatile.Read(ref _associations) >= _options.MaxAssociations)
                {
                    _log.TooManyAssociations(_options.MaxAssociations);
                    await RefuseAsync(connection).ConfigureAwait(false);
                }
                else if (_handlers.Has<Accept>())
                {
                    _ = HandleAsync(connection);
                }
                else
                {
                    Offer(connection);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Closed.
        }
        catch (Exception exception)
        {
            _log.ListenerFailed(exception);
            _error = exception as PostException ?? (exception is TransportException failure
                ? Lifecycle.Translate(failure)
                : new PostException(PostErrorReason.Transport, exception.Message, exception));
        }

        lock (_gate)
        {
            _isClosed = true;
        }

        WakeAll();
    }

    private void Offer(TransportConnection connection)
    {
        lock (_gate)
        {
            _waiting.Enqueue(connection);
        }

        WakeAll();
    }

    private void WakeAll()
    {
        TransportConnection[] forHandlers = [];
        TaskCompletionSource[] waiters;
        lock (_gate)
        {
            if (_handlers.Has<Accept>())
            {
                forHandlers = [.. _waiting];
                _waiting.Clear();
            }

            waiters = [.. _waiters];
            _waiters.Clear();
        }

        foreach (var connection in forHandlers)
        {
            _ = HandleAsync(connection);
        }

        foreach (var waiter in waiters)
        {
            waiter.TrySetResult();
        }
    }

    private async ValueTask<TransportConnection?> NextAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            TaskCompletionSource waiter;
            lock (_gate)
            {
                if (_waiting.TryDequeue(out var connection))
                {
                    return connection;
                }

                if (_isClosed)
                {
                    return null;
                }

                waiter = new TaskCompletionSource(_continuations);
                _waiters.Enqueue(waiter);
            }

            await waiter.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task HandleAsync(TransportConnection connection) => await BeginAsync(connection).ConfigureAwait(false);

    private async ValueTask<Association?> BeginAsync(TransportConnection connection)
    {
        Association? association = null;
        try
        {
            association = new Association(_host, connection, Local, null, _options.Association);
            var accept = new Accept(this, association);
            foreach (var handler in _handlers.For(typeof(Accept)))
            {
                try
                {
                    await handler.InvokeAsync(accept).ConfigureAwait(false);
                }
                catch (Exception exception)
                {
                    _log.HandlerFailed(nameof(Accept), exception);
                    accept.Refuse();
                    await RaiseAsync(new HandlerFailed(accept, exception)).ConfigureAwait(false);
                }
            }

            if (accept.IsRefused)
            {
                association.Refuse();
                return null;
            }

            Interlocked.Increment(ref _associations);
            _ = association.Completion.ContinueWith(
                static (_, listener) => Interlocked.Decrement(ref ((Listener)listener!)._associations),
                this,
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
            await association.StartAsync(_closed.Token).ConfigureAwait(false);
            return association;
        }
        catch (Exception exception)
        {
            // A peer that is gone before it was greeted is no trouble of the listener's.
            _log.AcceptFailed(exception);
            association?.Abort();
            return null;
        }
    }

    private async ValueTask RaiseAsync(HandlerFailed happened)
    {
        foreach (var handler in _handlers.For(typeof(HandlerFailed)))
        {
            try
            {
                await handler.InvokeAsync(happened).ConfigureAwait(false);
            }
            catch (Exception exception)
            {
                _log.HandlerFailed(nameof(HandlerFailed), exception);
            }
        }
    }

    private async ValueTask RefuseAsync(TransportConnection connection)
    {
        try
        {
            await connection.CloseAsync((long)PostErrorCode.AssociationRefused, "refused", CancellationToken.None).ConfigureAwait(false);
            await connection.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            _log.AcceptFailed(exception);
        }
    }
}
