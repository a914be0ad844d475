using Post.Sockets.Diagnostics;
using Post.Sockets.Objects;

namespace Post.Sockets.Associations;

/// <summary>
/// The registered handlers, and the serial queue in which they are called: outside of every lock and apart from the pump, in the order of
/// what happened. Received objects go through <see cref="DeliveryPump"/>, since they have back pressure.
/// </summary>
internal sealed class EventHub(AssociationCore core) : IThreadPoolWorkItem
{
    private readonly HandlerTable _handlers = new();
    private readonly Lock _gate = new();
    private readonly Queue<PostEvent> _queue = new();
    private bool _isRunning;

    public HandlerTable Handlers => _handlers;

    /// <summary>Events that wait for a slow handler; they count against the room for new objects, so they cannot pile up.</summary>
    public int Backlog => _queue.Count;

    public void OnObjectEnded(OutboundObject item, Receipt receipt)
    {
        // Objects are many: events are made only for those who listen.
        if (receipt.End == ObjectEnd.Acked && _handlers.Has<Acked>())
        {
            Enqueue(new Acked(core.Association, item, receipt));
        }
        else if (receipt.End == ObjectEnd.Expired && _handlers.Has<Expired>())
        {
            Enqueue(new Expired(core.Association, item, receipt));
        }

        if (_handlers.Has<ObjectEnded>())
        {
            Enqueue(new ObjectEnded(core.Association, item, receipt));
        }
    }

    public void OnPathChanged(PostPath path, PathChange change)
    {
        if (_handlers.Has<PathsChanged>())
        {
            core.Queue(new Work(() => Enqueue(new PathsChanged(core.Association, path, change, core.Paths))));
        }
    }

    /// <summary>The connection was lost, or another one has taken its place; and with it, its paths.</summary>
    public void OnConnectionChanged(IReadOnlyList<PostPath> paths, PathChange change, ConnectionChanged happened)
    {
        if (_handlers.Has<PathsChanged>())
        {
            foreach (var path in paths)
            {
                Enqueue(new PathsChanged(core.Association, path, change, change == PathChange.Removed ? [] : paths));
            }
        }

        if (_handlers.Has<ConnectionChanged>())
        {
            Enqueue(happened);
        }
    }

    public void OnClosed(PostException? error) => Enqueue(new Closed(core.Association, error));

    public void OnHandlerFailed(PostEvent cause, Exception exception)
    {
        core.Log.HandlerFailed(cause.GetType().Name, exception);
        core.Instruments.HandlerFailed(cause);
        if (cause is not HandlerFailed && _handlers.Has<HandlerFailed>())
        {
            Enqueue(new HandlerFailed(cause, exception));
        }
    }

    public void Enqueue(PostEvent happened)
    {
        lock (_gate)
        {
            _queue.Enqueue(happened);
            if (_isRunning)
            {
                return;
            }

            _isRunning = true;
        }

        core.Queue(this);
    }

    void IThreadPoolWorkItem.Execute() => _ = RunAsync();

    private async Task RunAsync()
    {
        while (true)
        {
            PostEvent? happened;
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

            if (core.Outbox.Room.Waiting > 0)
            {
                // The backlog counts against the room that senders wait for.
                core.Wake();
            }

            if (happened is Closed)
            {
                _handlers.CompleteStreams();
            }
        }
    }
}
