namespace Post.Sockets.Tests.Objects;

/// <summary>Large objects to a receiver whose only handler is busy with one of them.</summary>
[TestClass]
public sealed class SlowReaderTests
{
    private const int Size = 3_000_000;

    [TestMethod]
    [DataRow(2)]
    [DataRow(8)]
    public void Large_objects_that_wait_for_the_reader_do_not_keep_the_one_from_arriving_that_it_reads(int objects) =>
        new PostWorld(link: PostWorld.Link(20_000_000, 10))
        {
            ClientOptions = Narrow,
            ServerOptions = Narrow with { Incremental = IncrementalDelivery.WhenLarge, MaxWholeObjectSize = 100_000, HandlerConcurrency = 1 },
        }.Run(async world =>
        {
            long read = 0;
            world.Server.Register<Received>(async received => read += await CountAsync(received.Object.AsStream()));

            SentObject[] sent = [.. Enumerable.Range(0, objects).Select(_ => world.Client.Send(new byte[Size]))];
            foreach (SentObject item in sent)
            {
                (await item.Completion.WaitAsync(TimeSpan.FromMinutes(2), world.Network.Clock)).EnsureAcked();
            }

            Assert.AreEqual((long)objects * Size, read);

            // Nobody waits for the others: it takes as long as the bytes do, and a little for each object that had to wait.
            double seconds = objects * Size * 8 / 20_000_000.0;
            Assert.IsLessThan((seconds * 1.3) + (objects * 0.5), world.Network.Clock.Elapsed.TotalSeconds);
        });

    [TestMethod]
    public void Objects_that_nobody_reads_do_not_hold_up_what_is_less_urgent() =>
        new PostWorld(link: PostWorld.Link(20_000_000, 10))
        {
            ClientOptions = Narrow,
            ServerOptions = Narrow with { Incremental = IncrementalDelivery.Always },
        }.Run(async world =>
        {
            // Nobody reads any of them.
            for (int i = 0; i < 8; i++)
            {
                world.Client.Send(new byte[Size], new() { Niceness = 1 });
            }

            await world.DelayAsync(3000);
            SentObject later = world.Client.Send(new byte[100], new() { Niceness = 2 });
            await world.DelayAsync(3000);
            Assert.AreEqual(SentObjectState.TransportAcknowledged, later.State);
            world.Client.Abort();
        });

    private static AssociationOptions Narrow => new()
    {
        StreamReceiveWindow = 128 * 1024,
        ConnectionReceiveWindow = 16 * 1024 * 1024,
    };

    private static async Task<long> CountAsync(Stream stream)
    {
        byte[] buffer = new byte[32 * 1024];
        long total = 0;
        for (int count; (count = await stream.ReadAsync(buffer)) > 0; total += count)
        {
        }

        return total;
    }
}
