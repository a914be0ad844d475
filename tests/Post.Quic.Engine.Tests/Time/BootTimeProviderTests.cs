using Post.Quic.Engine.Time;

namespace Post.Quic.Engine.Tests.Time;

[TestClass]
public sealed class BootTimeProviderTests
{
    private readonly SleepingMachine _machine = new();
    private readonly List<double> _fired = [];

    [TestMethod]
    public void Timestamps_run_on_while_the_machine_sleeps()
    {
        long before = _machine.BootTime.GetTimestamp();
        _machine.Run(TimeSpan.FromSeconds(1));
        _machine.Sleep(TimeSpan.FromHours(10));
        Assert.AreEqual(TimeSpan.FromSeconds(36_001), _machine.BootTime.GetElapsedTime(before));
        Assert.AreEqual(TimeSpan.FromSeconds(1).Ticks, _machine.GetTimestamp(), "the timers' clock stood still");
    }

    [TestMethod]
    [DataRow(30, 20, 1)]
    [DataRow(30, 100, 1)]
    [DataRow(30, 100_000, 0.3)]
    [DataRow(60, 59.5, 0)]
    [DataRow(3600, 3000, 200)]
    public void A_timer_is_late_by_a_second_at_most_when_the_machine_has_slept(double due, double slept, double after)
    {
        using ITimer timer = Create(TimeSpan.FromSeconds(due));
        _machine.Run(TimeSpan.FromSeconds(after));
        _machine.Sleep(TimeSpan.FromSeconds(slept));
        _machine.Run(TimeSpan.FromSeconds(4000));
        Assert.HasCount(1, _fired);
        Assert.IsTrue(_fired[0] >= due && _fired[0] <= Math.Max(due, after + slept + 1), $"fired after {_fired[0]} s");
    }

    [TestMethod]
    public void Short_timers_need_no_watch()
    {
        using ITimer timer = Create(SuspendWatch.Interval);
        Assert.AreEqual(1, _machine.ArmedTimers);
        _machine.Run(TimeSpan.FromSeconds(5));
        CollectionAssert.AreEqual(new[] { 1.0 }, _fired);
    }

    [TestMethod]
    public void Nothing_wakes_the_machine_when_no_timer_waits_any_more()
    {
        using ITimer first = Create(TimeSpan.FromSeconds(10));
        using ITimer second = Create(TimeSpan.FromSeconds(20));
        first.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        second.Dispose();
        _machine.Run(TimeSpan.FromSeconds(2));
        Assert.AreEqual(0, _machine.ArmedTimers);
        Assert.IsEmpty(_fired);

        // And it looks again when one does.
        first.Change(TimeSpan.FromSeconds(10), Timeout.InfiniteTimeSpan);
        _machine.Sleep(TimeSpan.FromSeconds(100));
        _machine.Run(TimeSpan.FromSeconds(2));
        Assert.HasCount(1, _fired);
    }

    [TestMethod]
    public void A_timer_that_repeats_goes_on_after_sleep()
    {
        using ITimer timer = Create(TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(10));
        _machine.Run(TimeSpan.FromSeconds(25));
        _machine.Sleep(TimeSpan.FromSeconds(100));
        _machine.Run(TimeSpan.FromSeconds(25));
        Assert.HasCount(5, _fired, string.Join(", ", _fired));
        Assert.IsTrue(_fired[2] is > 125 and <= 126.01, $"fired after {_fired[2]} s");
    }

    [TestMethod]
    public void A_timer_that_was_set_anew_or_disposed_is_left_alone()
    {
        using ITimer later = Create(TimeSpan.FromSeconds(10));
        ITimer never = Create(TimeSpan.FromSeconds(10));
        later.Change(TimeSpan.FromSeconds(500), Timeout.InfiniteTimeSpan);
        never.Dispose();
        Assert.IsFalse(never.Change(TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan));
        _machine.Sleep(TimeSpan.FromSeconds(100));
        _machine.Run(TimeSpan.FromSeconds(399));
        Assert.IsEmpty(_fired);
        _machine.Run(TimeSpan.FromSeconds(2));
        Assert.HasCount(1, _fired);
    }

    [TestMethod]
    public void Many_timers_are_judged_whatever_order_they_come_and_go_in()
    {
        var random = new Random(1);
        var timers = new List<ITimer>();
        int expected = 0;
        for (int i = 0; i < 1000; i++)
        {
            timers.Add(Create(TimeSpan.FromSeconds(random.Next(2, 200))));
        }

        foreach (ITimer timer in timers.OrderBy(_ => random.Next()))
        {
            switch (random.Next(3))
            {
                case 0:
                    timer.Dispose();
                    break;
                case 1:
                    timer.Change(TimeSpan.FromSeconds(random.Next(2, 200)), Timeout.InfiniteTimeSpan);
                    expected++;
                    break;
                default:
                    expected++;
                    break;
            }
        }

        _machine.Sleep(TimeSpan.FromSeconds(1000));
        _machine.Run(SuspendWatch.Interval);
        Assert.HasCount(expected, _fired);
        _machine.Run(SuspendWatch.Interval);
        Assert.AreEqual(0, _machine.ArmedTimers);
    }

    [TestMethod]
    public async Task The_platforms_clock_and_timers_run()
    {
        BootTimeProvider time = BootTimeProvider.Shared;
        long before = time.GetTimestamp();
        await Task.Delay(TimeSpan.FromMilliseconds(50), time);
        Assert.IsGreaterThan(TimeSpan.FromMilliseconds(40), time.GetElapsedTime(before));
        if (OperatingSystem.IsLinux())
        {
            string uptime = (await File.ReadAllTextAsync("/proc/uptime")).Split(' ')[0];
            Assert.AreEqual(
                double.Parse(uptime, System.Globalization.CultureInfo.InvariantCulture),
                time.GetTimestamp() / (double)time.TimestampFrequency,
                5.0,
                "since the boot, as the kernel counts it");
        }
    }

    private ITimer Create(TimeSpan due, TimeSpan? period = null) => _machine.BootTime.CreateTimer(
        _ => _fired.Add(_machine.Elapsed.TotalSeconds), null, due, period ?? Timeout.InfiniteTimeSpan);
}
