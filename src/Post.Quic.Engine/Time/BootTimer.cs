namespace Post.Quic.Engine.Time;

/// <summary>A timer that is due at a moment of the boot clock: one of the system's, set anew after the machine has slept.</summary>
internal sealed class BootTimer(BootTimeProvider time, SuspendWatch watch, TimerCallback callback, object? state) : ITimer
{
    private readonly Lock _gate = new();
    private ITimer? _timer;
    private long _due = long.MaxValue;
    private TimeSpan _period;
    private bool _isDisposed;

    /// <summary>Its neighbours among those that the watch looks after; the watch's own.</summary>
    public BootTimer? Next { get; set; }

    /// <inheritdoc cref="Next"/>
    public BootTimer? Previous { get; set; }

    /// <summary>The watch looks after it; the watch's own.</summary>
    public bool IsWatched { get; set; }

    public void Start(TimeProvider timers, TimeSpan dueTime, TimeSpan period)
    {
        _timer = timers.CreateTimer(
            static timer => ((BootTimer)timer!).OnFired(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Change(dueTime, period);
    }

    public bool Change(TimeSpan dueTime, TimeSpan period)
    {
        lock (_gate)
        {
            // The system's timer checks the arguments.
            if (_isDisposed || !_timer!.Change(dueTime, period))
            {
                return false;
            }

            _period = period;
            Set(dueTime);
            return true;
        }
    }

    /// <summary>The machine may have slept: what is due is due now, what is not is due by so much sooner.</summary>
    public void Rejudge()
    {
        lock (_gate)
        {
            if (_isDisposed || _due == long.MaxValue)
            {
                return;
            }

            TimeSpan left = time.GetElapsedTime(time.GetTimestamp(), _due);
            _timer!.Change(left > TimeSpan.Zero ? left : TimeSpan.Zero, _period);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _due = long.MaxValue;
            watch.Remove(this);
            _timer!.Dispose();
        }
    }

    public ValueTask DisposeAsync()
    {
        Dispose();
        return _timer!.DisposeAsync();
    }

    private void OnFired()
    {
        lock (_gate)
        {
            // One that was set anew while it fired comes a second time: it has been told already.
            if (_due == long.MaxValue)
            {
                return;
            }

            Set(_period > TimeSpan.Zero ? _period : Timeout.InfiniteTimeSpan);
        }

        callback(state);
    }

    private void Set(TimeSpan dueTime)
    {
        if (dueTime == Timeout.InfiniteTimeSpan)
        {
            _due = long.MaxValue;
            watch.Remove(this);
            return;
        }

        _due = time.GetTimestamp() + (long)(dueTime.TotalSeconds * time.TimestampFrequency);
        if (dueTime > SuspendWatch.Interval)
        {
            watch.Add(this);
        }
        else
        {
            // It is late by no more than the watch would be, and there are many such.
            watch.Remove(this);
        }
    }
}
