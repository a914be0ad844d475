using System.Diagnostics;
using System.Text;
using Post.Sockets.Testing;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Transport;

/// <summary>The same seed gives the same run, and runs are cheap.</summary>
[TestClass]
public sealed class DeterminismTests
{
    [TestMethod]
    public void The_same_seed_gives_the_same_run_and_another_seed_another()
    {
        string[] runs = [.. Enumerable.Range(0, 20).Select(seed => Run(seed))];
        for (int seed = 0; seed < runs.Length; seed++)
        {
            Assert.AreEqual(runs[seed], Run(seed), $"seed {seed}");
        }

        Assert.HasCount(runs.Length, runs.Distinct());
    }

    [TestMethod]
    public void A_thousand_small_worlds_take_seconds()
    {
        Run(0);
        var watch = Stopwatch.StartNew();
        for (int seed = 0; seed < 1000; seed++)
        {
            Run(seed);
        }

        Assert.IsLessThan(20, watch.Elapsed.TotalSeconds, "a second or two alone on a machine");
    }

    /// <summary>A little of everything; returns all that the two ends were told, and when.</summary>
    private static string Run(int seed)
    {
        var world = new TransportWorld(seed, new InMemoryLinkOptions
        {
            BitsPerSecond = 4_000_000,
            Delay = TimeSpan.FromMilliseconds(15),
            Jitter = TimeSpan.FromMilliseconds(4),
            Loss = 0.05,
            Reorder = 0.05,
        });
        var text = new StringBuilder();
        world.Run(async () =>
        {
            Task receiving = ReceiveAsync();
            var random = new Random(seed);
            for (int i = 0; i < 10; i++)
            {
                world.Post(new byte[random.Next(10_000)], niceness: random.Next(3));
                world.Client.TrySendDatagram(new byte[] { (byte)i }, new TransportPriority(1, TransportPriority.NoDeadline, false, 0), i);
                await world.DelayAsync(random.Next(10));
            }

            await receiving;
            await world.DelayAsync(500);

            async Task ReceiveAsync()
            {
                for (int i = 0; i < 10; i++)
                {
                    TransportStream stream = await world.Server.AcceptStreamAsync(CancellationToken.None);
                    byte[] bytes = await TransportWorld.ReadAllAsync(stream);
                    text.Append(world.Network.Clock.Elapsed).Append(' ').Append(stream.Id).Append(' ').Append(bytes.Length).Append('\n');
                }
            }
        });
        return text.Append(world.ClientEvents.Text).Append(world.ServerEvents.Text).ToString();
    }
}
