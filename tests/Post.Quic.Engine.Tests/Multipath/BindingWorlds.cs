using Post.Quic.Engine.Datagrams;
using Post.Quic.Engine.Lanes;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Tests.Simulation;

namespace Post.Quic.Engine.Tests.Multipath;

/// <summary>Streams and datagrams that are bound to paths, or go by several at a time, in virtual time.</summary>
[TestClass]
public sealed class BindingWorlds
{
    private const long Second = 1_000_000;
    private const long Millisecond = 1_000;

    private static readonly PathSet OnlyFirst = new(PathSetKind.Only, 0);
    private static readonly PathSet OnlySecond = new(PathSetKind.Only, 1);

    public TestContext TestContext { get; set; } = null!;

    [TestMethod]
    public void A_stream_that_is_bound_to_a_path_goes_by_that_path_with_all_that_is_lost_of_it()
    {
        foreach (ulong seed in Seeds.Of(10))
        {
            using var world = new TwoLinks(seed, Lossy(20, 20), Lossy(20, 60));
            foreach ((PathSet set, uint path) in new[] { (OnlySecond, 1u), (new PathSet(PathSetKind.AllBut, 1), 0u), (new PathSet(PathSetKind.Preferring, 1), 1u) })
            {
                long[] before = [Sent(world, 0), Sent(world, 1)];
                byte[] data = world.Pair.RandomBytes(500_000);
                ulong id = world.Begin(data, set);
                world.Pair.RunUntil(() => world.Pair.Server.EndedStreams.Contains(id), 60 * Second, $"a stream bound to {set.Kind}");
                CollectionAssert.AreEqual(data, world.Pair.Server.Received(id), world.Pair.Repeat);
                Assert.IsGreaterThan(500_000L, Sent(world, path) - before[path], world.Pair.Repeat);
                Assert.IsLessThan(40_000L, Sent(world, 1 - path) - before[1 - path], $"what the path itself needs; {world.Pair.Repeat}");
            }
        }
    }

    [TestMethod]
    public void What_is_bound_to_a_full_path_holds_up_nothing_that_another_can_carry()
    {
        using var world = new TwoLinks(1, TwoLinks.Link(1, 100), TwoLinks.Link(20, 20));
        _ = world.Begin(world.Pair.RandomBytes(2_000_000), OnlyFirst, urgency: 0);
        world.Pair.RunFor(Second);
        long begin = world.Pair.Now;
        ulong id = world.Begin(world.Pair.RandomBytes(100_000), OnlySecond, urgency: 5);
        world.Pair.RunUntil(() => world.Pair.Server.EndedStreams.Contains(id), 10 * Second, "the other");
        Assert.IsLessThan(300 * Millisecond, world.Pair.Now - begin);
    }

    [TestMethod]
    public void A_stream_whose_paths_are_not_there_waits_for_one_without_spinning_and_holds_up_nothing()
    {
        using var world = new TwoLinks(1, TwoLinks.Link(20, 20), TwoLinks.Link(20, 20));
        byte[] data = world.Pair.RandomBytes(50_000);
        ulong waiting = world.Begin(data, new PathSet(PathSetKind.Only, 2));
        Assert.IsLessThan(Second, world.Transfer(100_000));
        world.Pair.RunFor(5 * Second);
        Assert.IsEmpty(world.Pair.Server.Received(waiting));

        uint third = world.Open(Addressing.NetworkAddress.FromIPv4(0x0a000102, 50_002));
        Assert.AreEqual(2u, third);
        world.Pair.RunUntil(() => world.Pair.Server.EndedStreams.Contains(waiting), 5 * Second, "the stream that waited");
        CollectionAssert.AreEqual(data, world.Pair.Server.Received(waiting));
    }

    [TestMethod]
    public void A_whole_stream_that_waits_for_its_path_keeps_no_other_out()
    {
        using var world = new TwoLinks(1, TwoLinks.Link(20, 20), TwoLinks.Link(20, 20));
        StreamTable streams = world.Pair.Client.Core!.Streams;
        byte[] data = world.Pair.RandomBytes(1_000);
        for (int i = 0; i < 40; i++)
        {
            Assert.AreEqual(WholeStreamResult.Queued, streams.TrySendWhole(data, default, SendUrgency.Default, i, new PathSet(PathSetKind.Only, 7)));
        }

        for (int i = 100; i < 140; i++)
        {
            Assert.AreEqual(WholeStreamResult.Queued, streams.TrySendWhole(data, default, SendUrgency.Default, i));
            world.Pair.RunFor(10 * Millisecond);
        }

        world.Pair.RunFor(Second);
        Assert.HasCount(40, world.Pair.Server.EndedStreams);
        Assert.AreEqual(WholeStreamResult.Queued, streams.TrySendWhole(data, default, SendUrgency.Default, 200, OnlySecond, copies: 1));
        world.Pair.RunFor(Second);
        Assert.HasCount(41, world.Pair.Server.EndedStreams);
    }

    [TestMethod]
    public void A_stream_can_be_bound_to_other_paths_while_it_is_sent()
    {
        using var world = new TwoLinks(1, TwoLinks.Link(20, 20), TwoLinks.Link(20, 20));
        byte[] data = world.Pair.RandomBytes(3_000_000);
        StreamState stream = world.Open(data, OnlyFirst);
        ulong id = stream.Id;
        world.Pair.RunFor(300 * Millisecond);
        world.First.IsDead = true;
        world.Pair.RunFor(2 * Second);
        Assert.DoesNotContain(id, world.Pair.Server.EndedStreams);
        stream.SetPaths(PathSet.Any, 1);
        world.Pair.RunUntil(() => world.Pair.Server.EndedStreams.Contains(id), 5 * Second, "the rest by the other path");
        CollectionAssert.AreEqual(data, world.Pair.Server.Received(id));
    }

    [TestMethod]
    public void What_prefers_a_path_that_died_goes_by_another()
    {
        using var world = new TwoLinks(1, TwoLinks.Link(20, 20), TwoLinks.Link(20, 20));
        world.Second.IsDead = true;
        ulong id = world.Begin(world.Pair.RandomBytes(100_000), new PathSet(PathSetKind.Preferring, 1));
        world.Pair.RunUntil(() => world.Pair.Server.EndedStreams.Contains(id), Second, "what preferred the dead path");
    }

    [TestMethod]
    public void What_is_bound_to_a_path_that_falls_silent_for_a_while_arrives_when_it_is_back()
    {
        foreach (ulong seed in Seeds.Of(10))
        {
            using var world = new TwoLinks(seed, TwoLinks.Link(20, 20), TwoLinks.Link(20, 20));
            byte[] data = world.Pair.RandomBytes(300_000);
            ulong id = world.Begin(data, OnlySecond);
            world.Pair.RunFor(30 * Millisecond);
            world.Second.IsDead = true;
            world.Pair.RunFor(3 * Second);
            Assert.DoesNotContain(id, world.Pair.Server.EndedStreams, world.Pair.Repeat);
            world.Second.IsDead = false;
            world.Pair.RunUntil(() => world.Pair.Server.EndedStreams.Contains(id), 10 * Second, "what was bound to it");
            CollectionAssert.AreEqual(data, world.Pair.Server.Received(id), world.Pair.Repeat);
        }
    }

    [TestMethod]
    public void A_datagram_goes_by_the_path_that_it_is_bound_to()
    {
        using var world = new TwoLinks(1, TwoLinks.Link(20, 20), TwoLinks.Link(20, 60));
        for (int i = 0; i < 100; i++)
        {
            long[] before = [Sent(world, 0), Sent(world, 1)];
            Send(world, new byte[800], i % 2 == 0 ? OnlyFirst : OnlySecond, copies: 1);
            world.Pair.RunFor(10 * Millisecond);
            Assert.IsGreaterThan(800L, Sent(world, (uint)(i % 2)) - before[i % 2]);
            Assert.IsLessThan(800L, Sent(world, (uint)(1 - (i % 2))) - before[1 - (i % 2)]);
        }

        world.Pair.RunFor(Second);
        Assert.HasCount(100, world.Pair.Server.Datagrams);
    }

    /// <summary>Once in a hundred both copies are lost; that is made good by two copies more, a probe timeout later.</summary>
    [TestMethod]
    public void Of_objects_in_two_copies_over_two_links_that_lose_a_tenth_999_of_1000_are_there_in_time()
    {
        const int Objects = 250;
        const long Deadline = 200 * Millisecond;
        int late = 0;
        int sent = 0;
        foreach (ulong seed in Seeds.Of(20))
        {
            using var world = new TwoLinks(seed, Lossy(20, 20, 0.1), Lossy(20, 30, 0.1));
            for (int i = 0; i < Objects; i++)
            {
                long begin = world.Pair.Now;
                byte[] data = world.Pair.RandomBytes(800);
                ulong id = world.Begin(data, PathSet.Any, copies: 2, urgency: 0, deadline: begin + Deadline);
                while (!world.Pair.Server.EndedStreams.Contains(id))
                {
                    world.Pair.RunFor(Millisecond);
                }

                sent++;
                late += world.Pair.Now - begin > Deadline ? 1 : 0;
                CollectionAssert.AreEqual(data, world.Pair.Server.Received(id), world.Pair.Repeat);
                world.Pair.RunFor(Math.Max(0, 20 * Millisecond - (world.Pair.Now - begin)));
            }
        }

        TestContext.WriteLine($"{late} of {sent} late");
        Assert.IsLessThanOrEqualTo(sent / 1000, late, $"{late} of {sent} late");
    }

    /// <summary>A copy that its path has no room for waits for that, before all else that waits for the path.</summary>
    [TestMethod]
    public void Copies_get_through_beside_bulk_that_fills_both_links()
    {
        int came = 0;
        int sent = 0;
        foreach (ulong seed in Seeds.Of(5))
        {
            using var world = new TwoLinks(seed, TwoLinks.Link(20, 20), TwoLinks.Link(20, 30));
            Pair pair = world.Pair;
            _ = world.Begin(pair.RandomBytes(20_000_000), PathSet.Any, urgency: 5);
            pair.RunFor(Second);
            for (int i = 0; i < 40; i++)
            {
                // Whichever link dies at once, the copy on the other arrives.
                pair.Server.Datagrams.Clear();
                Send(world, pair.RandomBytes(500), PathSet.Any, copies: 2);
                pair.RunFor(150 * Millisecond);
                sent += 2;
                came += pair.Server.Datagrams.Count;
            }
        }

        TestContext.WriteLine($"{came} of {sent} copies");
        Assert.IsGreaterThan(sent * 9 / 10, came, $"{came} of {sent} copies");
    }

    [TestMethod]
    public void Bulk_beside_what_goes_in_copies_is_sent_once()
    {
        using var world = new TwoLinks(1, TwoLinks.Link(20, 20), TwoLinks.Link(20, 20));
        long before = Sent(world, 0) + Sent(world, 1);
        ulong bulk = world.Begin(world.Pair.RandomBytes(2_000_000), PathSet.Any, urgency: 5);
        ulong copied = world.Begin(world.Pair.RandomBytes(100_000), PathSet.Any, copies: 2, urgency: 0);
        world.Pair.RunUntil(
            () => world.Pair.Server.EndedStreams.Contains(bulk) && world.Pair.Server.EndedStreams.Contains(copied), 20 * Second, "both");
        world.Pair.RunFor(Second);
        long sent = Sent(world, 0) + Sent(world, 1) - before;
        Assert.IsLessThan(2_450_000L, sent);
        Assert.IsGreaterThan(2_200_000L, sent);
    }

    /// <summary>It ends as the copy does that fares best.</summary>
    [TestMethod]
    public void A_datagram_in_two_copies_is_told_of_once()
    {
        int lost = 0;
        foreach (ulong seed in Seeds.Of(10))
        {
            using var world = new TwoLinks(seed, TwoLinks.Link(20, 20), TwoLinks.Link(20, 30));
            world.First.Conditions = Lossy(20, 20, 0.3);
            world.Second.Conditions = Lossy(20, 30, 0.3);
            var told = new Dictionary<ulong, List<DatagramState>>();
            world.Pair.Client.DatagramTold = (number, state) =>
            {
                if (!told.TryGetValue(number, out List<DatagramState>? states))
                {
                    told[number] = states = [];
                }

                states.Add(state);
            };
            for (int i = 0; i < 100; i++)
            {
                Send(world, world.Pair.RandomBytes(500), PathSet.Any, copies: 2);
                world.Pair.RunFor(20 * Millisecond);
            }

            world.Pair.RunFor(30 * Second);
            Assert.HasCount(100, told, world.Pair.Repeat);
            foreach ((ulong number, List<DatagramState> states) in told)
            {
                Assert.AreEqual(1, states.Count(state => state >= DatagramState.Acknowledged), $"datagram {number}: {string.Join(' ', states)}; {world.Pair.Repeat}");
                lost += states.Contains(DatagramState.Lost) ? 1 : 0;
            }
        }

        Assert.IsGreaterThan(0, lost, "no world lost both copies: it proves nothing");
    }

    private static LinkConditions Lossy(long megabits, long roundTrip, double loss = 0.02) => TwoLinks.Link(megabits, roundTrip) with { Loss = loss };

    private static long Sent(TwoLinks world, uint path) => world.Pair.Client.Core!.GetPaths().Single(one => one.PathId == path).BytesSent;

    private static void Send(TwoLinks world, byte[] data, PathSet paths, int copies) => Assert.AreEqual(
        DatagramEnqueueResult.Queued,
        world.Pair.Client.Core!.Datagrams.TryEnqueue(data, 0, long.MaxValue, out _, paths, copies),
        world.Pair.Repeat);
}
