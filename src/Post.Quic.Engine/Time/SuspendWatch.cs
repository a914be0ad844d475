namespace Post.Quic.Engine.Time;

/// <summary>
/// Notices that the machine has slept, and has the timers judged anew that wait for long. No platform lets a timer of .NET count on through
/// sleep, and their notices of waking up need a message loop or a service manager: so it looks once a second, while there is such a timer.
/// </summary>
internal sealed class SuspendWatch(BootTimeProvider time, TimeProvider timers)
{
    /// <summary>How often it looks. Timers that wait for less are left alone.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private ITimer? _timer;
    private BootTimer? _first;
    private bool _isRunning;
    private long _lookedAt;

    public void Add(BootTimer timer)
    {
        lock (_gate)
        {
            if (timer.IsWatched)
            {
                return;
            }

            timer.IsWatched = true;
            timer.Next = _first;
            if (_first is not null)
            {
                _first.Previous = timer;
            }

            _first = timer;
            if (!_isRunning)
            {
                _isRunning = true;
                _lookedAt = time.GetTimestamp();
                _timer ??= Create();
                _timer.Change(Interval, Interval);
            }
        }
    }

    public void Remove(BootTimer timer)
    {
        // Only its own calls change this, and they come one at a time.
        if (!timer.IsWatched)
        {
            return;
        }

        lock (_gate)
        {
            timer.IsWatched = false;
            if (timer.Previous is null)
            {
                _first = timer.Next;
            }
            else
            {
                timer.Previous.Next = timer.Next;
            }

            if (timer.Next is not null)
            {
                timer.Next.Previous = timer.Previous;
            }

            timer.Next = timer.Previous = null;
        }
    }

    private ITimer Create()
    {
        // It outlives whoever happens to start the first timer, and must not keep what flows with their calls.
        using (ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow())
        {
            return timers.CreateTimer(
                static watch => ((SuspendWatch)watch!).Look(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    private void Look()
    {
        List<BootTimer> timers = [];
        lock (_gate)
        {
            long now = time.GetTimestamp();
            bool hasSlept = time.GetElapsedTime(_lookedAt, now) > Interval * 1.5;
            _lookedAt = now;
            if (_first is null)
            {
                _isRunning = false;
                _timer!.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }

            // It was busy or stopped, if it did not sleep: then they are judged in vain.
            for (BootTimer? timer = hasSlept ? _first : null; timer is not null; timer = timer.Next)
            {
                timers.Add(timer);
            }
        }

        foreach (BootTimer timer in timers)
        {
            timer.Rejudge();
        }
    }
}
