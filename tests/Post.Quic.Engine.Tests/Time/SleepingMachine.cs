using Post.Quic.Engine.Time;

namespace Post.Quic.Engine.Tests.Time;

/// <summary>
/// A machine in virtual time that can be put to sleep: its boot clock runs on meanwhile, and the clock of its timers stands still.
/// </summary>
internal sealed class SleepingMachine : TimeProvider
{
    private readonly List<ManualTimer> _timers = [];
    private TimeSpan _awake;
    private TimeSpan _asleep;

    public SleepingMachine() => BootTime = new BootTimeProvider(new Clock(this), this);

    public BootTimeProvider BootTime { get; }

    /// <summary>Since the beginning, sleep included.</summary>
    public TimeSpan Elapsed => _awake + _asleep;

    public int ArmedTimers => _timers.Count(timer => timer.Due is not null);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _awake.Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, callback, state);
        _timers.Add(timer);
        timer.Change(dueTime, period);
        return timer;
    }

    public void Sleep(TimeSpan time) => _asleep += time;

    /// <summary>Lets time pass, timer by timer.</summary>
    public void Run(TimeSpan time)
    {
        TimeSpan end = _awake + time;
        while (_timers.Where(timer => timer.Due <= end).MinBy(timer => timer.Due) is { } next)
        {
            _awake = next.Due!.Value > _awake ? next.Due.Value : _awake;
            next.Fire();
        }

        _awake = end;
    }

    private sealed class Clock(SleepingMachine machine) : BootClock
    {
        public override long Frequency => TimeSpan.TicksPerSecond;

        public override long Read() => machine.Elapsed.Ticks;
    }

    private sealed class ManualTimer(SleepingMachine machine, TimerCallback callback, object? state) : ITimer
    {
        private TimeSpan _period;

        public TimeSpan? Due { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Due = dueTime == Timeout.InfiniteTimeSpan ? null : machine._awake + dueTime;
            _period = period;
            return true;
        }

        public void Fire()
        {
            Due = _period > TimeSpan.Zero ? Due + _period : null;
            callback(state);
        }

        public void Dispose() => machine._timers.Remove(this);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
