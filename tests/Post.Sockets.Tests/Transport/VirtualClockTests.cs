using System.Threading.Channels;
using Post.Sockets.Testing;

namespace Post.Sockets.Tests.Transport;

/// <summary>Virtual time: everything of one moment before the next, on one thread, the same each time.</summary>
[TestClass]
public sealed class VirtualClockTests
{
    [TestMethod]
    public void Hours_pass_in_no_time_and_timers_fire_in_order()
    {
        var clock = new VirtualClock();
        var fired = new List<string>();
        using ITimer late = clock.CreateTimer(_ => fired.Add($"late {clock.Elapsed}"), null, TimeSpan.FromHours(2), Timeout.InfiniteTimeSpan);
        using ITimer early = clock.CreateTimer(_ => fired.Add($"early {clock.Elapsed}"), null, TimeSpan.FromHours(1), Timeout.InfiniteTimeSpan);
        using ITimer same = clock.CreateTimer(_ => fired.Add($"same {clock.Elapsed}"), null, TimeSpan.FromHours(1), Timeout.InfiniteTimeSpan);
        using ITimer periodic = clock.CreateTimer(_ => fired.Add($"each {clock.Elapsed}"), null, TimeSpan.FromMinutes(50), TimeSpan.FromMinutes(50));
        DateTimeOffset start = clock.GetUtcNow();
        clock.RunFor(TimeSpan.FromHours(2.1));
        string[] expected = ["each 00:50:00", "early 01:00:00", "same 01:00:00", "each 01:40:00", "late 02:00:00"];
        CollectionAssert.AreEqual(expected, fired);
        Assert.AreEqual(start + TimeSpan.FromHours(2.1), clock.GetUtcNow());
        Assert.IsTrue(periodic.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan));
        clock.RunFor(TimeSpan.FromHours(2));
        Assert.HasCount(5, fired);
    }

    [TestMethod]
    public void Awaits_of_every_kind_come_back_to_the_one_thread()
    {
        var clock = new VirtualClock();
        int thread = Environment.CurrentManagedThreadId;
        string result = clock.Run(async () =>
        {
            await Task.Yield();
            Assert.AreEqual(thread, Environment.CurrentManagedThreadId);
            await Task.Delay(TimeSpan.FromMinutes(1), clock);
            Assert.AreEqual(thread, Environment.CurrentManagedThreadId);

            var channel = Channel.CreateUnbounded<int>();
            Task<int> reading = ReadLaterAsync();
            await Task.Delay(TimeSpan.FromMinutes(1), clock);
            channel.Writer.TryWrite(7);
            Assert.AreEqual(7, await reading);
            Assert.AreEqual(thread, Environment.CurrentManagedThreadId);

            var source = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            using ITimer timer = clock.CreateTimer(_ => source.SetResult(), null, TimeSpan.FromMinutes(1), Timeout.InfiniteTimeSpan);
            await source.Task;
            Assert.AreEqual(thread, Environment.CurrentManagedThreadId);
            return $"{clock.Elapsed}";

            async Task<int> ReadLaterAsync() => await channel.Reader.ReadAsync();
        });
        Assert.AreEqual("00:03:00", result);
        Assert.AreEqual(0, clock.ForeignWork);
        Assert.IsNull(SynchronizationContext.Current);
    }

    [TestMethod]
    public void A_failure_of_the_code_is_the_failure_of_the_run()
    {
        var clock = new VirtualClock();
        Assert.ThrowsExactly<InvalidDataException>(() => clock.Run(async () =>
        {
            await Task.Delay(TimeSpan.FromMinutes(1), clock);
            throw new InvalidDataException();
        }));
    }

    [TestMethod]
    public void Waiting_for_what_never_comes_is_said_and_not_waited_for()
    {
        var clock = new VirtualClock();
        Assert.ThrowsExactly<InvalidOperationException>(() => clock.Run(() => new TaskCompletionSource().Task));
        using ITimer timer = clock.CreateTimer(_ => { }, null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        Assert.ThrowsExactly<TimeoutException>(() => clock.Run(() => new TaskCompletionSource().Task, TimeSpan.FromMinutes(1)));
    }

    [TestMethod]
    public void Code_that_leaves_virtual_time_is_counted()
    {
        var clock = new VirtualClock();
        clock.Run(async () => await Task.Run(() => Thread.Sleep(20)));
        Assert.AreEqual(1, clock.ForeignWork);
    }

    [TestMethod]
    public void A_running_clock_cannot_be_run_again_inside()
    {
        var clock = new VirtualClock();
        Assert.ThrowsExactly<InvalidOperationException>(() => clock.Run(() =>
        {
            clock.RunFor(TimeSpan.Zero);
            return Task.CompletedTask;
        }));
    }

    [TestMethod]
    public async Task Along_with_real_time_it_serves_code_on_any_thread()
    {
        var clock = new VirtualClock();
        clock.RunFor(TimeSpan.FromHours(1));
        using (clock.RunInRealTime())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(30), clock);
            TimeSpan shown = clock.Elapsed - TimeSpan.FromHours(1);
            Assert.IsTrue(shown >= TimeSpan.FromMilliseconds(30) && shown < TimeSpan.FromSeconds(20), $"{shown}");
        }

        TimeSpan stopped = clock.Elapsed;
        clock.RunFor(TimeSpan.FromHours(1));
        Assert.AreEqual(stopped + TimeSpan.FromHours(1), clock.Elapsed);
        Assert.AreEqual(0, clock.ForeignWork);
    }
}
