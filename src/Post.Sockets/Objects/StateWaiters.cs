namespace Post.Sockets.Objects;

/// <summary>Those who wait until a sent object has reached a state. From any thread.</summary>
internal sealed class StateWaiters
{
    private readonly Lock _gate = new();
    private readonly List<(SentObjectState State, TaskCompletionSource Source)> _waiters = [];

    /// <summary>A task that completes with the state; complete where the object has reached it.</summary>
    public Task WaitAsync(OutboundObject item, SentObjectState state, TaskCreationOptions continuations)
    {
        lock (_gate)
        {
            // Looked at again: it may have been reached before this waiter could be seen.
            if (item.State >= state)
            {
                return Task.CompletedTask;
            }

            var source = new TaskCompletionSource(continuations);
            _waiters.Add((state, source));
            return source.Task;
        }
    }

    /// <summary>The object has reached a state.</summary>
    public void Tell(SentObjectState state)
    {
        List<TaskCompletionSource>? reached = null;
        lock (_gate)
        {
            for (var i = _waiters.Count - 1; i >= 0; i--)
            {
                if (_waiters[i].State <= state)
                {
                    (reached ??= []).Add(_waiters[i].Source);
                    _waiters.RemoveAt(i);
                }
            }
        }

        foreach (var source in reached ?? [])
        {
            source.TrySetResult();
        }
    }
}
