using Post.Sockets.Testing;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Machines;

/// <summary>No object is handed over after its lifetime, and none is given up that is in time, by the time of the world.</summary>
[TestClass]
public sealed class NeverLateTests
{
    private const int Worlds = 10;

    public static IEnumerable<int> Seeds
    {
        get
        {
            if (int.TryParse(Environment.GetEnvironmentVariable("POST_QUIC_SEED"), out var only))
            {
                return [only];
            }

            return Enumerable.Range(1, int.TryParse(Environment.GetEnvironmentVariable("POST_QUIC_WORLDS"), out var more) ? Math.Max(more, Worlds) : Worlds);
        }
    }

    [TestMethod]
    [DataRow(1)]
    [DataRow(4)]
    public void Over_a_relay_that_loses_rebinds_and_goes_dark_nothing_is_late(int concurrency)
    {
        foreach (var seed in Seeds)
        {
            var random = new Random(seed);
            var link = PostWorld.Link(
                random.Next(2, 30) * 1_000_000L, random.Next(1, 60), random.NextDouble() * 0.1, random.NextDouble() * 0.05, random.Next(3));
            var world = new MachineWorld(seed, link with { Congestion = (InMemoryCongestion)random.Next(2) })
            {
                ServerOptions = new() { HandlerConcurrency = concurrency },
                HandlerTime = () => random.Next(20) == 0 ? random.Next(100) : 0,
            };
            world.Run(async () =>
            {
                world.Receive();
                var plaguing = PlagueAsync(world, random);
                await TrafficAsync(world, random, 60_000);
                await plaguing;
                await world.DelayAsync(20_000);
            });
            AssertInTime(world, link, seed);
        }
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void What_a_stalled_receiver_kept_is_never_late(bool knowsArrival)
    {
        foreach (var seed in Seeds)
        {
            var random = new Random(seed);
            var link = PostWorld.Link(random.Next(5, 30) * 1_000_000L, random.Next(1, 60), random.Next(2) * 0.02);
            var world = new MachineWorld(seed, link, server: clock => new Machine(clock) { KnowsArrival = knowsArrival })
            {
                ServerOptions = new() { HandlerConcurrency = random.Next(2) == 0 ? 1 : 4 },
                HandlerTime = () => random.Next(10) == 0 ? random.Next(50) : 0,
            };
            world.Run(async () =>
            {
                world.Receive();
                var traffic = TrafficAsync(world, random, 30_000);
                while (!traffic.IsCompleted)
                {
                    await world.DelayAsync(random.Next(3000));
                    await world.ServerMachine.StopAsync(random.Next(10_000));
                }

                await traffic;
                await world.DelayAsync(20_000);
            });
            AssertInTime(world, link, seed);
            Assert.IsGreaterThan(0, world.Sent.Count(sent => sent.Receipt!.Reason == ObjectOutcomeReason.AtReceiver), "some expired in the stalls");
        }
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void A_stall_at_the_first_objects_of_an_association_is_noticed_where_the_time_of_arrival_is_known(bool knowsArrival)
    {
        var link = PostWorld.Link(delay: 20);
        var handled = 0;
        var world = new MachineWorld(1, link, server: clock => new Machine(clock) { KnowsArrival = knowsArrival })
        {
            HandlerTime = () => handled++ == 0 ? 800 : 0,
        };
        world.Run(
            async () =>
            {
                // The sender cannot tell what it gave up: the receiver has nothing but its own clock.
                world.Network.IsUp = false;
                world.Receive();
                await world.DelayAsync(2000);
                world.Network.IsUp = true;
                await world.DelayAsync(10_000);
            },
            beside: async () =>
            {
                // The connection is made, and HELLO is on its way.
                await world.DelayAsync(50);
                var stop = world.ServerMachine.StopAsync(1000);
                for (var i = 0; i < 45; i++)
                {
                    world.Send(100, 1500);
                    await world.DelayAsync(20);
                }

                await stop;
            });
        Assert.IsGreaterThan(1, world.Delivered);
        Assert.AreEqual(knowsArrival, world.Latest < TimeSpan.FromMilliseconds(10), $"{world.Latest}");
    }

    [TestMethod]
    [DataRow(false, false)]
    [DataRow(false, true)]
    [DataRow(true, false)]
    [DataRow(true, true)]
    public void What_waits_while_its_sender_sleeps_has_expired_when_it_wakes_up(bool forgetsSleep, bool asStream)
    {
        var link = PostWorld.Link(delay: 20);
        var world = new MachineWorld(1, link, client: clock => new Machine(clock) { ForgetsSleep = forgetsSleep });
        world.Run(async () =>
        {
            world.Receive();
            Assert.IsTrue((await world.Send(100, 1000).Completion).IsAcked);
            await world.DelayAsync(1000);
            world.Network.IsUp = false;
            var waits = world.Send(asStream ? 20_000 : 100, 2000);
            await world.DelayAsync(100);
            await world.ClientMachine.StopAsync(20_000, asleep: true);
            world.Network.IsUp = true;
            Assert.AreEqual(ObjectOutcome.Expired, (await waits.Completion).Outcome);
            await world.DelayAsync(5000);
            Assert.AreEqual(1, world.Delivered);

            // One whose clock forgot passes for that much older until the receiver has seen enough.
            var deadline = world.Network.Clock.Elapsed + (forgetsSleep ? TimeSpan.FromSeconds(45) : TimeSpan.Zero);
            while (!(await world.Send(100, 500).Completion).IsAcked)
            {
                Assert.IsLessThan(deadline, world.Network.Clock.Elapsed, "understood again");
                await world.DelayAsync(500);
            }
        });
        Assert.IsLessThan(TimeSpan.Zero, world.Latest);
    }

    [TestMethod]
    public void What_a_receiver_holds_while_it_sleeps_has_expired_when_it_wakes_up()
    {
        var link = PostWorld.Link(delay: 20);
        var world = new MachineWorld(1, link);
        world.Run(async () =>
        {
            var held = world.Send(100, 2000);
            await world.DelayAsync(100);
            await world.ServerMachine.StopAsync(20_000, asleep: true);
            world.Receive();
            Assert.AreEqual(ObjectOutcome.Expired, (await held.Completion).Outcome);
        });
        Assert.AreEqual(TimeSpan.MinValue, world.Latest);
    }

    [TestMethod]
    public void Ways_that_differ_are_off_by_half_of_the_difference()
    {
        foreach (var (there, back) in new[] { (10, 70), (70, 10) })
        {
            var link = PostWorld.Link(delay: there);
            var world = new MachineWorld(1, link);
            world.Network.ToClient = PostWorld.Link(delay: back);
            world.Run(async () =>
            {
                world.Receive();
                for (var i = 0; i < 400; i++)
                {
                    world.Send(100, 20 + (i / 4));
                    await world.DelayAsync(10);
                }
            });
            var off = TimeSpan.FromMilliseconds(Math.Abs(there - back) / 2.0);
            Assert.IsTrue(world.Latest <= off && world.Earliest <= off, $"late by {world.Latest}, early by {world.Earliest}");
            Assert.IsTrue(there < back || world.Latest > TimeSpan.Zero, "the bound is reached");
        }
    }

    [TestMethod]
    public void Bulk_before_a_narrow_link_for_minutes_does_not_pass_for_the_clock()
    {
        // A queue of 130 ms stands for three minutes, and every object waits in it.
        var link = PostWorld.Link(8_000_000, 20) with { Congestion = InMemoryCongestion.Reno };
        var world = new MachineWorld(1, link);
        world.Run(async () =>
        {
            world.Receive();
            var bulk = world.Client.Send(new byte[180_000_000], new() { Niceness = 200 });
            var random = new Random(1);
            for (var i = 0; i < 9000; i++)
            {
                world.Send(500, random.Next(60, 250));
                await world.DelayAsync(20);
            }

            bulk.Cancel();
            await world.DelayAsync(2000);
        });
        AssertInTime(world, link, 1);
    }

    [TestMethod]
    public void What_an_incremental_object_brings_to_a_stalled_receiver_is_not_shown_after_its_lifetime()
    {
        // 400 ms on the link, with 600 ms to live; the receiver stands still in the middle, with most of it in its socket when it goes on.
        var link = PostWorld.Link(2_000_000, 20);
        var world = new MachineWorld(1, link) { ServerOptions = new() { Incremental = IncrementalDelivery.Always } };
        world.Run(async () =>
        {
            var reading = world.Server.ReceiveAsync().AsTask();
            var sent = world.Send(100_000, 600);
            var end = world.Network.Clock.Elapsed + TimeSpan.FromMilliseconds(600);
            using var item = await reading;
            var buffer = new byte[1000];
            var stream = item.AsStream();
            Assert.IsGreaterThan(0, await stream.ReadAsync(buffer));
            await world.DelayAsync(100);

            // The network goes with it, so that the sender cannot tell either.
            var stop = world.ServerMachine.StopAsync(1000);
            await world.DelayAsync(300);
            world.Network.IsUp = false;
            await stop;
            var bytes = 0;
            await Assert.ThrowsExactlyAsync<PostException>(async () =>
            {
                for (int read; (read = await stream.ReadAsync(buffer)) > 0; bytes += read)
                {
                }
            });
            Assert.IsLessThan(35_000, bytes, "what came before the stall can be read, no more");
            world.Network.IsUp = true;
            Assert.AreEqual(ObjectOutcome.Expired, (await sent.Completion).Outcome);
            Assert.IsGreaterThan(end, world.Network.Clock.Elapsed);
        });
    }

    [TestMethod]
    [DataRow(MultipathPolicy.Aggregate)]
    [DataRow(MultipathPolicy.Handover)]
    public void With_several_paths_the_fastest_that_carries_shows_the_clock(MultipathPolicy policy)
    {
        var link = PostWorld.Link(delay: 50);
        var random = new Random(1);
        var world = new MachineWorld(1, link)
        {
            Capabilities = InMemoryNetwork.DefaultCapabilities | TransportCapabilities.Multipath,
            ClientOptions = new() { Multipath = policy },
            ServerOptions = new() { Multipath = policy },
            HandlerTime = () => random.Next(3) * 9,
        };
        world.Run(async () =>
        {
            world.Receive();
            var wire = world.Network.Wires[0];
            var fast = PostWorld.Link(delay: 5);
            wire.AddPath(toServer: fast, toClient: fast);
            for (var i = 0; i < 2000; i++)
            {
                world.Send(100, 60 + (i % 100));
                await world.DelayAsync(10);
            }

            await world.DelayAsync(500);
        });
        Assert.IsGreaterThan(1800, world.Delivered);
        AssertInTime(world, link, 1);
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void At_twice_what_the_link_carries_nearly_all_that_is_carried_is_in_time(bool backwards)
    {
        var narrow = PostWorld.Link(4_000_000, 20) with { Congestion = InMemoryCongestion.Reno, QueueLimit = 60_000 };
        var world = new MachineWorld(1, narrow);
        var offered = 0;
        world.Run(async () =>
        {
            world.Receive();
            var back = backwards ? world.Server.Send(new byte[20_000_000]) : null;
            if (backwards)
            {
                world.Client.Register<Received>(_ => { });
            }

            // Or as much as it carries where the queue stands on the way back, which must cost nothing.
            for (var i = 0; i < 10_000; i++, offered++)
            {
                world.Send(1000, backwards ? 250 : 400);
                await world.DelayAsync(backwards ? 4 : 1);
            }

            back?.Cancel();
            await world.DelayAsync(2000);
        });
        var ends = string.Join(", ", world.Sent.CountBy(sent => sent.Receipt?.ToString() ?? "none"));
        Assert.IsGreaterThan(offered * (backwards ? 98 : 40) / 100, world.Delivered, ends);
        AssertInTime(world, narrow, 1);
    }

    [TestMethod]
    public void An_object_that_waits_for_a_busy_context_expires_there()
    {
        var link = PostWorld.Link(delay: 20);
        var world = new MachineWorld(1, link);
        world.Run(async () =>
        {
            var context = new BusyContext(world);
            var before = SynchronizationContext.Current;
            SynchronizationContext.SetSynchronizationContext(context);
            var taking = world.Server.ReceiveAsync().AsTask();
            SynchronizationContext.SetSynchronizationContext(before);
            context.BusyFor = 1000;
            var late = world.Send(100, 500);
            Assert.AreEqual(ObjectOutcomeReason.AtReceiver, (await late.Completion).Reason);
            Assert.IsFalse(taking.IsCompleted);
            context.BusyFor = 100;
            var early = world.Send(100, 500);
            Assert.IsTrue((await early.Completion).IsAcked);
            using var taken = await taking;
            Assert.AreEqual(early.Id, taken.Id);
        });
    }

    /// <summary>Objects of all kinds, some more than the link carries.</summary>
    private static async Task TrafficAsync(MachineWorld world, Random random, double milliseconds)
    {
        var end = world.Network.Clock.Elapsed + TimeSpan.FromMilliseconds(milliseconds);
        while (world.Network.Clock.Elapsed < end)
        {
            var size = random.Next(4) switch { 0 => random.Next(20_000), 1 => random.Next(3000), _ => random.Next(1000) };
            world.Send(size, random.Next(8) == 0 ? 0 : random.Next(20, 1500), random.Next(3) * 50);
            await world.DelayAsync(random.Next(20));
        }
    }

    private static async Task PlagueAsync(MachineWorld world, Random random)
    {
        for (var i = 0; i < 20; i++)
        {
            await world.DelayAsync(random.Next(5000));
            if (random.Next(2) == 0)
            {
                world.Network.Wires[0].RebindClient(new System.Net.IPEndPoint(0x0100007f, 1000 + i));
            }
            else
            {
                world.Network.IsUp = false;
                await world.DelayAsync(random.Next(1500));
                world.Network.IsUp = true;
            }
        }
    }

    /// <summary>Whether both errors are within what docs/protocol.md says.</summary>
    private static void AssertInTime(MachineWorld world, InMemoryLinkOptions link, int seed)
    {
        // What a full packet takes on the link is on one way only. And a minute of what clocks may drift apart: at some percent of loss
        // nearly everything waits or is repeated.
        var packet = link.BitsPerSecond == 0 ? 0 : 1300 * 8 * 1000.0 / link.BitsPerSecond;
        var bound = TimeSpan.FromMilliseconds(6 + packet) + link.Jitter;
        var ends = string.Join(", ", world.Sent.CountBy(sent => sent.Receipt?.ToString() ?? "none"));
        Assert.IsTrue(
            world.Sent.All(sent => sent.Receipt is not null || sent.Properties.Lifetime == Timeout.InfiniteTimeSpan), $"POST_QUIC_SEED={seed}: {ends}");
        Assert.IsGreaterThan(0, world.Delivered, $"POST_QUIC_SEED={seed}: {ends}");
        Assert.IsLessThan(bound, world.Latest, $"POST_QUIC_SEED={seed}: late, with {link}: {ends}");
        Assert.IsLessThan(bound, world.Earliest, $"POST_QUIC_SEED={seed}: given up early, with {link}: {ends}");
    }

    private sealed class BusyContext(MachineWorld world) : SynchronizationContext
    {
        public double BusyFor { get; set; }

        public override void Post(SendOrPostCallback d, object? state) => _ = RunAsync(d, state);

        private async Task RunAsync(SendOrPostCallback d, object? state)
        {
            await world.DelayAsync(BusyFor).ConfigureAwait(false);
            SetSynchronizationContext(this);
            d(state);
            SetSynchronizationContext(null);
        }
    }
}
