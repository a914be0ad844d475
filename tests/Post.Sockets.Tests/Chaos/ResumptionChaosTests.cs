using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Chaos;

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
        var worlds = new ChaosWorlds(TestContext);
        var resumptions = 0;
        worlds.Run(usual: 150, Kept, seed => resumptions += Run(seed, worlds));
        TestContext.WriteLine($"resumptions: {resumptions}");
        worlds.AssertAllEnds(ObjectOutcomeReason.ConnectionLost);
        Assert.IsTrue(!worlds.AreEnough || resumptions > worlds.Count * 2);
    }

    private static int Run(int seed, ChaosWorlds worlds)
    {
        var random = new Random(seed);
        var capabilities = ChaosWorlds.Capabilities(random);
        var link = ChaosWorlds.Link(random, slowest: 400_000, farthest: 100, worst: 0.15);
        AssociationOptions Options() => ChaosWorlds.Options(random) with
        {
            IdleTimeout = TimeSpan.FromSeconds(5),
            KeepAliveInterval = TimeSpan.FromSeconds(2),
        };
        var resumptions = 0;
        new PostWorld(seed, link, capabilities) { ServerOptions = Options(), ClientOptions = Options() }.Run(
            async world =>
            {
                world.Client.Register<ConnectionChanged>(c => resumptions += c.IsConnected ? 1 : 0);
                await PlayAsync(world, random, worlds);
            },
            TimeSpan.FromHours(3));
        return resumptions;
    }

    private static async Task PlayAsync(PostWorld world, Random random, ChaosWorlds worlds)
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
        Assert.AreNotEqual(PostErrorReason.ProtocolViolation, world.Client.Error?.Reason, world.Client.Error?.Message);
        Assert.AreNotEqual(PostErrorReason.ProtocolViolation, world.Server.Error?.Reason, world.Server.Error?.Message);
        await there.CompletionAsync();
        await back.CompletionAsync();
        await world.DelayAsync(5000);
        there.Check("client to server", worlds);
        back.Check("server to client", worlds);
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
