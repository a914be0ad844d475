using Post.Sockets.Testing;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Scheduling;

[TestClass]
public sealed class UrgencyTests
{
    public TestContext TestContext { get; set; } = null!;

    [TestMethod]
    [DataRow(InMemoryNetwork.DefaultCapabilities)]
    [DataRow(InMemoryNetwork.DefaultCapabilities & ~TransportCapabilities.Priorities)]
    [DataRow(TransportCapabilities.None)]
    public void An_urgent_object_overtakes_a_gigabyte_within_one_round_trip(TransportCapabilities capabilities) =>
        new PostWorld(link: PostWorld.Link(100_000_000, 20), capabilities: capabilities)
        {
            ServerOptions = new() { Incremental = IncrementalDelivery.WhenLarge },
            ClientOptions = new() { MaxQueuedBytes = long.MaxValue / 2 },
        }.Run(async world =>
        {
            world.Server.Register<Received>(async r =>
            {
                if (r.Object.IsIncremental)
                {
                    // Read beside the handler, which takes the next object meanwhile.
                    _ = DrainAsync(r.Object.Keep());
                    await Task.CompletedTask;
                }
            });
            var bulk = world.Client.Send(new ZeroStream(1L << 30), new() { Niceness = 5 });
            await world.DelayAsync(3000);
            Assert.AreEqual(SentObjectState.Queued, bulk.State);
            var urgent = world.Client.Send(new byte[64 * 1024], new() { Niceness = 0 });
            var receipt = await urgent.Completion;
            TestContext.WriteLine($"64 KiB of class 0 beside 1 GiB of class 5, {capabilities}: acked after {receipt.Elapsed.TotalMilliseconds:F1} ms (path: 40 ms round trip, 5.2 ms to send)");
            receipt.EnsureAcked();

            // One round trip to get there and be acknowledged, its own time on the link, the receipt's delay, and one more round trip
            // where the transport does not know what is urgent.
            var bound = (capabilities & TransportCapabilities.Priorities) != 0 ? 40 + 6 + 10 + 15 : 40 + 6 + 10 + 60;
            Assert.IsLessThanOrEqualTo(bound, receipt.Elapsed.TotalMilliseconds);
            world.Client.Abort();
        });

    [TestMethod]
    public void Large_equals_share_and_a_small_one_need_not_wait_for_them() => new PostWorld(link: PostWorld.Link(10_000_000, 10)).Run(async world =>
    {
        world.Server.Register<Received>(_ => { });
        var large = Enumerable.Range(0, 4).Select(_ => world.Client.Send(new byte[2_000_000])).ToArray();
        await world.DelayAsync(1000);
        var shares = large.Select(item => item.BytesSent).ToArray();
        Assert.IsGreaterThan(0.6 * shares.Max(), shares.Min(), $"unfair: {string.Join(' ', shares)}");
        var small = await world.Client.Send(new byte[1000]).Completion;
        Assert.IsLessThan(300, small.Elapsed.TotalMilliseconds, "a small object of the same class waits for one turn of each, not for their ends");
    });

    [TestMethod]
    public void Inside_a_class_the_earliest_deadline_goes_first() => new PostWorld(link: PostWorld.Link(1_000_000, 10)).Run(async world =>
    {
        var order = new List<long>();
        world.Server.Register<Received>(r => order.Add(r.Object.Id));
        await world.Client.Send("warm"u8).Completion;
        order.Clear();
        var random = new Random(1);
        var sent = Enumerable.Range(0, 30).OrderBy(_ => random.Next())
            .Select(i => (Seconds: 10 + i, Item: world.Client.Send(new byte[10_000], new() { Lifetime = TimeSpan.FromSeconds(10 + i) }))).ToArray();
        foreach (var (_, item) in sent)
        {
            await item.Completion;
        }

        var seconds = sent.ToDictionary(s => s.Item.Id, s => s.Seconds);
        var inOrder = order.Select(id => seconds[id]).ToArray();
        var inversions = inOrder.Skip(1).Zip(inOrder).Count(pair => pair.First < pair.Second);
        Assert.IsLessThanOrEqualTo(3, inversions, string.Join(' ', inOrder));
    });

    [TestMethod]
    [DataRow(1)]
    [DataRow(2)]
    [DataRow(3)]
    public void Under_double_load_urgent_objects_keep_their_deadlines(int seed)
    {
        var post = HitRates(seed, fifo: false);
        var fifo = HitRates(seed, fifo: true);
        for (var i = 0; i < 4; i++)
        {
            TestContext.WriteLine($"seed {seed}, class {i}: {post[i]:P1} in time; FIFO {fifo[i]:P1}");
        }

        Assert.IsGreaterThan(0.99, post[0], $"seed {seed}");
        Assert.IsGreaterThan(0.99, post[1], $"seed {seed}");
        Assert.IsLessThan(0.7, fifo[0], "FIFO would do as well: the test shows nothing");
    }

    [TestMethod]
    public void Reprioritising_moves_what_is_queued() => new PostWorld(link: PostWorld.Link(1_000_000, 10)).Run(async world =>
    {
        var order = new List<long>();
        world.Server.Register<Received>(r => order.Add(r.Object.Id));
        await world.Client.Send("warm"u8).Completion;
        var sent = Enumerable.Range(0, 20).Select(_ => world.Client.Send(new byte[10_000])).ToArray();
        sent[19].Reprioritize(0);
        await sent[19].Completion;
        Assert.IsLessThan(8, order.IndexOf(sent[19].Id), string.Join(' ', order));
    });

    private static double[] HitRates(int seed, bool fifo)
    {
        // 1 Mbit/s; offered are 2 Mbit/s: two urgent classes with a quarter of the link each, and bulk for the rest, all with 150 ms to live.
        var hits = new int[4];
        var offered = new int[4];
        new PostWorld(seed, PostWorld.Link(1_000_000, 10)).Run(async world =>
        {
            world.Server.Register<Received>(_ => { });
            await world.Client.Send("warm"u8).Completion;
            var random = new Random(seed);
            double[] shares = [0.2, 0.2, 0.6, 1.0];
            var pending = new List<Task>();
            for (var tick = 0; tick < 1000; tick++)
            {
                for (var kind = 0; kind < 4; kind++)
                {
                    // In 10 ms the link carries 1250 bytes.
                    if (random.NextDouble() < shares[kind] * 1250 / 1000)
                    {
                        offered[kind]++;
                        var mine = kind;
                        var sent = world.Client.Send(
                            new byte[930], new() { Niceness = fifo ? 0 : kind, Lifetime = fifo ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(150) });
                        pending.Add(sent.Completion.ContinueWith(
                            task => hits[mine] += task.Result is { IsAcked: true } receipt && receipt.Elapsed.TotalMilliseconds < 180 ? 1 : 0,
                            TaskContinuationOptions.ExecuteSynchronously));
                    }
                }

                await world.DelayAsync(10);
            }

            await Task.WhenAll(pending);
        });
        return [.. hits.Select((hit, i) => hit / (double)offered[i])];
    }

    private static async Task DrainAsync(ReceivedObject item)
    {
        try
        {
            await item.AsStream().CopyToAsync(Stream.Null).ConfigureAwait(false);
        }
        catch (PostException)
        {
            // The test is over.
        }

        item.Dispose();
    }

    /// <summary>A gigabyte that takes no memory.</summary>
}
