using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Datagrams;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Paths.Scheduling;
using Post.Quic.Engine.Tests.Simulation;

namespace Post.Quic.Engine.Tests.Multipath;

/// <summary>What two links between the same two ends are good for, in virtual time.</summary>
[TestClass]
public sealed class LinkWorlds
{
    private const long Megabit = 125_000;
    private const long Millisecond = 1_000;

    private static readonly NetworkAddress First = NetworkAddress.FromIPv4(0x0a000001, 50000);
    private static readonly NetworkAddress Second = NetworkAddress.FromIPv4(0x0a000102, 50001);

    public TestContext TestContext { get; set; } = null!;

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void Two_equal_links_give_their_sum(bool up)
    {
        foreach (ulong seed in Seeds.Of(2))
        {
            using Pair pair = OverTwoLinks(seed, Link(20, 20), Link(20, 20), open: true);
            double rate = Rate(pair, up, 15_000_000);
            TestContext.WriteLine($"{rate / Megabit:F1} Mbit/s");
            Assert.IsGreaterThan(0.95 * 40 * Megabit * Payload, rate, pair.Repeat);
        }
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void A_slow_link_beside_a_fast_one_costs_nothing(bool up)
    {
        foreach (ulong seed in Seeds.Of(2))
        {
            using Pair alone = OverTwoLinks(seed, Link(20, 20), Link(5, 200), open: false);
            using Pair both = OverTwoLinks(seed, Link(20, 20), Link(5, 200), open: true);
            double one = Rate(alone, up, 15_000_000);
            double two = Rate(both, up, 15_000_000);
            TestContext.WriteLine($"{one / Megabit:F1} Mbit/s alone, {two / Megabit:F1} with the other");
            Assert.IsGreaterThan(0.99 * one, two, both.Repeat);
        }
    }

    [TestMethod]
    public void What_is_small_is_never_later_than_on_the_fast_link_alone()
    {
        long alone = SlowestOf(open: false);
        long both = SlowestOf(open: true);
        TestContext.WriteLine($"{alone} us alone, {both} with the other");
        Assert.IsLessThanOrEqualTo(alone + Millisecond, both);
    }

    [TestMethod]
    public void The_used_link_dies_without_a_word_and_the_next_object_is_there_in_three_probe_timeouts()
    {
        foreach (ulong seed in Seeds.Of(40))
        {
            using Pair pair = OverTwoLinks(seed, Link(20, 20), Link(20, 60), open: true, out SimulatedLink first, out SimulatedLink second);
            pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(300_000), 10_000_000);
            pair.RunFor(100_000 + ((long)seed * 7_919 % 50_000));
            long timeout = 3 * pair.Client.Core!.State.Paths.ProbeTimeoutPeriod;
            (seed % 2 == 0 ? first : second).IsDead = true;
            for (int i = 0; i < 5; i++)
            {
                long start = pair.Now;
                pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(20_000), 10_000_000);
                Assert.IsLessThan(Math.Min(timeout, 1_000_000), pair.Now - start, $"object {i}; {pair.Repeat}");
            }
        }
    }

    [TestMethod]
    public void Losses_on_both_links_lose_nothing()
    {
        foreach (ulong seed in Seeds.Of(10))
        {
            LinkConditions lossy = Link(20, 20) with { Loss = 0.05, Jitter = 3_000, Reordering = 0.01 };
            using Pair pair = OverTwoLinks(seed, lossy, lossy with { Delay = 40_000 }, open: true);
            pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(1_000_000), 60_000_000);
            pair.Transfer(pair.Server, pair.Client, pair.RandomBytes(1_000_000), 60_000_000);
            Assert.IsNull(pair.Client.Closed, pair.Repeat);
        }
    }

    [TestMethod]
    public void What_came_by_a_slow_link_is_acknowledged_by_a_fast_one()
    {
        using Pair pair = OverTwoLinks(1, Link(20, 20), Link(20, 400), open: true);
        pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(8_000_000), 60_000_000);
        PathStatistics slow = pair.Client.Core!.GetPaths().Single(path => path.PathId == 1);
        Assert.IsGreaterThan(50_000L, slow.BytesSent);

        // 200 ms there, and 10 back.
        Assert.IsLessThan(330 * Millisecond, slow.SmoothedRtt);
    }

    [TestMethod]
    public void Two_copies_of_each_packet_get_through_where_one_would_be_lost()
    {
        int came = 0;
        int sent = 0;
        foreach (ulong seed in Seeds.Of(20))
        {
            var settings = new ConnectionSettings { MaxPaths = 2, PathScheduler = static () => new RedundantScheduler(), Copies = 2 };
            LinkConditions lossy = Link(20, 20) with { Loss = 0.1 };
            using Pair pair = OverTwoLinks(seed, lossy, lossy with { Delay = 15_000 }, open: true, out _, out _, settings);
            for (int i = 0; i < 50; i++)
            {
                pair.Server.Datagrams.Clear();
                Assert.AreEqual(
                    DatagramEnqueueResult.Queued,
                    pair.Client.Core!.Datagrams.TryEnqueue(pair.RandomBytes(500), 0, long.MaxValue, out _));
                pair.RunFor(20 * Millisecond);
                sent++;
                came += pair.Server.Datagrams.Count == 0 ? 0 : 1;
            }

            pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(200_000), 20_000_000);
        }

        Assert.IsGreaterThan(0.97 * sent, came, $"{came} of {sent}");
        Assert.IsLessThan(sent, came, "no world lost both copies: it proves nothing");
    }

    // What headers, tags and acknowledgements of the other direction leave of a datagram.
    private const double Payload = 0.97;

    private static LinkConditions Link(int megabits, int roundTrip) => new()
    {
        Bandwidth = megabits * Megabit,
        Delay = roundTrip * Millisecond / 2,
        QueueBytes = 200_000,
    };

    private static Pair OverTwoLinks(ulong seed, LinkConditions first, LinkConditions second, bool open) =>
        OverTwoLinks(seed, first, second, open, out _, out _);

    private static Pair OverTwoLinks(
        ulong seed, LinkConditions first, LinkConditions second, bool open, out SimulatedLink one, out SimulatedLink two, ConnectionSettings? chosen = null)
    {
        ConnectionSettings settings = chosen ?? new ConnectionSettings { MaxPaths = 4 };
        var pair = new Pair(new PairOptions { Seed = seed, Client = settings, Server = settings });
        one = pair.Network.AddLink(First, first);
        two = pair.Network.AddLink(Second, second);
        pair.Handshake();
        pair.RunFor(500_000);
        if (open)
        {
            Assert.AreEqual(PathOpening.Begun, pair.Client.Core!.TryOpenPath(Second, default, pair.Now, out _));
            pair.RunUntil(() => pair.Server.Core!.State.Paths.Find(1) is { IsUsable: true }, 5_000_000, "a path");
            pair.RunFor(500_000);
        }

        return pair;
    }

    private static double Rate(Pair pair, bool up, int bytes)
    {
        (SimulatedSide from, SimulatedSide to) = up ? (pair.Client, pair.Server) : (pair.Server, pair.Client);
        to.Discard = true;
        long start = pair.Now;
        pair.Transfer(from, to, pair.RandomBytes(bytes), 120_000_000);
        return bytes * 1e6 / (pair.Now - start);
    }

    private static long SlowestOf(bool open)
    {
        long slowest = 0;
        foreach (ulong seed in Seeds.Of(10))
        {
            using Pair pair = OverTwoLinks(seed, Link(20, 20), Link(5, 200), open);
            for (int i = 0; i < 20; i++)
            {
                long start = pair.Now;
                pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(4_000), 10_000_000);
                slowest = Math.Max(slowest, pair.Now - start);
                pair.RunFor(30_000);
            }
        }

        return slowest;
    }
}
