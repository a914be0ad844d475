namespace Post.Sockets.Testing;

/// <summary>A timer of a <see cref="VirtualClock"/>.</summary>
internal sealed class VirtualTimer(VirtualClock clock, TimerCallback callback, object? state) : ClockEntry, ITimer
{
    private TimeSpan _period;
    private bool _disposed;

    public bool Change(TimeSpan dueTime, TimeSpan period)
    {
        if (_disposed)
        {
            return false;
        }

        _period = period;
        if (dueTime < TimeSpan.Zero)
        {
            clock.Cancel(this);
        }
        else
        {
            clock.Schedule(this, clock.NowTicks + dueTime.Ticks);
        }

        return true;
    }

    public override void Fire()
    {
        if (_period > TimeSpan.Zero)
        {
            clock.Schedule(this, Due + _period.Ticks);
        }

        callback(state);
    }

    public void Dispose()
    {
        _disposed = true;
        clock.Cancel(this);
    }

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }
}
