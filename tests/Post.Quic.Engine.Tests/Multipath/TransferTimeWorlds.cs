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

    /// <summary>A sender that is fed as fast as it sends never has more than a little; what it is told of the rest makes it use the slow link.</summary>
    [TestMethod]
    public void What_is_expected_counts_as_much_as_what_waits()
    {
        const int Bytes = 30_000_000;
        using var alone = new TwoLinks(5, Fast, null);
        using var untold = new TwoLinks(5, Fast, Slow);
        using var told = new TwoLinks(5, Fast, Slow);
        long one = Feed(alone, Bytes, expected: 0);
        long two = Feed(untold, Bytes, expected: 0);
        long three = Feed(told, Bytes, expected: Bytes);
        string times = $"{one / 1000} ms alone, {two / 1000} ms together, {three / 1000} ms when the length is known";
        Assert.IsGreaterThan(one * 0.95, two, times);
        Assert.IsLessThan(one * 0.88, three, times);
    }

    [TestMethod]
    public void What_is_small_and_more_urgent_than_bulk_is_not_sent_by_the_slow_link()
    {
        // The queue of the fast link, which bulk fills, takes 20 ms.
        using var world = new TwoLinks(3, Fast with { QueueBytes = 50_000 }, Slow);
        _ = world.Begin(world.Pair.RandomBytes(20_000_000), new SendUrgency(5, long.MaxValue));
        world.Pair.RunFor(1_000_000);
        for (int i = 0; i < 50; i++)
        {
            long begin = world.Pair.Now;
            ulong id = world.Begin(world.Pair.RandomBytes(2_000), new SendUrgency(0, long.MaxValue));
            world.Pair.RunUntil(() => world.Pair.Server.EndedStreams.Contains(id), 1_000_000, "a small object");

            // By the slow link it would take 100.
            Assert.IsLessThan(80_000L, world.Pair.Now - begin);
            world.Pair.RunFor(50_000);
        }
    }

    /// <summary>Writes as an application does that waits for each write: never more than 64 KiB ahead of what was sent.</summary>
    private static long Feed(TwoLinks world, int bytes, int expected)
    {
        const int Ahead = 64 * 1024;
        Pair pair = world.Pair;
        pair.Server.Discard = true;
        long begin = pair.Now;
        Assert.IsTrue(pair.Client.Core!.Streams.TryOpen(false, out StreamState? stream), pair.Repeat);
        stream!.SetExpectedLength((ulong)expected);
        ulong id = stream.Id;
        byte[] piece = pair.RandomBytes(Ahead);
        int left = bytes;
        while (!pair.Server.EndedStreams.Contains(id))
        {
            int room = left == 0 ? 0 : Math.Min(left, Ahead - (int)stream.Send!.Buffer.UnsentBytes);
            if (room > 0)
            {
                left -= stream.Write(piece.AsSpan(0, room));
                if (left == 0)
                {
                    stream.Finish();
                }
            }

            pair.RunFor(500);
        }

        return pair.Now - begin;
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
