using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Paths.Scheduling;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Tests.Simulation;

namespace Post.Quic.Engine.Tests.Multipath;

/// <summary>How long things take over two unequal links, beside the better one alone.</summary>
[TestClass]
public sealed class TransferTimeWorlds
{
    private static readonly LinkConditions Fast = TwoLinks.Link(20, 20);
    private static readonly LinkConditions Slow = TwoLinks.Link(5, 200);

    [TestMethod]
    public void A_slow_link_beside_a_fast_one_never_makes_a_transfer_later()
    {
        foreach (int bytes in (int[])[3_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000])
        {
            using var alone = new TwoLinks(7, Fast, null);
            using var both = new TwoLinks(7, Fast, Slow);
            long one = alone.Transfer(bytes);
            long two = both.Transfer(bytes);
            Assert.IsLessThanOrEqualTo(
                (one * 102 / 100) + 2_000, two, $"{bytes} bytes: {one / 1000} ms alone, {two / 1000} ms together; {both.Pair.Repeat}");
        }
    }

    [TestMethod]
    public void Much_data_makes_use_of_a_slow_link_too()
    {
        const int Bytes = 30_000_000;
        using var alone = new TwoLinks(5, Fast, null);
        using var both = new TwoLinks(5, Fast, Slow);
        long one = alone.Transfer(Bytes);
        long two = both.Transfer(Bytes);
        Assert.IsLessThan(one * 0.88, two, $"{one / 1000} ms alone, {two / 1000} ms together; {both.Pair.Repeat}");
    }

    [TestMethod]
    public void Small_urgent_objects_beside_bulk_are_no_later_than_over_the_better_link_alone()
    {
        foreach (Func<IPathScheduler> policy in (Func<IPathScheduler>[])[() => new EarliestCompletionScheduler(), () => new InteractiveScheduler()])
        {
            var settings = new ConnectionSettings { PathScheduler = policy };
            using var alone = new TwoLinks(3, Fast, null, settings);
            using var both = new TwoLinks(3, Fast, Slow, settings);
            long one = Percentile99(UrgentDelays(alone));
            long two = Percentile99(UrgentDelays(both));
            Assert.IsLessThanOrEqualTo((one * 11 / 10) + 2_000, two, $"{one / 1000} ms alone, {two / 1000} ms together");
        }
    }

    /// <summary>Bulk without end, and an object of 2000 bytes every 53 ms.</summary>
    private static List<long> UrgentDelays(TwoLinks world)
    {
        Pair pair = world.Pair;
        _ = world.Begin(pair.RandomBytes(20_000_000), new SendUrgency(5, long.MaxValue));
        pair.RunFor(1_000_000);
        var delays = new List<long>();
        for (int i = 0; i < 100; i++)
        {
            long begin = pair.Now;
            ulong id = world.Begin(pair.RandomBytes(2_000), new SendUrgency(0, begin + 1_000_000));
            while (!pair.Server.EndedStreams.Contains(id))
            {
                pair.RunFor(500);
            }

            delays.Add(pair.Now - begin);
            pair.RunFor(Math.Max(1, 53_000 - (pair.Now - begin)));
        }

        return delays;
    }

    private static long Percentile99(List<long> delays)
    {
        delays.Sort();
        return delays[delays.Count * 99 / 100];
    }
}
