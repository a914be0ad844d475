using System.Net;
using Post.Sockets.Testing;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Transport;

/// <summary>Paths come, go, move and fail, and nothing is lost by it.</summary>
[TestClass]
public sealed class InMemoryPathTests
{
    private static readonly InMemoryLinkOptions Link = new() { BitsPerSecond = 8_000_000, Delay = TimeSpan.FromMilliseconds(20) };

    [TestMethod]
    public void A_path_is_measured()
    {
        var world = new TransportWorld(link: Link);
        world.Run(async () =>
        {
            world.Post(new byte[100_000]);
            await world.AcceptAllAsync();
            await world.DelayAsync(100);
            PostPath path = world.Client.GetPaths().Single();
            Assert.AreEqual(PostPathState.Active, path.State);
            Assert.IsTrue(path.MinRtt!.Value.TotalMilliseconds is >= 40 and < 45, $"{path.MinRtt}");
            Assert.IsTrue(path.SmoothedRtt!.Value.TotalMilliseconds is >= 40 and < 50, $"{path.SmoothedRtt}");
            Assert.AreEqual(8_000_000, path.EstimatedRate);
            Assert.IsTrue(path.BytesSent is > 100_000 and < 110_000, $"{path.BytesSent}");
            Assert.AreEqual(path.BytesSent, world.Server.GetPaths().Single().BytesReceived);
            TransportStatistics statistics = world.Client.GetStatistics();
            Assert.AreEqual(path.SmoothedRtt, statistics.SmoothedRtt);
            Assert.AreEqual(0, statistics.BytesInFlight);
        });
    }

    [TestMethod]
    public void The_link_lets_through_what_it_says()
    {
        var world = new TransportWorld(link: Link);
        world.Run(async () =>
        {
            TimeSpan start = world.Network.Clock.Elapsed;
            world.Post(new byte[1_000_000]);
            await world.AcceptAllAsync();
            double seconds = (world.Network.Clock.Elapsed - start).TotalSeconds;

            // A second for the payload, 3% for headers, and the delay.
            Assert.IsTrue(seconds is > 1.02 and < 1.08, $"{seconds}");
        });
    }

    [TestMethod]
    public void A_reno_sender_fills_the_queue_loses_there_and_still_uses_the_link()
    {
        var world = new TransportWorld(link: Link with { Congestion = InMemoryCongestion.Reno, QueueLimit = 40_000 });
        world.Run(async () =>
        {
            TimeSpan start = world.Network.Clock.Elapsed;
            byte[] sent = TransportWorld.Bytes(3_000_000);
            world.Post(sent);
            TransportWorld.AreSame(sent, await world.AcceptAllAsync());
            double seconds = (world.Network.Clock.Elapsed - start).TotalSeconds;
            Assert.IsTrue(seconds is > 3 and < 4, $"{seconds}");
            TransportStatistics statistics = world.Client.GetStatistics();
            Assert.IsGreaterThan(0, statistics.PacketsLost!.Value);
            Assert.IsGreaterThan(TimeSpan.FromMilliseconds(42), statistics.SmoothedRtt!.Value);
        });
    }

    [TestMethod]
    public void A_rebound_client_is_seen_by_the_server_when_it_next_sends()
    {
        var world = new TransportWorld(link: Link);
        world.Run(async () =>
        {
            var address = new IPEndPoint(IPAddress.Parse("192.0.2.7"), 4711);
            world.Wire.RebindClient(address);
            Assert.IsEmpty(world.ServerEvents.Paths);
            world.Post([1]);
            await world.AcceptAllAsync();
            Assert.AreEqual(PostPathChange.PeerMoved, world.ServerEvents.Paths.Single().Change);
            Assert.AreEqual(address, world.Server.RemoteEndPoint);
            Assert.AreNotEqual(address, world.Client.LocalEndPoint, "behind a NAT nobody knows");
        });
    }

    [TestMethod]
    public void A_migration_moves_both_ends_in_mid_transfer()
    {
        var world = new TransportWorld(link: Link with { Loss = 0.05 });
        world.Run(async () =>
        {
            byte[] sent = TransportWorld.Bytes(500_000);
            world.Post(sent);
            Task<byte[]> receiving = world.AcceptAllAsync();
            await world.DelayAsync(100);
            var address = new IPEndPoint(IPAddress.Parse("192.0.2.9"), 1000);
            await world.Client.MigrateAsync(address, CancellationToken.None);
            Assert.AreEqual(address, world.Client.LocalEndPoint);
            TransportWorld.AreSame(sent, await receiving);
            Assert.AreEqual(address, world.Server.RemoteEndPoint);
            await world.DelayAsync(1000);
            PostPathChange[] client = [PostPathChange.Added, PostPathChange.Validated, PostPathChange.Migrated, PostPathChange.Removed];
            PostPathChange[] server = [PostPathChange.Added, PostPathChange.PeerMoved, PostPathChange.Removed];
            CollectionAssert.AreEqual(client, world.ClientEvents.Paths.Select(one => one.Change).ToArray());
            CollectionAssert.AreEqual(server, world.ServerEvents.Paths.Select(one => one.Change).ToArray());
            Assert.HasCount(1, world.Client.GetPaths());
        });
    }

    [TestMethod]
    public void Without_the_capability_there_is_no_migration()
    {
        var world = new TransportWorld(capabilities: TransportCapabilities.None);
        world.Run(async () =>
        {
            TransportException refused = await Assert.ThrowsExactlyAsync<TransportException>(
                () => world.Client.MigrateAsync(null, CancellationToken.None).AsTask());
            Assert.AreEqual(TransportErrorReason.NotSupported, refused.Reason);
            Assert.IsNull(world.Client.GetStatistics().SmoothedRtt);
            Assert.IsNull(world.Client.GetPaths().Single().SmoothedRtt);
        });
    }

    [TestMethod]
    public void When_a_path_falls_silent_the_one_in_reserve_takes_over()
    {
        for (int seed = 0; seed < 20; seed++)
        {
            var world = new TransportWorld(seed, Link with { Loss = 0.02, Jitter = TimeSpan.FromMilliseconds(5) });
            world.Run(async () =>
            {
                InMemoryPath second = world.Wire.AddPath();
                await world.DelayAsync(100);
                Assert.AreEqual(PostPathState.Standby, world.Client.GetPaths()[1].State);
                byte[] sent = TransportWorld.Bytes(1_000_000);
                world.Post(sent);
                Task<byte[]> receiving = world.AcceptAllAsync();
                await world.DelayAsync(200);
                world.Wire.Paths[0].IsUp = false;
                TransportWorld.AreSame(sent, await receiving, $"seed {world.Network.Seed}");
                Assert.IsTrue(world.ClientEvents.Paths.Exists(one => one.Change == PostPathChange.Failed && one.Path.Id == 0));
                Assert.AreEqual(second.ClientEndPoint, world.Client.LocalEndPoint);
                Assert.AreEqual(second.ClientEndPoint, world.Server.RemoteEndPoint);
                Assert.IsLessThan(10, world.Network.Clock.Elapsed.TotalSeconds);
                world.Wire.RemovePath(world.Wire.Paths[0]);
                await world.DelayAsync(1);
                Assert.AreEqual(PostPathChange.Removed, world.ClientEvents.Paths[^1].Change);
            });
        }
    }

    [TestMethod]
    public void A_path_that_comes_back_goes_on_where_it_stopped()
    {
        for (int seed = 0; seed < 20; seed++)
        {
            var world = new TransportWorld(seed, Link with { Loss = 0.02 });
            world.Run(async () =>
            {
                byte[] sent = TransportWorld.Bytes(1_000_000);
                TransportStream stream = world.Post(sent);
                Task<byte[]> receiving = world.AcceptAllAsync();
                for (int i = 0; i < 3; i++)
                {
                    await world.DelayAsync(150);
                    world.Wire.Paths[0].IsUp = false;
                    await world.DelayAsync(5000);
                    world.Wire.Paths[0].IsUp = true;
                }

                TransportWorld.AreSame(sent, await receiving, $"seed {world.Network.Seed}");
                await world.DelayAsync(1000);
                Assert.AreSame(stream, world.ClientEvents.Acknowledged.Single());
            });
        }
    }

    [TestMethod]
    public void Several_paths_at_the_same_time_add_up()
    {
        var world = new TransportWorld(link: Link, capabilities: InMemoryNetwork.AllCapabilities) { Limits = new() { Multipath = MultipathPolicy.Aggregate } };
        world.Run(async () =>
        {
            world.Wire.AddPath(toServer: Link with { BitsPerSecond = 4_000_000, Delay = TimeSpan.FromMilliseconds(50) });
            await world.DelayAsync(200);
            TimeSpan start = world.Network.Clock.Elapsed;
            byte[] sent = TransportWorld.Bytes(1_500_000);
            world.Post(sent);
            TransportWorld.AreSame(sent, await world.AcceptAllAsync());
            double seconds = (world.Network.Clock.Elapsed - start).TotalSeconds;
            Assert.IsTrue(seconds is > 1 and < 1.15, $"12 Mbit over 8 + 4 Mbit/s took {seconds} s");
            Assert.AreEqual(12_000_000, world.Client.GetStatistics().EstimatedRate);
        });
    }
}
