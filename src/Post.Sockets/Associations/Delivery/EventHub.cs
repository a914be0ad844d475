using Post.Sockets.Associations.Ownership;
using Post.Sockets.Diagnostics;
using Post.Sockets.Objects;

namespace Post.Sockets.Associations.Delivery;

/// <summary>
/// The registered handlers, and the serial queue in which they are called: apart from the owner, in the order of
/// what happened. Received objects go through <see cref="ObjectDelivery"/>, since they have back pressure.
/// </summary>
internal sealed class EventHub : IThreadPoolWorkItem
{
    private readonly HandlerTable _handlers = new();
    private readonly Lock _gate = new();
    private readonly Queue<AssociationEvent> _queue = new();
    private readonly AssociationState _state;
    private readonly HandlerWatch _watch;
    private long _handled;
    private bool _isRunning;
    private volatile bool _isWatched;

    public EventHub(AssociationState state)
    {
        _state = state;
        _watch = new HandlerWatch(state, () => state.Log.EventHandlerStuck(HandlerWatch.Patience));
    }

    public HandlerTable Handlers => _handlers;

    /// <summary>Events that wait for a slow handler; they count against the room for new objects, so they cannot pile up.</summary>
    public int Backlog => _queue.Count;

    public void OnObjectEnded(OutboundObject item, Receipt receipt)
    {
        // Objects are many: events are made only for those who listen.
        if (receipt.Outcome == ObjectOutcome.Acked && _handlers.Has<Acked>())
        {
            Enqueue(new Acked(_state.Association, item, receipt));
        }
        else if (receipt.Outcome == ObjectOutcome.Expired && _handlers.Has<Expired>())
        {
            Enqueue(new Expired(_state.Association, item, receipt));
        }

        if (_handlers.Has<ObjectCompleted>())
        {
            Enqueue(new ObjectCompleted(_state.Association, item, receipt));
        }
    }

    /// <summary>Something happened to a path.</summary>
    public void OnPathChanged(PostPath path, PostPathChange change, IReadOnlyList<PostPath> paths)
    {
        _state.Log.PathChanged(change, path.Id, path.LocalEndPoint, path.RemoteEndPoint, path.State, path.Mtu);
        _state.Metrics.PathChanged(change);
        if (_handlers.Has<PathsChanged>())
        {
            Enqueue(new PathsChanged(_state.Association, path, change, paths));
        }
    }

    /// <summary>The connection was lost, or another one has taken its place.</summary>
    public void OnConnectionChanged(ConnectionChanged happened)
    {
        if (_handlers.Has<ConnectionChanged>())
        {
            Enqueue(happened);
        }
    }

    /// <summary>Looks for a handler that does not return. By the owner.</summary>
    public void Watch()
    {
        var isBlocked = Backlog > 0;
        if (isBlocked || _isWatched)
        {
            _watch.Look(isBlocked, Interlocked.Read(ref _handled));
            _isWatched = isBlocked;
        }
    }

    public void OnClosed(PostException? error) => Enqueue(new Closed(_state.Association, error));

    public void OnHandlerFailed(AssociationEvent cause, Exception exception)
    {
        _state.Log.HandlerFailed(cause.GetType().Name, exception);
        _state.Metrics.HandlerFailed(cause);
        if (cause is not HandlerFailed && _handlers.Has<HandlerFailed>())
        {
            Enqueue(new HandlerFailed(_state.Association, cause, exception));
        }
    }

    public void Enqueue(AssociationEvent happened)
    {
        bool wasRunning;
        lock (_gate)
        {
            _queue.Enqueue(happened);
            wasRunning = _isRunning;
            _isRunning = true;
        }

        if (!wasRunning)
        {
            _state.Queue(this);
        }
        else if (!_isWatched)
        {
            _state.Owner.Wake();
        }
    }

    void IThreadPoolWorkItem.Execute() => _ = RunAsync();

    private async Task RunAsync()
    {
        while (true)
        {
            AssociationEvent? happened;
            lock (_gate)
            {
                if (!_queue.TryDequeue(out happened))
                {
                    _isRunning = false;
                    return;
                }
            }

            foreach (var handler in _handlers.For(happened.GetType()))
            {
                try
                {
                    await handler.InvokeAsync(happened).ConfigureAwait(false);
                }
                catch (Exception exception)
                {
                    OnHandlerFailed(happened, exception);
                }
            }

            Interlocked.Increment(ref _handled);
            if (_state.Outbox.Room.Waiting > 0 || _isWatched)
            {
                // The backlog counts against the room that senders wait for.
                _state.Owner.Wake();
            }

            if (happened is Closed)
            {
                _handlers.CompleteStreams();
            }
        }
    }
}
