using Post.Sockets.Testing;

namespace Post.Sockets.Tests.Machines;

/// <summary>The clock of a machine: that of the world, but for the time that the machine forgets. Its timers do not fire while it stands still.</summary>
internal sealed class MachineTime(Machine machine, VirtualClock world) : TimeProvider
{
    public override long TimestampFrequency => world.TimestampFrequency;

    public override long GetTimestamp() => world.GetTimestamp() - machine.Behind;

    public override DateTimeOffset GetUtcNow() => world.GetUtcNow();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        new MachineTimer(machine, world, callback, state, dueTime, period);

    private sealed class MachineTimer : ITimer
    {
        private readonly Machine _machine;
        private readonly ITimer _timer;
        private long _setBehind;

        public MachineTimer(Machine machine, VirtualClock world, TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            _machine = machine;
            _setBehind = machine.Behind;
            _timer = world.CreateTimer(_ => machine.Do(() => OnFired(callback, state)), null, dueTime, period);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _setBehind = _machine.Behind;
            return _timer.Change(dueTime, period);
        }

        public void Dispose() => _timer.Dispose();

        public ValueTask DisposeAsync() => _timer.DisposeAsync();

        private void OnFired(TimerCallback callback, object? state)
        {
            // What the machine forgot, its timers still have to wait for.
            var missing = _machine.Behind - _setBehind;
            if (missing > 0)
            {
                Change(TimeSpan.FromTicks(missing), Timeout.InfiniteTimeSpan);
                return;
            }

            callback(state);
        }
    }
}
