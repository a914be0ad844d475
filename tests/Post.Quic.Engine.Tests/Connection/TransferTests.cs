using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Tests.Simulation;

namespace Post.Quic.Engine.Tests.Connections;

[TestClass]
public sealed class TransferTests
{
    [TestMethod]
    public void Bulk_arrives_intact_through_a_bottleneck_and_fills_it()
    {
        using Pair pair = new Pair().Handshake();
        pair.Network.Conditions = new LinkConditions { Delay = 10_000, Bandwidth = 2_500_000, QueueBytes = 64 * 1024 };
        long start = pair.Now;
        byte[] data = pair.RandomBytes(4 << 20);
        pair.Transfer(pair.Client, pair.Server, data, 60_000_000);
        double utilisation = data.Length / 2.5 / (pair.Now - start);
        Assert.IsGreaterThan(0.75, utilisation);
    }

    [TestMethod]
    [DataRow(0.02)]
    [DataRow(0.10)]
    public void Bulk_arrives_intact_through_loss_reordering_and_duplication(double loss)
    {
        foreach (ulong seed in Seeds.Of(20))
        {
            using Pair pair = new Pair(new PairOptions { Seed = seed }).Handshake();
            pair.Network.Conditions = new LinkConditions
            {
                Loss = loss,
                Reordering = 0.05,
                Duplication = 0.05,
                Corruption = 0.01,
                Jitter = 3_000,
            };
            pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(200_000), 200_000_000);
        }
    }

    [TestMethod]
    public void Both_ends_send_at_once_through_loss()
    {
        foreach (ulong seed in Seeds.Of(10))
        {
            using Pair pair = new Pair(new PairOptions { Seed = seed }).Handshake();
            pair.Network.Conditions = new LinkConditions { Loss = 0.03 };
            pair.Server.Echo = true;
            byte[] data = pair.RandomBytes(300_000);
            ulong id = pair.Transfer(pair.Client, pair.Server, data, 200_000_000).Id;
            pair.RunUntil(() => pair.Client.EndedStreams.Contains(id), 200_000_000, "echo");
            CollectionAssert.AreEqual(data, pair.Client.Received(id), pair.Repeat);
        }
    }

    [TestMethod]
    public void Satellite_round_trip_is_served()
    {
        using var pair = new Pair();
        pair.Network.Conditions = new LinkConditions { Delay = 375_000, Bandwidth = 1_000_000, QueueBytes = 500_000 };
        pair.Handshake();
        pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(2 << 20), 120_000_000);
    }

    [TestMethod]
    public void Path_that_shrinks_in_mid_transfer_is_found_out()
    {
        foreach (ulong seed in Seeds.Of(5))
        {
            using Pair pair = new Pair(new PairOptions { Seed = seed }).Handshake();
            pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(200_000), 20_000_000);
            PathStatistics[] paths = pair.Client.Core!.GetPaths();
            Assert.AreEqual(1452, paths[0].Mtu, pair.Repeat);
            pair.Network.Conditions = new LinkConditions { Mtu = 1250 };
            pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(200_000), 60_000_000);
        }
    }

    [TestMethod]
    public void Ecn_is_found_capable_and_its_bleaching_does_no_harm()
    {
        using Pair pair = new Pair().Handshake();
        pair.Network.Conditions = new LinkConditions { Bandwidth = 2_500_000, MarkAbove = 20_000 };
        pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(1 << 20), 20_000_000);
        PathStatistics[] paths = pair.Client.Core!.GetPaths();
        Assert.IsTrue(paths[0].EcnCapable);
        Assert.IsGreaterThan(0, paths[0].CongestionEvents);
        pair.Network.Conditions = new LinkConditions { BleachEcn = true };
        pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(1 << 20), 20_000_000);
        paths = pair.Client.Core.GetPaths();
        Assert.IsFalse(paths[0].EcnCapable);
    }

    [TestMethod]
    public void Thousand_small_streams_arrive()
    {
        ConnectionSettings wide = ConnectionSettings.Default with { MaxUnidirectionalStreams = 2000 };
        using Pair pair = new Pair(new PairOptions { Server = wide }).Handshake();
        pair.Network.Conditions = new LinkConditions { Loss = 0.02 };
        for (int i = 0; i < 1000; i++)
        {
            Assert.IsTrue(pair.Client.Core!.Streams.TryOpen(false, out StreamState? stream));
            Assert.AreEqual(100, stream!.Write(pair.RandomBytes(100)));
            stream.Finish();
        }

        pair.RunUntil(() => pair.Server.EndedStreams.Count == 1000, 60_000_000, "streams");
    }

    [TestMethod]
    public void Reader_that_stands_still_stops_the_writer()
    {
        ConnectionSettings narrow = ConnectionSettings.Default with { InitialMaxData = 64 * 1024, InitialMaxStreamData = 64 * 1024 };
        using Pair pair = new Pair(new PairOptions { Server = narrow }).Handshake();
        pair.Server.IsLazy = true;
        Assert.IsTrue(pair.Client.Core!.Streams.TryOpen(true, out StreamState? stream));
        byte[] data = pair.RandomBytes(500_000);
        stream.WriteAll(data);
        stream.Finish();
        pair.RunFor(5_000_000);
        Assert.AreEqual(0UL, pair.Client.Core.Streams.SendCreditLeft);
        Assert.IsLessThan(100_000L, pair.Server.Core!.State.Pool.RentedBytes);
        pair.Server.IsLazy = false;
        pair.RunUntil(() => pair.Server.EndedStreams.Contains(stream.Id), 20_000_000, "rest");
        CollectionAssert.AreEqual(data, pair.Server.Received(stream.Id));
    }

    [TestMethod]
    public void Datagrams_arrive_and_are_reported()
    {
        using Pair pair = new Pair().Handshake();
        byte[] data = pair.RandomBytes(500);
        _ = pair.Client.Core!.Datagrams.TryEnqueue(data, 0, long.MaxValue, out ulong number);
        pair.RunUntil(() => pair.Server.Datagrams.Count == 1, 1_000_000, "datagram");
        CollectionAssert.AreEqual(data, pair.Server.Datagrams[0]);
        pair.RunUntil(
            () => pair.Client.DatagramStates[number] == Engine.Datagrams.DatagramState.Acknowledged, 1_000_000, "report");
    }
}
