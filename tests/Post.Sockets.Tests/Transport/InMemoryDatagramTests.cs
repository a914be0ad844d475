using Post.Sockets.Testing;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Transport;

/// <summary>Every datagram has exactly one fate, and it is the true one.</summary>
[TestClass]
public sealed class InMemoryDatagramTests
{
    private static readonly TransportPriority Ordinary = new(0, TransportPriority.NoDeadline, false, 0);

    [TestMethod]
    public void What_is_acknowledged_came_and_what_is_lost_did_not()
    {
        for (int seed = 0; seed < 30; seed++)
        {
            var world = new TransportWorld(seed, new InMemoryLinkOptions { Delay = TimeSpan.FromMilliseconds(10), Loss = 0.3, Reorder = 0.2, BitsPerSecond = 5_000_000 });
            world.Run(async () =>
            {
                for (int i = 0; i < 200; i++)
                {
                    Assert.AreEqual(TransportDatagramResult.Queued, world.Client.TrySendDatagram(new byte[] { (byte)i }, Ordinary, i));
                    await world.DelayAsync(1);
                }

                await world.DelayAsync(3000);
                byte[] came = [.. world.ServerEvents.Datagrams.Select(bytes => bytes[0]).Order()];
                byte[] acknowledged = [.. Tokens(world, TransportDatagramState.Acknowledged).Select(token => (byte)token).Order()];
                CollectionAssert.AreEqual(came, acknowledged, $"seed {world.Network.Seed}");
                int lost = Tokens(world, TransportDatagramState.Lost).Count();
                Assert.AreEqual(200, came.Length + lost);
                Assert.IsTrue(lost is > 20 and < 120, $"{lost} of 200 lost at 30%");
                Assert.AreEqual(200, Tokens(world, TransportDatagramState.Sent).Distinct().Count());
            });
        }
    }

    [TestMethod]
    public void One_that_is_too_large_is_not_taken()
    {
        var world = new TransportWorld();
        world.Run(async () =>
        {
            int max = world.Client.MaxDatagramSize;
            Assert.AreEqual(TransportDatagramResult.TooLarge, world.Client.TrySendDatagram(new byte[max + 1], Ordinary, 1));
            Assert.AreEqual(TransportDatagramResult.Queued, world.Client.TrySendDatagram(new byte[max], Ordinary, 2));
            await world.DelayAsync(1);
            Assert.HasCount(max, world.ServerEvents.Datagrams.Single());
        });
    }

    [TestMethod]
    public void One_whose_deadline_passes_before_it_is_sent_is_canceled()
    {
        var world = new TransportWorld(link: new InMemoryLinkOptions { BitsPerSecond = 100_000 });
        world.Run(async () =>
        {
            world.Post(new byte[5000]);
            long deadline = world.Network.Clock.GetTimestamp() + TimeSpan.FromMilliseconds(50).Ticks;
            world.Client.TrySendDatagram(new byte[100], new TransportPriority(1, deadline, false, 0), 7);
            await world.DelayAsync(3000);
            Assert.AreEqual((7L, TransportDatagramState.Canceled), world.ClientEvents.DatagramStates.Single());
            Assert.IsEmpty(world.ServerEvents.Datagrams);
        });
    }

    [TestMethod]
    public void A_full_queue_says_so_and_a_close_gives_all_their_fate()
    {
        var world = new TransportWorld(link: new InMemoryLinkOptions { BitsPerSecond = 100_000, Delay = TimeSpan.FromMilliseconds(100) });
        world.Run(async () =>
        {
            int taken = 0;
            while (world.Client.TrySendDatagram(new byte[1000], Ordinary, taken) == TransportDatagramResult.Queued)
            {
                taken++;
            }

            Assert.IsTrue(taken is > 100 and < 10_000, $"{taken}");
            await world.Client.CloseAsync(0, "", CancellationToken.None);
            Assert.AreEqual(TransportDatagramResult.Unavailable, world.Client.TrySendDatagram(new byte[10], Ordinary, -1));
            await world.DelayAsync(1000);
            long[] fates = [.. world.ClientEvents.DatagramStates.Where(one => one.State != TransportDatagramState.Sent).Select(one => one.Token).Order()];
            CollectionAssert.AreEqual(Enumerable.Range(0, taken).Select(i => (long)i).ToArray(), fates);
        });
    }

    [TestMethod]
    public void Without_the_capability_there_are_none()
    {
        var world = new TransportWorld(capabilities: InMemoryNetwork.DefaultCapabilities & ~TransportCapabilities.Datagrams);
        world.Run(() =>
        {
            Assert.AreEqual(0, world.Client.MaxDatagramSize);
            Assert.AreEqual(TransportDatagramResult.Unavailable, world.Client.TrySendDatagram(new byte[1], Ordinary, 1));
            return Task.CompletedTask;
        });
    }

    private static IEnumerable<long> Tokens(TransportWorld world, TransportDatagramState state) =>
        world.ClientEvents.DatagramStates.Where(one => one.State == state).Select(one => one.Token);
}
