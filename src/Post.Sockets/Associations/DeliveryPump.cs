using Post.Sockets.Diagnostics;
using Post.Sockets.Objects;

namespace Post.Sockets.Associations;

/// <summary>
/// Hands received objects and streams to the application: to its handlers while there are any, else to whoever waits for the next one.
/// An object counts as delivered when it is taken here, so nothing is taken before somebody is there for it.
/// </summary>
internal sealed class DeliveryPump(AssociationCore core) : IThreadPoolWorkItem
{
    private const int MaxWaitingStreams = 128;

    private readonly Queue<TaskCompletionSource> _waiters = new();
    private readonly Queue<PostStream> _streams = new();
    private readonly Queue<TaskCompletionSource> _streamWaiters = new();
    private readonly HandlerWatch _watch = new(core, () => core.Log.HandlersStuck(core.Options.HandlerConcurrency, HandlerWatch.Patience));
    private long _handled;
    private int _running;
    private bool _isClosed;

    /// <summary>Gets deliveries going, if there is something to deliver; run by the association's pump.</summary>
    public void Run()
    {
        core.Inbox.Discards.Run();
        TaskCompletionSource? waiter = null;
        TaskCompletionSource[] room;
        PostStream[] streams = [];
        lock (core.Gate)
        {
            if (_streams.Count > 0 && core.Events.Handlers.Has<StreamOpened>())
            {
                // They came before the handler did.
                streams = [.. _streams];
                _streams.Clear();
            }

            room = core.Inbox.Deliverable.TakeRoomWaiters();
            _watch.Look(
                core.Inbox.Deliverable.HeldBack > 0 || (_running >= core.Options.HandlerConcurrency && core.Inbox.Deliverable.Count > 0), _handled);
            if (core.Inbox.Deliverable.Count > 0)
            {
                if (core.Events.Handlers.Has<Received>())
                {
                    for (var i = core.Inbox.Deliverable.Count; i > 0 && _running < core.Options.HandlerConcurrency; i--)
                    {
                        _running++;
                        core.Queue(this);
                    }
                }
                else
                {
                    // Those who gave up are passed over.
                    while (_waiters.TryDequeue(out waiter) && waiter.Task.IsCompleted)
                    {
                    }
                }
            }
        }

        foreach (var stream in streams)
        {
            core.Events.Enqueue(new StreamOpened(core.Association, stream));
        }

        foreach (var waiting in room)
        {
            waiting.TrySetResult();
        }

        waiter?.TrySetResult();
    }

    /// <summary>The next object; null, or an exception, when the association is over and all was taken.</summary>
    /// <remarks>
    /// Where the caller has a synchronization context, the object is taken there: one that waits for a busy thread is not delivered yet, and
    /// may still expire.
    /// </remarks>
    public async ValueTask<ReceivedObject?> ReceiveAsync(bool throwsAtEnd, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ThrowIfHandled<Received>(nameof(Association.ReceiveAsync));
        var context = SynchronizationContext.Current;
        while (true)
        {
            TaskCompletionSource waiter;
            lock (core.Gate)
            {
                if (core.Inbox.TakeDeliverable() is { } item)
                {
                    core.Wake();
                    return item;
                }

                if (_isClosed)
                {
                    return throwsAtEnd
                        ? throw (core.Lifecycle.Error ?? new PostException(
                            PostErrorReason.AssociationEnded, "The association is over and all its objects were taken."))
                        : null;
                }

                waiter = new TaskCompletionSource(core.Continuations);
                _waiters.Enqueue(waiter);
            }

            core.Wake();
            try
            {
                await waiter.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                // What woke this waiter, if anything did, is for another one.
                waiter.TrySetResult();
                core.Wake();
                throw;
            }

            if (context is not null && core.Inbox.Deliverable.Count > 0)
            {
                await new ContextSwitch(context);
            }
        }
    }

    /// <summary>The next stream that the peer opened; null when the association is over.</summary>
    public async ValueTask<PostStream?> AcceptStreamAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ThrowIfHandled<StreamOpened>(nameof(Association.AcceptStreamAsync));
        while (true)
        {
            TaskCompletionSource waiter;
            lock (core.Gate)
            {
                if (_streams.TryDequeue(out var stream))
                {
                    return stream;
                }

                if (_isClosed)
                {
                    return null;
                }

                waiter = new TaskCompletionSource(core.Continuations);
                _streamWaiters.Enqueue(waiter);
            }

            try
            {
                await waiter.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                waiter.TrySetResult();
                throw;
            }
        }
    }

    /// <summary>The peer opened a stream.</summary>
    public void OnStream(PostStream stream)
    {
        if (core.Events.Handlers.Has<StreamOpened>())
        {
            core.Events.Enqueue(new StreamOpened(core.Association, stream));
            return;
        }

        TaskCompletionSource? waiter = null;
        var refused = false;
        lock (core.Gate)
        {
            refused = _streams.Count >= MaxWaitingStreams;
            if (!refused)
            {
                _streams.Enqueue(stream);
                while (_streamWaiters.TryDequeue(out waiter) && waiter.Task.IsCompleted)
                {
                }
            }
        }

        if (refused)
        {
            stream.Abort();
        }

        waiter?.TrySetResult();
    }

    public void OnClosed()
    {
        List<TaskCompletionSource> waiters;
        lock (core.Gate)
        {
            _isClosed = true;
            waiters = [.. _waiters, .. _streamWaiters];
            _waiters.Clear();
            _streamWaiters.Clear();
        }

        foreach (var waiter in waiters)
        {
            waiter.TrySetResult();
        }
    }

    void IThreadPoolWorkItem.Execute() => _ = RunHandlersAsync();

    /// <summary>Whoever waits for what goes to handlers waits in vain; a handler itself, for ever.</summary>
    private void ThrowIfHandled<TEvent>(string method)
    {
        if (core.Events.Handlers.Has<TEvent>())
        {
            throw new InvalidOperationException(
                $"{method} would wait for ever: a handler of {typeof(TEvent).Name} is registered, and everything goes to it. Take what comes in "
                + $"the handler, or dispose its registration and call {method}.");
        }
    }

    private async Task RunHandlersAsync()
    {
        InboundObject? item = null;
        while (true)
        {
            lock (core.Gate)
            {
                if (item is not null)
                {
                    _handled++;
                    core.Inbox.OnHandled(item);
                }

                item = core.Events.Handlers.Has<Received>() ? core.Inbox.TakeForHandler() : null;
                if (item is null)
                {
                    _running--;
                }
            }

            core.Wake();
            if (item is null)
            {
                return;
            }

            await HandleAsync(item).ConfigureAwait(false);
        }
    }

    private async ValueTask HandleAsync(InboundObject item)
    {
        var received = new Received(core.Association, item);
        var failed = false;
        using var activity = PostActivity.StartReceive(item);
        foreach (var handler in core.Events.Handlers.For(typeof(Received)))
        {
            try
            {
                await handler.InvokeAsync(received).ConfigureAwait(false);
            }
            catch (Exception exception)
            {
                failed = true;
                PostActivity.Fail(activity, exception);
                core.Events.OnHandlerFailed(received, exception);
            }
        }

        if (!item.IsKept)
        {
            if (!failed)
            {
                item.MarkProcessed();
            }

            item.Dispose();
        }
    }
}
