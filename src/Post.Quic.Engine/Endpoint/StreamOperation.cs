using System.Threading.Tasks.Sources;

namespace Post.Quic.Engine.Endpoint;

/// <summary>
/// One read or write that waits, used again for the next one of the same stream: waiting allocates nothing. It is begun
/// and completed under the connection's gate; what awaits it goes on elsewhere.
/// </summary>
internal sealed class StreamOperation<T> : IValueTaskSource<T>, IValueTaskSource
{
    private ManualResetValueTaskSourceCore<T> _core = new() { RunContinuationsAsynchronously = true };
    private CancellationTokenRegistration _registration;

    public bool IsPending { get; private set; }

    /// <summary>Begins to wait; whoever cancels does so through <paramref name="onCanceled"/>, which takes the gate.</summary>
    public void Begin(Action<object?, CancellationToken> onCanceled, object state, CancellationToken cancellationToken)
    {
        _core.Reset();
        IsPending = true;

        // Registering may call back at once, on this thread, which holds the gate: the gate may be entered twice.
        _registration = cancellationToken.UnsafeRegister(onCanceled, state);
    }

    public ValueTask<T> Task => new(this, _core.Version);

    public ValueTask TaskWithoutResult => new(this, _core.Version);

    public void Complete(T result)
    {
        IsPending = false;
        _core.SetResult(result);
    }

    public void Fail(Exception exception)
    {
        IsPending = false;
        _core.SetException(exception);
    }

    public T GetResult(short token)
    {
        // Outside of the gate on purpose: it waits for a callback under way, which may want the gate.
        _registration.Dispose();
        return _core.GetResult(token);
    }

    void IValueTaskSource.GetResult(short token) => GetResult(token);

    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
