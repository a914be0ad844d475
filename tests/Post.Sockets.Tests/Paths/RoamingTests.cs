using System.Globalization;
using System.Net;

namespace Post.Sockets.Tests.Paths;

/// <summary>An association whose machine moves, in virtual time: the worlds that a laptop meets.</summary>
[TestClass]
public sealed class RoamingTests
{
    [TestMethod]
    public void A_second_path_stands_ready() => new RoamingWorld().Run(world =>
    {
        Assert.AreEqual("0 eth0 Active, 1 wlan0 Standby", world.Paths);
        return Task.CompletedTask;
    });

    [TestMethod]
    [DataRow(MultipathPolicy.None)]
    [DataRow(MultipathPolicy.Handover)]
    [DataRow(MultipathPolicy.Interactive)]
    [DataRow(MultipathPolicy.Aggregate)]
    public void The_association_goes_on_when_its_address_is_gone(MultipathPolicy policy) =>
        GoesOn(policy, world => world.Wired.RemoveAddress(RoamingWorld.Ethernet));

    [TestMethod]
    [DataRow(MultipathPolicy.None)]
    [DataRow(MultipathPolicy.Handover)]
    [DataRow(MultipathPolicy.Aggregate)]
    public void The_association_goes_on_when_the_cable_is_pulled(MultipathPolicy policy) => GoesOn(policy, world => world.Wired.IsUp = false);

    [TestMethod]
    [DataRow(MultipathPolicy.Handover)]
    [DataRow(MultipathPolicy.Interactive)]
    [DataRow(MultipathPolicy.Aggregate)]
    public void The_association_goes_on_when_its_link_dies_without_a_word(MultipathPolicy policy) => GoesOn(policy, world => world.Wired.IsSilent = true);

    [TestMethod]
    [DataRow(MultipathPolicy.None)]
    [DataRow(MultipathPolicy.Handover)]
    public void The_association_goes_on_when_an_address_is_renewed(MultipathPolicy policy) => GoesOn(policy, world =>
    {
        world.Laptop.RemoveInterface(world.Wifi);
        world.Wired.RemoveAddress(RoamingWorld.Ethernet);
        world.Wired.AddAddress(IPAddress.Parse("192.0.2.99"));
    });

    [TestMethod]
    [DataRow(MultipathPolicy.None)]
    [DataRow(MultipathPolicy.Handover)]
    public void When_all_is_down_for_a_while_lifetimes_hold_and_the_rest_arrives(MultipathPolicy policy) => new RoamingWorld(policy: policy).Run(async world =>
    {
        var got = Collect(world);
        world.Wired.IsUp = false;
        world.Wifi.IsUp = false;
        var lasting = world.Client.Send(BitConverter.GetBytes(1));
        var brief = world.Client.Send(BitConverter.GetBytes(2), new() { Lifetime = TimeSpan.FromSeconds(2) });
        var receipt = await brief.Completion;
        Assert.AreEqual(ObjectOutcome.Expired, receipt.Outcome);
        await world.DelayAsync(5000);
        var back = world.Now;
        world.Wifi.IsUp = true;
        (await lasting.Completion).EnsureAcked();
        Assert.IsLessThan(1000, (world.Now - back).TotalMilliseconds);
        CollectionAssert.AreEqual(new[] { 1 }, got);
    });

    [TestMethod]
    public void An_association_without_a_connection_connects_as_soon_as_there_is_a_way() => new RoamingWorld().Run(async world =>
    {
        var got = Collect(world);
        world.Wired.IsUp = false;
        world.Wifi.IsUp = false;
        await world.DelayAsync(50_000);
        Assert.IsTrue(world.Client.IsInterrupted);
        var sent = world.Client.Send(BitConverter.GetBytes(1));
        var back = world.Now;
        world.Wifi.IsUp = true;
        (await sent.Completion).EnsureAcked();
        Assert.IsLessThan(1000, (world.Now - back).TotalMilliseconds);
        CollectionAssert.AreEqual(new[] { 1 }, got);
    });

    [TestMethod]
    public void Paths_lead_to_the_further_addresses_that_a_listener_tells()
    {
        var further = new IPEndPoint(IPAddress.Parse("198.51.100.2"), 4433);
        new RoamingWorld { Further = [further] }.Run(async world =>
        {
            world.Laptop.RemoveInterface(world.Wifi);
            await world.DelayAsync(7000);
            CollectionAssert.AreEqual(
                new EndPoint?[] { RoamingWorld.ServerAddress, further }, world.Client.Paths.Select(path => path.RemoteEndPoint).ToArray());
        });
    }

    [TestMethod]
    public void Each_change_of_a_path_is_told_in_order_with_the_paths_of_its_moment() => new RoamingWorld().Run(async world =>
    {
        var told = new List<PathsChanged>();
        world.Client.Register<PathsChanged>(told.Add);
        for (var i = 0; i < 20; i++)
        {
            world.Wired.IsUp = i % 2 != 0;
            await world.DelayAsync(300);
            world.Wifi.IsSilent = i % 3 == 0;
            _ = world.Client.Send("x"u8);
            await world.DelayAsync(7000);
        }

        Assert.IsGreaterThan(20, told.Count);
        var known = new Dictionary<long, PostPathState> { [0] = PostPathState.Active, [1] = PostPathState.Standby };
        foreach (var one in told)
        {
            if (one.Change == PostPathChange.Removed)
            {
                known.Remove(one.Path.Id);
            }
            else
            {
                known[one.Path.Id] = one.Path.State;
            }

            CollectionAssert.AreEquivalent(known, one.Paths.ToDictionary(path => path.Id, path => path.State), $"{one.Change} {one.Path}");
            Assert.IsNotNull(one.Path.InterfaceName);
        }
    });

    [TestMethod]
    public void A_local_that_names_one_interface_keeps_to_it() =>
        new RoamingWorld { Local = Local.Anonymous with { Interfaces = ["wlan0"] } }.Run(async world =>
        {
            Assert.AreEqual("0 wlan0 Active", world.Paths);
            world.Wifi.IsUp = false;
            var sent = world.Client.Send("x"u8, new() { Lifetime = TimeSpan.FromSeconds(5) });
            Assert.AreEqual(ObjectOutcome.Expired, (await sent.Completion).Outcome);
        });

    [TestMethod]
    public void Two_links_carry_more_than_one_and_a_cut_one_loses_nothing() =>
        new RoamingWorld(policy: MultipathPolicy.Aggregate, wired: PostWorld.Link(20_000_000, 10), wireless: PostWorld.Link(20_000_000, 10)).Run(async world =>
        {
            var received = new List<int>();
            world.Server.Register<Received>(got => received.Add(got.Object.ToArray().Length));
            var start = world.Now;
            (await world.Client.Send(PostWorld.Bytes(10_000_000)).Completion).EnsureAcked();
            var both = world.Now - start;
            Assert.IsLessThan(10_000_000 * 8 / (0.95 * 40_000_000), both.TotalSeconds, "at least 0.95 of the sum");
            start = world.Now;
            var sent = world.Client.Send(PostWorld.Bytes(10_000_000));
            await world.DelayAsync(500);
            world.Wifi.IsSilent = true;
            (await sent.Completion).EnsureAcked();
            Assert.IsLessThan(5, (world.Now - start).TotalSeconds);
            CollectionAssert.AreEqual(new[] { 10_000_000, 10_000_000 }, received);
        });

    [TestMethod]
    public void Whatever_happens_to_its_links_nothing_is_lost_late_or_doubled()
    {
        var only = Environment.GetEnvironmentVariable("POST_QUIC_SEED");
        var worlds = int.Parse(Environment.GetEnvironmentVariable("POST_QUIC_WORLDS") ?? "50", CultureInfo.InvariantCulture);
        foreach (var seed in only is null ? Enumerable.Range(0, worlds) : [int.Parse(only, CultureInfo.InvariantCulture)])
        {
            try
            {
                Play(seed);
            }
            catch (Exception exception)
            {
                throw new InvalidOperationException($"POST_QUIC_SEED={seed}: {exception.Message}", exception);
            }
        }
    }

    private static List<int> Collect(RoamingWorld world)
    {
        var got = new List<int>();
        world.Server.Register<Received>(received => got.Add(BitConverter.ToInt32(received.Object.ToArray())));
        return got;
    }

    private static void GoesOn(MultipathPolicy policy, Action<RoamingWorld> happens) => new RoamingWorld(policy: policy).Run(async world =>
    {
        var got = Collect(world);
        var sent = new List<SentObject>();
        var latest = TimeSpan.Zero;
        var interruptions = 0;
        world.Client.Register<ConnectionChanged>(_ => interruptions++);
        for (var i = 0; i < 200; i++)
        {
            if (i == 100)
            {
                happens(world);
            }

            var start = world.Now;
            var item = world.Client.Send(BitConverter.GetBytes(i));
            sent.Add(item);
            _ = item.Completion.ContinueWith(
                _ => latest = latest > world.Now - start ? latest : world.Now - start,
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
            await world.DelayAsync(10);
        }

        foreach (var item in sent)
        {
            (await item.Completion).EnsureAcked();
        }

        CollectionAssert.AreEquivalent(Enumerable.Range(0, 200).ToArray(), got);
        Assert.AreEqual(0, interruptions, "the connection itself goes on");
        Assert.IsLessThan(1000, latest.TotalMilliseconds, world.Paths);
    });

    private static void Play(int seed)
    {
        var random = new Random(seed);
        var policy = (MultipathPolicy)random.Next(4);
        var wired = PostWorld.Link(5_000_000 + random.Next(20_000_000), random.Next(5, 60), loss: random.Next(3) == 0 ? 0.05 : 0);
        var wireless = PostWorld.Link(2_000_000 + random.Next(10_000_000), random.Next(10, 200), loss: random.Next(3) == 0 ? 0.1 : 0);

        // How far the clocks of the ends are apart is known up to the difference of the ways: docs/semantics.md.
        var blur = (wired.Delay - wireless.Delay).Duration();
        new RoamingWorld(seed, policy, wired, wireless).Run(
            async world =>
            {
                var got = new List<(int Number, TimeSpan At)>();
                world.Server.Register<Received>(received => got.Add((BitConverter.ToInt32(received.Object.ToArray()), world.Now)));
                var sent = new List<(SentObject Item, TimeSpan? Deadline)>();
                for (var step = 0; step < 50; step++)
                {
                    var one = random.Next(2) == 0 ? world.Wired : world.Wifi;
                    switch (random.Next(8))
                    {
                        case 0:
                            one.IsUp = !one.IsUp;
                            break;
                        case 1:
                            one.IsSilent = !one.IsSilent;
                            break;
                        case 2 when one.Addresses.Count > 0:
                            one.RemoveAddress(one.Addresses[0]);
                            break;
                        case 3 when one.Addresses.Count == 0:
                            one.AddAddress(IPAddress.Parse($"10.{(one == world.Wired ? 1 : 2)}.{step}.1"));
                            break;
                        case 4:
                            world.Laptop.PreferredInterface = one;
                            break;
                        case 5 when world.Network.Wires is [var wire, ..]:
                            wire.RebindClient(new IPEndPoint(IPAddress.Parse($"172.16.0.{step}"), 1000 + step));
                            break;
                    }

                    for (var i = random.Next(4); i > 0; i--)
                    {
                        TimeSpan? lifetime = random.Next(2) == 0 ? TimeSpan.FromMilliseconds(random.Next(50, 1000)) : null;
                        var bytes = new byte[random.Next(6) == 0 ? random.Next(4, 50_000) : 4];
                        BitConverter.TryWriteBytes(bytes, sent.Count);
                        sent.Add((world.Client.Send(bytes, new() { Lifetime = lifetime ?? Timeout.InfiniteTimeSpan }), world.Now + lifetime));
                    }

                    await world.DelayAsync(random.Next(4) == 0 ? 2000 : random.Next(200));
                }

                foreach (var one in new[] { world.Wired, world.Wifi })
                {
                    one.IsUp = true;
                    one.IsSilent = false;
                    if (one.Addresses.Count == 0)
                    {
                        one.AddAddress(IPAddress.Parse($"10.{(one == world.Wired ? 1 : 2)}.250.1"));
                    }
                }

                foreach (var (item, deadline) in sent)
                {
                    var receipt = await item.Completion;
                    Assert.IsTrue(
                        receipt.IsAcked || (deadline is not null && receipt.Outcome == ObjectOutcome.Expired), $"object {item.Id} ended {receipt} {receipt.Error} {string.Join("\n", world.Logs.Entries.Select(e => e.Text).Where(e => !e.StartsWith("Object")).TakeLast(30))}");
                }

                Assert.HasCount(got.Count, got.Select(one => one.Number).Distinct(), "twice");
                foreach (var (number, at) in got)
                {
                    Assert.IsTrue(sent[number].Deadline is not { } deadline || at <= deadline + blur, $"object {number} was late");
                }

                Assert.IsEmpty(Enumerable.Range(0, sent.Count).Where(i => sent[i].Deadline is null).Except(got.Select(one => one.Number)), "lost");
            },
            TimeSpan.FromMinutes(30));
    }
}
