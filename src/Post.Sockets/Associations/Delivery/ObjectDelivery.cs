using Post.Sockets.Associations.Ownership;
using Post.Sockets.Diagnostics;
using Post.Sockets.Objects;
using Post.Sockets.Scheduling;

namespace Post.Sockets.Associations.Delivery;

/// <summary>
/// Hands received objects and streams to the application: to its handlers while there are any, else to whoever waits for the next one.
/// An object counts as delivered when it is taken here, so nothing is taken before somebody is there for it. The owner says when there is
/// something; it is taken by the thread of the application that deals with it.
/// </summary>
internal sealed class ObjectDelivery : IThreadPoolWorkItem
{
    private const int MaxWaitingStreams = 128;

    /// <summary>So many objects are taken by quick handlers before what follows from that is done in one go.</summary>
    private const int MaxTakenInARow = 32;

    /// <summary>Handlers that are quicker than this are at the next object before the receipt for the last one could be written.</summary>
    private static readonly TimeSpan Quick = TimeSpan.FromMicroseconds(50);

    private readonly AssociationState _state;
    private readonly EventHub _events;
    private readonly HandlerWatch _watch;
    private readonly Lock _gate = new();
    private readonly Queue<TaskCompletionSource> _waiters = new();
    private readonly Queue<PostStream> _streams = new();
    private readonly Queue<TaskCompletionSource> _streamWaiters = new();
    private readonly Queue<TaskCompletionSource> _roomWaiters = new();
    private readonly TimedAction _runSoon = new(static _ => { });
    private long _handled;
    private int _running;
    private bool _isClosed;

    public ObjectDelivery(AssociationState state, EventHub events)
    {
        _state = state;
        _events = events;
        _watch = new HandlerWatch(state, () => state.Log.HandlersStuck(state.Options.HandlerConcurrency, HandlerWatch.Patience));
    }

    private DeliverableQueue Deliverable => _state.Inbox.Deliverable;

    /// <summary>Gets deliveries going, if there is something to deliver. By the owner.</summary>
    public void Run()
    {
        var count = Deliverable.Count;
        var running = Volatile.Read(ref _running);
        _watch.Look(
            Deliverable.HeldBack > 0 || (running >= _state.Options.HandlerConcurrency && count > 0), Volatile.Read(ref _handled));
        if (count > 0)
        {
            if (_events.Handlers.Has<Received>())
            {
                for (; count > 0 && TryBeginHandler(); count--)
                {
                    _state.Queue(this);
                }
            }
            else
            {
                WakeWaiters(_waiters, count);
            }
        }

        if (_streams.Count > 0 && _events.Handlers.Has<StreamOpened>())
        {
            HandOverStreams();
        }

        if (_roomWaiters.Count > 0 && (!Deliverable.IsFull || _state.IsClosed))
        {
            WakeWaiters(_roomWaiters, int.MaxValue);
        }
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
            if (TryTake(isHandled: false) is { } item)
            {
                return item;
            }

            TaskCompletionSource waiter;
            bool isClosed;
            lock (_gate)
            {
                isClosed = _isClosed;
                waiter = new TaskCompletionSource(_state.Continuations);
                _waiters.Enqueue(waiter);
            }

            if (isClosed)
            {
                // What came before the end was there before the end was known.
                return TryTake(isHandled: false) ?? (throwsAtEnd
                    ? throw (_state.Error ?? new PostException(
                        PostErrorReason.AssociationEnded, "The association is over and all its objects were taken."))
                    : null);
            }

            // One that came while nobody waited woke nobody.
            WakeWaiters(_waiters, Deliverable.Count);
            try
            {
                await waiter.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                // What woke this waiter, if anything did, is for another one.
                waiter.TrySetResult();
                WakeWaiters(_waiters, Deliverable.Count);
                throw;
            }

            if (context is not null && Deliverable.Count > 0)
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
            lock (_gate)
            {
                if (_streams.TryDequeue(out var stream))
                {
                    return stream;
                }

                if (_isClosed)
                {
                    return null;
                }

                waiter = new TaskCompletionSource(_state.Continuations);
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

    /// <summary>The peer opened a stream. By the owner.</summary>
    public void OnStream(PostStream stream)
    {
        if (_events.Handlers.Has<StreamOpened>())
        {
            _events.Enqueue(new StreamOpened(_state.Association, stream));
            return;
        }

        bool isRefused;
        lock (_gate)
        {
            isRefused = _streams.Count >= MaxWaitingStreams;
            if (!isRefused)
            {
                _streams.Enqueue(stream);
            }
        }

        if (isRefused)
        {
            stream.Abort();
        }
        else
        {
            WakeWaiters(_streamWaiters, 1);
        }
    }

    /// <summary>Waits until reading may go on: the application has taken some of what it already could have. From any thread.</summary>
    public Task WhenRoomAsync()
    {
        var waiter = new TaskCompletionSource(_state.Continuations);
        lock (_gate)
        {
            _roomWaiters.Enqueue(waiter);
        }

        if (!Deliverable.IsFull || _state.IsClosed)
        {
            _state.Owner.Wake();
        }

        return waiter.Task;
    }

    /// <summary>Nothing comes any more.</summary>
    public void OnClosed()
    {
        lock (_gate)
        {
            _isClosed = true;
        }

        WakeWaiters(_waiters, int.MaxValue);
        WakeWaiters(_streamWaiters, int.MaxValue);
        WakeWaiters(_roomWaiters, int.MaxValue);
    }

    void IThreadPoolWorkItem.Execute() => _ = RunHandlersAsync();

    /// <summary>Whoever waits for what goes to handlers waits in vain; a handler itself, for ever.</summary>
    private void ThrowIfHandled<TEvent>(string method)
    {
        if (_events.Handlers.Has<TEvent>())
        {
            throw new InvalidOperationException(
                $"{method} would wait for ever: a handler of {typeof(TEvent).Name} is registered, and everything goes to it. Take what comes in "
                + $"the handler, or dispose its registration and call {method}.");
        }
    }

    private InboundObject? TryTake(bool isHandled, bool isQuiet = false)
    {
        while (Deliverable.TryTake(out var isExpired) is { } item)
        {
            if (!isExpired)
            {
                PostTaken(item, isHandled && _state.Inbox.KeepsHandlersInOrder, isQuiet);
                return item;
            }

            _state.Owner.Post(new Message(
                static (target, expired, _) => ((Inbox)target).OnExpiredAtHand((InboundObject)expired!), _state.Inbox, item));
        }

        return null;
    }

    private void PostTaken(InboundObject item, bool isHandled, bool isQuiet)
    {
        if (!isQuiet)
        {
            _state.Owner.Post(new Message(
                static (target, taken, isHandled) => ((Inbox)target).OnTaken((InboundObject)taken!, isHandled != 0),
                _state.Inbox,
                item,
                isHandled ? 1 : 0));
            return;
        }

        // The next handler may be slow: the receipt is not to wait for it.
        _state.Owner.PostQuietly(new Message(
            static (target, taken, isHandled) =>
            {
                var state = ((ObjectDelivery)target)._state;
                var runSoon = ((ObjectDelivery)target)._runSoon;
                state.Inbox.OnTaken((InboundObject)taken!, isHandled != 0);
                if (!runSoon.IsSet && !state.IsClosed)
                {
                    var now = state.Clock.Now;
                    state.Timers.Set(runSoon, now + state.Trips.ReceiptDelay);
                    state.Timers.Arm(state.Timers.Next, now);
                }
            },
            this,
            item,
            isHandled ? 1 : 0));
    }

    private bool TryBeginHandler()
    {
        lock (_gate)
        {
            if (_running >= _state.Options.HandlerConcurrency)
            {
                return false;
            }

            _running++;
            return true;
        }
    }

    private async Task RunHandlersAsync()
    {
        do
        {
            // One thread goes on for as long as more comes: a hop for each object would cost more than most handlers do.
            var inARow = 0;
            while (_events.Handlers.Has<Received>() && TryTake(isHandled: true, isQuiet: inARow > 0) is { } item)
            {
                var began = _state.Clock.Now;
                await HandleAsync(item).ConfigureAwait(false);
                inARow = _state.Clock.Now - began < _state.Clock.Units(Quick) && inARow < MaxTakenInARow ? inARow + 1 : 0;
                Interlocked.Increment(ref _handled);
                if (_state.Inbox.KeepsHandlersInOrder)
                {
                    _state.Owner.Post(new Message(
                        static (target, handled, _) => ((Inbox)target).OnHandled((InboundObject)handled!), _state.Inbox, item));
                }
            }

            if (inARow > 0)
            {
                _state.Owner.RunNow();
            }

            lock (_gate)
            {
                _running--;
            }

            // What came since the last look found all handlers at work.
        }
        while (Deliverable.Count > 0 && _events.Handlers.Has<Received>() && TryBeginHandler());
    }

    private async ValueTask HandleAsync(InboundObject item)
    {
        var received = new Received(_state.Association, item);
        var failed = false;
        using var activity = PostActivity.StartReceive(item);
        foreach (var handler in _events.Handlers.For(typeof(Received)))
        {
            try
            {
                await handler.InvokeAsync(received).ConfigureAwait(false);
            }
            catch (Exception exception)
            {
                failed = true;
                PostActivity.Fail(activity, exception);
                _events.OnHandlerFailed(received, exception);
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

    /// <summary>The streams that came before there was a handler for them.</summary>
    private void HandOverStreams()
    {
        while (true)
        {
            PostStream? stream;
            lock (_gate)
            {
                if (!_streams.TryDequeue(out stream))
                {
                    return;
                }
            }

            _events.Enqueue(new StreamOpened(_state.Association, stream));
        }
    }

    private void WakeWaiters(Queue<TaskCompletionSource> waiters, int count)
    {
        while (count > 0)
        {
            TaskCompletionSource? waiter;
            lock (_gate)
            {
                if (!waiters.TryDequeue(out waiter))
                {
                    return;
                }
            }

            // Those who gave up are passed over.
            if (waiter.TrySetResult())
            {
                count--;
            }
        }
    }
}
