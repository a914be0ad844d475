namespace Post.Sockets.Tests.Objects;

[TestClass]
[DoNotParallelize]
public sealed class ThroughputTests
{
    public TestContext TestContext { get; set; } = null!;

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void Small_objects_cost_little(bool datagrams)
    {
        const int Count = 200_000;
        new PostWorld(link: PostWorld.Link(delay: 0.1)) { IsGuarded = false }.Run(async world =>
        {
            var got = 0;
            world.Server.Register<Received>(_ => got++);
            var payload = new byte[100];
            var properties = new ObjectProperties { Lifetime = datagrams ? TimeSpan.FromMinutes(1) : Timeout.InfiniteTimeSpan };
            await SendAsync(world, payload, properties, 20_000);
            GC.Collect();
            var allocated = GC.GetAllocatedBytesForCurrentThread();
            var cpu = Environment.CpuUsage.TotalTime;
            await SendAsync(world, payload, properties, Count);
            cpu = Environment.CpuUsage.TotalTime - cpu;
            allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
            Assert.AreEqual(20_000 + Count, got);
            var rate = Count / cpu.TotalSeconds;
            TestContext.WriteLine($"{(datagrams ? "datagrams" : "streams")}: {rate:F0} objects of 100 bytes a second of one core's time, sent, received and acked; {allocated / Count} bytes allocated an object, both ends and the network");

            // In processor time, since the machine may be busy; generous, since the build may not be optimised. The figure is what matters.
            Assert.IsGreaterThan(15_000, rate);
            Assert.IsLessThan(4_000, allocated / Count);
        });
    }

    private static async Task SendAsync(PostWorld world, byte[] payload, ObjectProperties properties, int count)
    {
        SentObject last = null!;
        for (var i = 0; i < count; i++)
        {
            last = await world.Client.SendAsync(payload, properties);
            if (i % 1000 == 999)
            {
                // One thread does everything here: it must get round to the network.
                await last.Completion;
            }
        }

        await last.Completion;
        while (world.Client.PendingObjects > 0)
        {
            await world.DelayAsync(1);
        }
    }
}
