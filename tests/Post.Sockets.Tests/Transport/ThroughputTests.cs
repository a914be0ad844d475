using System.Diagnostics;
using Post.Sockets.Testing;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Transport;

/// <summary>The in-memory transport costs little, so that what is measured through it is Post.</summary>
[TestClass]
public sealed class ThroughputTests
{
    private const int Count = 50_000;

    public TestContext TestContext { get; set; } = null!;

    [TestMethod]
    public void Small_streams_by_the_hundred_thousand_cost_little_time_and_memory()
    {
        Measure(TimeSpan.Zero);
        (double rate, double allocated) = Measure(TimeSpan.Zero);
        TestContext.WriteLine($"{rate:N0} streams of 100 bytes a second, {allocated:N0} bytes allocated for each");

        // The time depends on the machine and its neighbours and stands in the output; the memory does not.
        Assert.IsLessThan(1100, allocated);
    }

    private static (double Rate, double Allocated) Measure(TimeSpan delay)
    {
        var world = new TransportWorld(link: new InMemoryLinkOptions { Delay = delay });
        double seconds = 0;
        long allocated = 0;
        world.Run(async () =>
        {
            byte[] payload = new byte[100];
            Task receiving = ReceiveAsync(world.Server);
            long before = GC.GetAllocatedBytesForCurrentThread();
            var watch = Stopwatch.StartNew();
            for (int i = 0; i < Count; i++)
            {
                TransportStream stream = world.Client.TryOpenStream(TransportStreamKind.Unidirectional, new TransportPriority(0, TransportPriority.NoDeadline, false, i))
                    ?? await world.Client.OpenStreamAsync(TransportStreamKind.Unidirectional, new TransportPriority(0, TransportPriority.NoDeadline, false, i), CancellationToken.None);
                await stream.WriteAsync(payload, endOfStream: true, CancellationToken.None);
                await stream.DisposeAsync();
            }

            await receiving;
            seconds = watch.Elapsed.TotalSeconds;
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        });
        return (Count / seconds, (double)allocated / Count);
    }

    private static async Task ReceiveAsync(TransportConnection server)
    {
        byte[] buffer = new byte[1000];
        for (int i = 0; i < Count; i++)
        {
            TransportStream stream = await server.AcceptStreamAsync(CancellationToken.None);
            TransportReadResult result = await stream.ReadAsync(buffer, CancellationToken.None);
            Assert.IsTrue(result is { Count: 100, IsCompleted: true });
            await stream.DisposeAsync();
        }
    }
}
