namespace Post.Sockets.Associations.Ownership;

/// <summary>
/// Those who wait for one thing to happen. Each has a task of its own: a task with several continuations runs some of them on the thread
/// pool, out of a transport's virtual time.
/// </summary>
internal sealed class OneTimeSignal(TaskCreationOptions continuations)
{
    private readonly Lock _gate = new();
    private readonly List<TaskCompletionSource> _waiting = [];

    public bool HasHappened { get; private set; }

    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        TaskCompletionSource waiter;
        lock (_gate)
        {
            if (HasHappened)
            {
                return;
            }

            waiter = new TaskCompletionSource(continuations);
            _waiting.Add(waiter);
        }

        using var registration = cancellationToken.UnsafeRegister(
            static (waiter, token) => ((TaskCompletionSource)waiter!).TrySetCanceled(token), waiter);
        await waiter.Task.ConfigureAwait(false);
    }

    /// <summary>It has happened. Not under any lock: continuations may run here.</summary>
    public void Release()
    {
        TaskCompletionSource[] waiting;
        lock (_gate)
        {
            HasHappened = true;
            waiting = [.. _waiting];
            _waiting.Clear();
        }

        foreach (var waiter in waiting)
        {
            waiter.TrySetResult();
        }
    }
}
