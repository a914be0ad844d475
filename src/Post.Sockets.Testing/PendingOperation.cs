using System.Threading.Tasks.Sources;

namespace Post.Sockets.Testing;

/// <summary>
/// One wait at a time of one caller (a read, a write, an accept), without an allocation for each. Its outcome is delivered by
/// queued work, so that the caller's code never runs under the network's lock.
/// </summary>
internal sealed class PendingOperation<T>(VirtualClock clock) : IValueTaskSource<T>, IThreadPoolWorkItem
{
    private ManualResetValueTaskSourceCore<T> _core;
    private CancellationTokenRegistration _cancellation;
    private State _state;
    private T _result = default!;
    private Exception? _failure;

    private enum State
    {
        Idle,
        Pending,
        Completing,
    }

    public bool IsPending => _state == State.Pending;

    /// <summary>True from the start until the caller took the outcome.</summary>
    public bool IsUnderWay => _state != State.Idle;

    /// <summary>Begins to wait. <paramref name="cancel"/> is called when the token says so, and is to take the network's lock.</summary>
    public ValueTask<T> Start(object owner, Action<object?, CancellationToken> cancel, CancellationToken cancellationToken)
    {
        _core.Reset();
        _failure = null;
        _state = State.Pending;
        var task = new ValueTask<T>(this, _core.Version);
        if (cancellationToken.CanBeCanceled)
        {
            _cancellation = cancellationToken.UnsafeRegister(cancel, owner);
        }

        return task;
    }

    public void Complete(T result)
    {
        if (_state == State.Pending)
        {
            _result = result;
            _state = State.Completing;
            clock.Enqueue(this);
        }
    }

    public void Fail(Exception failure)
    {
        if (_state == State.Pending)
        {
            _failure = failure;
            _state = State.Completing;
            clock.Enqueue(this);
        }
    }

    public void Execute()
    {
        // Unregister does not wait for a callback that is running, which may itself wait for the network's lock.
        _cancellation.Unregister();
        _cancellation = default;
        if (_failure is { } failure)
        {
            _core.SetException(failure);
        }
        else
        {
            T result = _result;
            _result = default!;
            _core.SetResult(result);
        }
    }

    public T GetResult(short token)
    {
        // The next operation may begin as soon as this one's outcome is taken.
        if (_core.GetStatus(token) != ValueTaskSourceStatus.Pending)
        {
            _state = State.Idle;
        }

        return _core.GetResult(token);
    }

    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
