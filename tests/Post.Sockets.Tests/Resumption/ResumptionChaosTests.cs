using Post.Sockets.Transport;
using Post.Sockets.Transport.InMemory;

namespace Post.Sockets.Tests.Resumption;

/// <summary>Random worlds in which connections are lost at any moment, and the promises that hold in all of them.</summary>
[TestClass]
public sealed class ResumptionChaosTests
{
    private const int Objects = 60;

    // What once failed. 1433: an object was scheduled again while the lost connection still held its bytes.
    private static readonly int[] Kept = [1433];

    public TestContext TestContext { get; set; } = null!;

    [TestMethod]
    public void Every_object_ends_once_and_is_delivered_at_most_once_over_any_number_of_lost_connections()
    {
        var worlds = int.TryParse(Environment.GetEnvironmentVariable("POST_QUIC_WORLDS"), out var wished) ? wished : 150;
        int[] seeds = int.TryParse(Environment.GetEnvironmentVariable("POST_QUIC_SEED"), out var only) ? [only] : [.. Enumerable.Range(0, worlds), .. Kept];
        var ends = new Dictionary<(ObjectEnd, ObjectEndReason), int>();
        var resumptions = 0;
        foreach (var seed in seeds)
        {
            try
            {
                resumptions += Run(seed, ends);
            }
            catch (Exception exception)
            {
                throw new AssertFailedException($"POST_QUIC_SEED={seed}: {exception.Message}", exception);
            }
        }

        foreach (var (end, count) in ends.OrderBy(pair => pair.Key.ToString()))
        {
            TestContext.WriteLine($"{end}: {count}");
        }

        TestContext.WriteLine($"resumptions: {resumptions}");
        if (seeds.Length >= 100)
        {
            // A world in which nothing ever goes wrong would show nothing.
            Assert.IsGreaterThan(seeds.Length * 2, resumptions);
            Assert.AreEqual(Enum.GetValues<ObjectEnd>().Length, ends.Keys.Select(key => key.Item1).Distinct().Count());
            Assert.IsTrue(ends.Keys.Any(key => key.Item2 == ObjectEndReason.ConnectionLost));
        }
    }

    private static int Run(int seed, Dictionary<(ObjectEnd End, ObjectEndReason Reason), int> ends)
    {
        var random = new Random(seed);
        var capabilities = InMemoryNetwork.DefaultCapabilities;
        foreach (var optional in new[]
        {
            TransportCapabilities.Datagrams, TransportCapabilities.Priorities, TransportCapabilities.WritesCompleteWhenSent,
            TransportCapabilities.Statistics, TransportCapabilities.ReliableReset,
        })
        {
            capabilities &= random.Next(4) == 0 ? ~optional : ~TransportCapabilities.None;
        }

        var link = new InMemoryLinkSettings
        {
            BitsPerSecond = random.Next(400_000, 20_000_000),
            Delay = TimeSpan.FromMilliseconds(random.Next(1, 100)),
            Jitter = TimeSpan.FromMilliseconds(random.Next(20)),
            Loss = random.Next(3) == 0 ? 0 : random.NextDouble() * 0.15,
            Reorder = random.NextDouble() * 0.2,
        };
        AssociationOptions Options() => new()
        {
            Incremental = (IncrementalDelivery)random.Next(3),
            MaxWholeObjectSize = 60_000,
            ReceiveBudget = 400_000,
            ReceiptLevel = (ReceiptLevel)random.Next(2),
            HandlerConcurrency = random.Next(1, 4),
            MaxWaitingObjects = random.Next(5, 100),
            DrainTimeout = TimeSpan.FromMinutes(5),
            IdleTimeout = TimeSpan.FromSeconds(5),
            KeepAliveInterval = TimeSpan.FromSeconds(2),
        };
        var resumptions = 0;
        new PostWorld(seed, link, capabilities) { ServerOptions = Options(), ClientOptions = Options() }.Run(
            async world =>
            {
                world.Client.Register<ConnectionChanged>(c => resumptions += c.IsConnected ? 1 : 0);
                await PlayAsync(world, random, ends);
            },
            TimeSpan.FromHours(3));
        return resumptions;
    }

    private static async Task PlayAsync(PostWorld world, Random random, Dictionary<(ObjectEnd End, ObjectEndReason Reason), int> ends)
    {
        var there = new ChaosDirection(world.Client, world.Server, world, random);
        var back = new ChaosDirection(world.Server, world.Client, world, random);
        var isPlaying = true;
        var breaking = BreakAsync();
        await Task.WhenAll(there.SendAsync(Objects), back.SendAsync(Objects));
        await world.DelayAsync(random.Next(3000));
        switch (random.Next(6))
        {
            case 0:
                world.Client.Abort();
                break;
            case 1:
                world.Server.Abort();
                break;
            case 2:
                await world.Server.CloseAsync();
                break;
            case 3:
                await Task.WhenAll(world.Server.CloseAsync(), world.Client.CloseAsync());
                break;
            default:
                await world.Client.CloseAsync();
                break;
        }

        isPlaying = false;
        await breaking;
        await world.Client.Completion;
        await world.Server.Completion;
        foreach (var item in there.Sent.Concat(back.Sent))
        {
            await item.Completion;
        }

        await world.DelayAsync(5000);
        there.Check("client to server", ends);
        back.Check("server to client", ends);
        Assert.IsEmpty(world.Network.Wires, "no connection is forgotten");

        async Task BreakAsync()
        {
            var patience = random.Next(50, 3000);
            while (isPlaying)
            {
                await world.DelayAsync(random.Next(patience));
                if (world.Network.Wires.Count == 0)
                {
                    continue;
                }

                var wire = world.Network.Wires[random.Next(world.Network.Wires.Count)];
                var reason = random.Next(2) == 0 ? TransportErrorReason.TimedOut : TransportErrorReason.ConnectionReset;
                switch (random.Next(5))
                {
                    case 0:
                        wire.BreakClient(reason);
                        break;
                    case 1:
                        wire.BreakServer(reason);
                        break;
                    case 2:
                        world.Network.IsUp = false;
                        await world.DelayAsync(random.Next(8000));
                        world.Network.IsUp = true;
                        break;
                    default:
                        wire.Break(reason);
                        break;
                }
            }
        }
    }
}
