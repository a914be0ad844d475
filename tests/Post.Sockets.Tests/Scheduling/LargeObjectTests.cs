namespace Post.Sockets.Tests.Scheduling;

/// <summary>Large objects with a lifetime, of which twice as much is offered as the link carries.</summary>
[TestClass]
public sealed class LargeObjectTests
{
    private const long BitsPerSecond = 10_000_000;
    private const double Milliseconds = 10_000;

    public TestContext TestContext { get; set; } = null!;

    /// <summary>
    /// The link is used for those that get through: one that cannot is not begun, and one that was begun is given up as soon as it is seen that it
    /// will not do. Headers and what repeats them are part of what is carried.
    /// </summary>
    [TestMethod]
    [DataRow(50_000, 400, false)]
    [DataRow(50_000, 400, true)]
    [DataRow(125_000, 200, false)]
    [DataRow(125_000, 400, false)]
    [DataRow(125_000, 400, true)]
    [DataRow(250_000, 400, true)]
    [DataRow(250_000, 1_000, false)]
    public void Little_is_carried_in_vain(int size, int lifetime, bool areLifetimesVaried)
    {
        long delivered = 0;
        long carried = 0;
        new PostWorld(1, PostWorld.Link(BitsPerSecond, 25)).Run(async world =>
        {
            world.Server.Register<Received>(received => delivered += received.Object.Payload.Length);
            await world.Client.Send(new byte[100_000]).Completion;
            delivered = 0;
            var random = new Random(1);
            var before = world.Client.Statistics.BytesSent!.Value;
            var sent = new List<SentObject>();
            var interval = size * 8_000.0 / BitsPerSecond / 2;
            for (var time = 0.0; time < Milliseconds; time += interval)
            {
                var life = areLifetimesVaried ? lifetime * (0.5 + random.NextDouble()) : lifetime;
                sent.Add(world.Client.Send(new byte[size], new() { Lifetime = TimeSpan.FromMilliseconds(life) }));
                await world.DelayAsync(interval);
            }

            foreach (var one in sent)
            {
                await one.Completion;
            }

            carried = world.Client.Statistics.BytesSent!.Value - before;
        });
        TestContext.WriteLine($"{delivered * 8_000.0 / Milliseconds / BitsPerSecond:P0} of the link was of use, {1 - (delivered / (double)carried):P0} in vain");
        Assert.IsGreaterThan(0.85, delivered * 8_000.0 / Milliseconds / BitsPerSecond);
        Assert.IsLessThan(0.16, 1 - (delivered / (double)carried));
    }
}
