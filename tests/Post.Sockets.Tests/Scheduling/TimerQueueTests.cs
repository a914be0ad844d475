using Post.Sockets.Scheduling;

namespace Post.Sockets.Tests.Scheduling;

[TestClass]
public sealed class TimerQueueTests
{
    [TestMethod]
    public void A_timer_that_fires_before_its_moment_is_set_anew()
    {
        var time = new HandTime();
        int woken = 0;
        using var queue = new TimerQueue(new Clock(time), () => woken++);
        bool isDue = false;
        queue.Set(new TimedAction(_ => isDue = true), when: 1_500);
        Run();

        // The platform's clock ticks in milliseconds, and its tick was nearly over when the timer was set.
        time.Now = 1_100;
        time.Fire();
        Run();
        Assert.IsFalse(isDue);
        Assert.AreEqual(2, time.Settings, "Nothing would wake the association any more.");

        time.Now = 1_500;
        time.Fire();
        Run();
        Assert.IsTrue(isDue);
        Assert.AreEqual(2, woken);
        Assert.AreEqual(2, time.Settings, "Nothing is left to wait for.");

        void Run()
        {
            queue.RunDue(time.Now);
            queue.Arm(queue.Next, time.Now);
        }
    }

    [TestMethod]
    public void A_later_moment_does_not_set_the_timer_again()
    {
        var time = new HandTime();
        using var queue = new TimerQueue(new Clock(time), () => { });
        queue.Set(new TimedAction(_ => { }), when: 1_000);
        queue.Arm(queue.Next, time.Now);
        queue.Set(new TimedAction(_ => { }), when: 5_000);
        queue.Arm(queue.Next, time.Now);
        Assert.AreEqual(1, time.Settings);

        queue.Set(new TimedAction(_ => { }), when: 500);
        queue.Arm(queue.Next, time.Now);
        Assert.AreEqual(2, time.Settings);
    }

    /// <summary>A clock and a timer moved by hand; timestamps are microseconds.</summary>
    private sealed class HandTime : TimeProvider, ITimer
    {
        private TimerCallback? _callback;
        private object? _state;

        public long Now { get; set; }

        public int Settings { get; private set; }

        public override long TimestampFrequency => 1_000_000;

        public override long GetTimestamp() => Now;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            _callback = callback;
            _state = state;
            return this;
        }

        public void Fire() => _callback!(_state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Settings++;
            return true;
        }

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
