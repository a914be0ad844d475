namespace Post.Sockets.Tests.Chaos;

/// <summary>Random worlds in virtual time, and the promises that hold in all of them.</summary>
[TestClass]
public sealed class ChaosTests
{
    private const int Objects = 120;

    public TestContext TestContext { get; set; } = null!;

    [TestMethod]
    public void Every_object_ends_exactly_once_whatever_happens()
    {
        var worlds = new ChaosWorlds(TestContext);
        worlds.Run(usual: 100, kept: [], seed => Run(seed, worlds));
        worlds.AssertAllEnds();
    }

    private static void Run(int seed, ChaosWorlds worlds)
    {
        var random = new Random(seed);
        new PostWorld(seed, ChaosWorlds.Link(random, slowest: 200_000, farthest: 150, worst: 0.2), ChaosWorlds.Capabilities(random))
        {
            ServerOptions = ChaosWorlds.Options(random),
            ClientOptions = new() { DrainTimeout = TimeSpan.FromMinutes(5), ResumptionTimeout = TimeSpan.Zero },
        }.Run(world => PlayAsync(world, random, worlds), TimeSpan.FromHours(3));
    }

    private static async Task PlayAsync(PostWorld world, Random random, ChaosWorlds worlds)
    {
        var there = new ChaosDirection(world.Client, world.Server, world, random);
        await there.SendAsync(Objects);
        switch (random.Next(6))
        {
            case 0:
                await world.DelayAsync(random.Next(1000));
                world.Client.Abort();
                break;
            case 1:
                await world.DelayAsync(random.Next(1000));
                world.Server.Abort();
                break;
            case 2:
                await world.DelayAsync(random.Next(1000));
                world.Wire.Break();
                break;
            case 3:
                await world.Server.CloseAsync();
                break;
            default:
                await world.Client.CloseAsync();
                break;
        }

        await world.Client.Completion;
        await there.CompletionAsync();
        await world.DelayAsync(2000);
        Assert.HasCount(Objects, there.Sent);
        there.Check("client to server", worlds);
    }
}
