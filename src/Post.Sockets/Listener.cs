using System.Net;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Post.Sockets.Associations.Connections;
using Post.Sockets.Associations.Delivery;
using Post.Sockets.Associations.Lifecycle;
using Post.Sockets.Associations.Ownership;
using Post.Sockets.Diagnostics;
using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets;

/// <summary>
/// Accepts associations of remote peers: register for <see cref="Accept"/>, or take them from <see cref="AcceptAllAsync"/>. Disposing it stops
/// listening and closes none of its associations; but a peer cannot resume an association of a disposed listener, so one whose connection is
/// lost ends, now or later.
/// </summary>
public sealed class Listener : IAsyncDisposable
{
    private readonly AssociationFactory _host;
    private readonly TransportListener _listener;
    private readonly ListenerOptions _options;
    private readonly HandlerTable _handlers = new();
    private readonly CancellationTokenSource _closed = new();
    private readonly ILogger _log;
    private readonly AssociationRegistry _known;
    private readonly IncomingConnections _reception;
    private readonly Queue<(PostConnection Connection, HelloFrame Hello)> _waiting = new();
    private readonly Queue<TaskCompletionSource> _waiters = new();
    private readonly Lock _gate = new();
    private int _associations;
    private bool _isClosed;
    private PostException? _error;

    internal Listener(AssociationFactory host, Local local, TransportListener listener, ListenerOptions options)
    {
        _host = host;
        _listener = listener;
        _options = options;
        Local = local;
        _log = host.LoggerFactory.CreateLogger("Post.Sockets.Listener");
        _known = new AssociationRegistry(options.MaxInterrupted, options.MaxInterruptedBytes);
        _reception = new IncomingConnections(host, _known, Welcome);

        // What flows with the caller is the caller's, and not of those who are accepted later.
        using (ExecutionContext.SuppressFlow())
        {
            _ = RunAsync();
        }
    }

    /// <summary>The local identity and addresses.</summary>
    public Local Local { get; }

    /// <summary>The addresses it listens on, with the ports that the system chose.</summary>
    public IReadOnlyList<EndPoint> LocalEndPoints => _listener.LocalEndPoints;

    /// <summary>Associations of this listener that are alive, including those that wait for another connection.</summary>
    public int AssociationCount => Volatile.Read(ref _associations);

    /// <summary>Associations whose connection is lost and that wait for their initiator to resume them.</summary>
    public int InterruptedCount => _known.Interrupted;

    /// <summary>Listens, without an <see cref="AssociationFactory"/>.</summary>
    /// <param name="transport">What carries it.</param>
    /// <param name="local">The local identity and the addresses to listen on.</param>
    /// <param name="options">The options; null: the defaults.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="PostException">The endpoint could not be opened.</exception>
    public static ValueTask<Listener> ListenAsync(
        PostTransport transport, Local local, ListenerOptions? options = null, CancellationToken cancellationToken = default) =>
        new AssociationFactory(transport).ListenAsync(local, options, cancellationToken);

    /// <summary>Calls a handler for each <see cref="Accept"/>, before anything of the association is delivered.</summary>
    /// <typeparam name="TEvent"><see cref="Accept"/> or <see cref="AcceptFailed"/>.</typeparam>
    /// <param name="handler">The handler; what it throws refuses the association and is raised as <see cref="AcceptFailed"/>.</param>
    /// <returns>Dispose it to end the registration.</returns>
    public IDisposable Register<TEvent>(Action<TEvent> handler)
        where TEvent : ListenerEvent
    {
        ArgumentNullException.ThrowIfNull(handler);
        return Register<TEvent>(happened =>
        {
            handler(happened);
            return default;
        });
    }

    /// <inheritdoc cref="Register{TEvent}(Action{TEvent})"/>
    [OverloadResolutionPriority(1)]
    public IDisposable Register<TEvent>(Func<TEvent, Task> handler)
        where TEvent : ListenerEvent
    {
        // Without it, a handler of one call that returns a task would be taken for one that returns nothing, and not be waited for.
        ArgumentNullException.ThrowIfNull(handler);
        return Register<TEvent>(async happened => await handler(happened).ConfigureAwait(false));
    }

    /// <inheritdoc cref="Register{TEvent}(Action{TEvent})"/>
    [OverloadResolutionPriority(2)]
    public IDisposable Register<TEvent>(Func<TEvent, ValueTask> handler)
        where TEvent : ListenerEvent
    {
        if (typeof(TEvent).IsAbstract)
        {
            throw new ArgumentException("Register for each type of event by itself: nothing is raised as ListenerEvent.");
        }

        var registration = _handlers.Add(handler);
        WakeAll();
        return registration;
    }

    /// <summary>
    /// Accepts every peer and returns the associations as they come. Where handlers for <see cref="Accept"/> are registered, those take
    /// the peers instead.
    /// </summary>
    /// <param name="cancellationToken">Ends the enumeration.</param>
    public async IAsyncEnumerable<Association> AcceptAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (await AcceptAsync(cancellationToken).ConfigureAwait(false) is { } association)
        {
            yield return association;
        }
    }

    /// <summary>Accepts the next peer.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The association; null when the listener was closed.</returns>
    /// <exception cref="InvalidOperationException">A handler of <see cref="Accept"/> is registered, and takes them all.</exception>
    public async ValueTask<Association?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_handlers.Has<Accept>())
        {
            throw new InvalidOperationException(
                "AcceptAsync would wait for ever: a handler of Accept is registered, and every association goes to it. Go on in the handler, or dispose "
                + "its registration and call AcceptAsync.");
        }

        while (true)
        {
            if (await NextAsync(cancellationToken).ConfigureAwait(false) is not var (connection, hello))
            {
                return _error is null ? null : throw _error;
            }

            if (await BeginAsync(connection, hello).ConfigureAwait(false) is { } association)
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
        _reception.Close();
        _known.Close();
        while (true)
        {
            (PostConnection Connection, HelloFrame Hello) unwanted;
            lock (_gate)
            {
                if (!_waiting.TryDequeue(out unwanted))
                {
                    break;
                }
            }

            await RefuseAsync(unwanted.Connection).ConfigureAwait(false);
        }

        WakeAll();
    }

    private async Task RunAsync()
    {
        try
        {
            while (await _listener.AcceptAsync(_closed.Token).ConfigureAwait(false) is { } connection)
            {
                _reception.Receive(connection);
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
                ? ConnectionErrors.Translate(failure)
                : new PostException(PostErrorReason.Transport, exception.Message, exception));
        }

        lock (_gate)
        {
            _isClosed = true;
        }

        WakeAll();
    }

    /// <summary>A connection has said HELLO, for a new association.</summary>
    private void Welcome(PostConnection connection, HelloFrame hello)
    {
        bool isFull;
        lock (_gate)
        {
            isFull = _isClosed || _associations + _waiting.Count >= _options.MaxAssociations;
            if (!isFull)
            {
                _waiting.Enqueue((connection, hello));
            }
        }

        if (isFull)
        {
            _log.TooManyAssociations(_options.MaxAssociations);
            _ = RefuseAsync(connection);
            return;
        }

        WakeAll();
    }

    private void WakeAll()
    {
        (PostConnection Connection, HelloFrame Hello)[] forHandlers = [];
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

        foreach (var (connection, hello) in forHandlers)
        {
            _ = HandleAsync(connection, hello);
        }

        if (waiters.Length > 0)
        {
            // Continuations run where all others do, not inside the caller.
            _host.Transport.Dispatcher.Queue(new Work(() => Array.ForEach(waiters, static waiter => waiter.TrySetResult())));
        }
    }

    private async ValueTask<(PostConnection Connection, HelloFrame Hello)?> NextAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            TaskCompletionSource waiter;
            lock (_gate)
            {
                if (_waiting.TryDequeue(out var next))
                {
                    return next;
                }

                if (_isClosed)
                {
                    return null;
                }

                waiter = new TaskCompletionSource(_host.Continuations);
                _waiters.Enqueue(waiter);
            }

            await waiter.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task HandleAsync(PostConnection connection, HelloFrame hello) => await BeginAsync(connection, hello).ConfigureAwait(false);

    private async ValueTask<Association?> BeginAsync(PostConnection connection, HelloFrame hello)
    {
        if (connection.IsOver)
        {
            return null;
        }

        Association? association = null;
        try
        {
            association = new Association(_host, Local, null, _options.Association!, hello.AssociationId);
            association.Core.Resumption.Registry = _known;
            association.Core.Begin(connection, hello);
            var accept = new Accept(this, association);
            await InvokeHandlersAsync(accept).ConfigureAwait(false);
            if (accept.IsRefused)
            {
                association.Refuse();
                return null;
            }

            Interlocked.Increment(ref _associations);
            using (ExecutionContext.SuppressFlow())
            {
                _ = association.Completion.ContinueWith(
                    static (_, listener) => Interlocked.Decrement(ref ((Listener)listener!)._associations),
                    this,
                    CancellationToken.None,
                    TaskContinuationOptions.ExecuteSynchronously,
                    TaskScheduler.Default);
            }

            await association.Core.Lifecycle.StartAsync(connection, _closed.Token).ConfigureAwait(false);
            connection.MakeReady();
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

    private async ValueTask InvokeHandlersAsync(Accept accept)
    {
        var handlers = _handlers.For(typeof(Accept));
        if (handlers.IsEmpty)
        {
            return;
        }

        var watch = _host.Transport.TimeProvider.CreateTimer(
            static listener => ((Listener)listener!)._log.AcceptHandlerStuck(HandlerWatch.Patience),
            this,
            HandlerWatch.Patience,
            Timeout.InfiniteTimeSpan);
        await using (watch.ConfigureAwait(false))
        {
            foreach (var handler in handlers)
            {
                try
                {
                    await handler.InvokeAsync(accept).ConfigureAwait(false);
                }
                catch (Exception exception)
                {
                    _log.HandlerFailed(nameof(Accept), exception);
                    accept.Refuse();
                    await RaiseAsync(new AcceptFailed(this, accept.Association, exception)).ConfigureAwait(false);
                }
            }
        }
    }

    private async ValueTask RaiseAsync(AcceptFailed happened)
    {
        foreach (var handler in _handlers.For(typeof(AcceptFailed)))
        {
            try
            {
                await handler.InvokeAsync(happened).ConfigureAwait(false);
            }
            catch (Exception exception)
            {
                _log.HandlerFailed(nameof(AcceptFailed), exception);
            }
        }
    }

    private static Task RefuseAsync(PostConnection connection) => connection.CloseAsync(PostErrorCode.AssociationRefused, "refused");
}
