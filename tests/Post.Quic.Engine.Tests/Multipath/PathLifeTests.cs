using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Tests.Simulation;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Tests.Multipath;

/// <summary>How paths come and go (draft-ietf-quic-multipath-21 section 3), between two ends of ours.</summary>
[TestClass]
public sealed class PathLifeTests
{
    private static readonly NetworkAddress Second = NetworkAddress.FromIPv4(0x0a000102, 50001);
    private static readonly NetworkAddress Third = NetworkAddress.FromIPv4(0x0a000203, 50002);

    [TestMethod]
    public void A_client_opens_a_path_and_both_ends_use_it()
    {
        using Pair pair = Connected();
        uint id = Open(pair, Second);
        Assert.AreEqual(1u, id);
        pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(2_000_000), 20_000_000);
        pair.Transfer(pair.Server, pair.Client, pair.RandomBytes(2_000_000), 20_000_000);
        foreach (SimulatedSide side in new[] { pair.Client, pair.Server })
        {
            PathStatistics[] paths = side.Core!.GetPaths();
            Assert.HasCount(2, paths);
            Assert.IsTrue(Array.TrueForAll(paths, path => path.IsValidated && path.BytesSent > 100_000), side.Name);
        }
    }

    [TestMethod]
    public void Without_the_peers_word_there_is_one_path()
    {
        using Pair pair = new Pair(new PairOptions { Client = new ConnectionSettings { MaxPaths = 4 } }).Handshake();
        pair.RunFor(500_000);
        Assert.IsFalse(pair.Client.Core!.IsMultipath);
        Assert.AreEqual(PathOpening.NotPossible, pair.Client.Core.TryOpenPath(Second, default, pair.Now, out _));
    }

    [TestMethod]
    public void Only_clients_open_paths()
    {
        using Pair pair = Connected();
        Assert.AreEqual(PathOpening.NotPossible, pair.Server.Core!.TryOpenPath(Second, default, pair.Now, out _));
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void A_path_that_one_side_gives_up_is_gone_on_both(bool byClient)
    {
        using Pair pair = Connected();
        uint id = Open(pair, Second);
        SimulatedSide from = byClient ? pair.Client : pair.Server;
        Assert.IsTrue(from.Core!.TryAbandonPath(0, 0, pair.Now));
        pair.RunFor(300_000);
        Assert.AreEqual(id, pair.Client.Core!.State.Paths.Open.ToArray().Single().Id);
        Assert.AreEqual(id, pair.Server.Core!.State.Paths.Open.ToArray().Single().Id);
        pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(300_000), 20_000_000);
        pair.RunFor(10_000_000);
        Assert.IsNull(pair.Client.Core.State.Paths.Find(0));
        Assert.IsNull(pair.Server.Core.State.Paths.Find(0));
        Assert.HasCount(1, pair.Client.Core.GetPaths());
        pair.Transfer(pair.Server, pair.Client, pair.RandomBytes(300_000), 20_000_000);
        Assert.IsNull(pair.Client.Closed);
        Assert.IsNull(pair.Server.Closed);
    }

    [TestMethod]
    public void What_was_lost_on_a_path_stays_in_the_counters_when_it_is_forgotten()
    {
        using Pair pair = Connected();
        _ = Open(pair, Second);
        pair.Network.Conditions = new LinkConditions { Loss = 0.05 };
        pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(500_000), 60_000_000);
        pair.Network.Conditions = new LinkConditions();
        pair.RunFor(1_000_000);
        long lost = pair.Client.Core!.GetStatistics().PacketsLost;
        Assert.IsGreaterThan(10L, lost);
        Assert.IsTrue(pair.Client.Core.TryAbandonPath(0, 0, pair.Now));
        pair.RunFor(10_000_000);
        Assert.IsNull(pair.Client.Core.State.Paths.Find(0));
        Assert.IsGreaterThanOrEqualTo(lost, pair.Client.Core.GetStatistics().PacketsLost);
    }

    [TestMethod]
    public void The_last_path_is_not_given_up()
    {
        using Pair pair = Connected();
        Assert.IsFalse(pair.Client.Core!.TryAbandonPath(0, 0, pair.Now));
    }

    /// <summary>Each gives up the path that the other keeps, at the same moment (draft-ietf-quic-multipath-21 section 3.4).</summary>
    [TestMethod]
    public void Both_ends_give_up_the_last_path_of_the_other_and_the_client_opens_another()
    {
        using Pair pair = Connected();
        _ = Open(pair, Second);
        Assert.IsTrue(pair.Client.Core!.TryAbandonPath(0, 0, pair.Now));
        Assert.IsTrue(pair.Server.Core!.TryAbandonPath(1, 0, pair.Now));
        pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(300_000), 20_000_000);
        pair.Transfer(pair.Server, pair.Client, pair.RandomBytes(300_000), 20_000_000);
        pair.RunFor(10_000_000);
        foreach (SimulatedSide side in new[] { pair.Client, pair.Server })
        {
            Assert.IsNull(side.Closed, side.Name);
            Assert.AreEqual(2u, side.Core!.GetPaths().Single().PathId, side.Name);
        }
    }

    [TestMethod]
    public void Where_no_other_path_comes_the_end_of_the_last_ends_the_connection()
    {
        using Pair pair = Connected();
        _ = Open(pair, Second);
        pair.Network.Conditions = new LinkConditions { Loss = 1 };
        Assert.IsTrue(pair.Client.Core!.TryAbandonPath(0, 0, pair.Now));
        Assert.IsTrue(pair.Server.Core!.TryAbandonPath(1, 0, pair.Now));
        pair.RunFor(100_000_000);
        Assert.IsNotNull(pair.Client.Closed);
        Assert.IsNotNull(pair.Server.Closed);
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void A_path_that_nothing_is_heard_on_is_given_up_where_the_options_say_so(bool keptAlive)
    {
        var settings = new ConnectionSettings
        {
            MaxPaths = 4,
            PathIdleTimeout = 2_000_000,
            KeepAliveInterval = keptAlive ? 500_000 : long.MaxValue,
            MaxIdleTimeout = 600_000_000,
        };
        using Pair pair = new Pair(new PairOptions { Client = settings, Server = settings }).Handshake();
        pair.RunFor(500_000);
        _ = Open(pair, Second);
        pair.RunFor(20_000_000);

        // What is kept alive stays; of what is not, the last stays.
        int expected = keptAlive ? 2 : 1;
        Assert.HasCount(expected, pair.Client.Core!.GetPaths());
        Assert.HasCount(expected, pair.Server.Core!.GetPaths());
        if (keptAlive)
        {
            pair.Network.DeadInterfaces.Add(Second);
            pair.RunFor(20_000_000);
            Assert.HasCount(1, pair.Client.Core.GetPaths());
            Assert.HasCount(1, pair.Server.Core.GetPaths());
        }

        pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(30_000), 20_000_000);
        Assert.IsNull(pair.Client.Closed);
    }

    [TestMethod]
    public void Ids_are_never_used_again_and_new_ones_follow_the_old()
    {
        using Pair pair = Connected();
        for (uint round = 1; round <= 40; round++)
        {
            uint id = Open(pair, NetworkAddress.FromIPv4(0x0a010000 + round, (ushort)(50_000 + round)));
            Assert.AreEqual(round, id);
            Assert.IsTrue(pair.Client.Core!.TryAbandonPath(id, 0, pair.Now));
            pair.RunFor(3_000_000);
            Assert.IsNull(pair.Client.Core.State.Paths.Find(id));
        }

        Assert.IsLessThanOrEqualTo(5, pair.Client.Core!.State.Paths.Known.Length);
        Assert.IsLessThanOrEqualTo(5, pair.Server.Core!.State.Paths.Known.Length);
        pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(300_000), 20_000_000);
    }

    [TestMethod]
    public void A_path_that_does_not_answer_is_given_up_and_the_connection_goes_on()
    {
        using Pair pair = Connected();
        pair.Network.DeadInterfaces.Add(Second);
        Assert.AreEqual(PathOpening.Begun, pair.Client.Core!.TryOpenPath(Second, default, pair.Now, out uint id));
        pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(300_000), 20_000_000);
        pair.RunFor(15_000_000);
        Assert.IsNull(pair.Client.Core.State.Paths.Find(id));
        Assert.IsNull(pair.Server.Core!.State.Paths.Find(id));
        pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(300_000), 20_000_000);
    }

    [TestMethod]
    public void More_paths_than_the_peer_allows_are_refused_until_one_is_gone()
    {
        using Pair pair = Connected();
        for (ushort i = 1; i < 4; i++)
        {
            _ = Open(pair, NetworkAddress.FromIPv4(0x0a010000u + i, (ushort)(50_000 + i)));
        }

        Assert.AreEqual(PathOpening.Blocked, pair.Client.Core!.TryOpenPath(Third, default, pair.Now, out _));
        pair.RunFor(300_000);
        Assert.IsTrue(pair.Client.Core.TryAbandonPath(2, 0, pair.Now));
        pair.RunFor(5_000_000);
        Assert.AreEqual(4u, Open(pair, Third));
    }

    [TestMethod]
    public void Acknowledgements_are_sent_while_no_path_is_validated()
    {
        using Pair pair = Connected();
        pair.Network.FromServer = new LinkConditions { Loss = 1 };
        Assert.AreEqual(PathOpening.Begun, pair.Client.Core!.TryOpenPath(Second, default, pair.Now, out uint second));
        Assert.AreEqual(PathOpening.Begun, pair.Client.Core.TryOpenPath(Third, default, pair.Now, out _));
        pair.RunFor(50_000);
        Assert.AreEqual(PathPhase.Validating, pair.Server.Core!.State.Paths.Find(second)!.Phase);
        var evil = new EvilPeer(pair.Client, pair.Server);
        evil.Send(pair.Now, static (ref WireWriter writer) => new PathAbandonFrame(0, 0).Write(ref writer));
        evil.On = pair.Client.Core.State.Paths.Find(second);
        evil.From = Second;
        evil.Send(pair.Now, static (ref WireWriter writer) => PingFrame.Write(ref writer));

        // Fails where time stands still.
        pair.RunFor(300_000);
        Assert.IsNull(pair.Server.Closed);
    }

    [TestMethod]
    public void A_backup_path_carries_no_data_while_the_other_works()
    {
        using Pair pair = Connected();
        uint id = Open(pair, Second);

        // So long that the window of one path alone is the limit.
        pair.Network.Conditions = new LinkConditions { Delay = 100_000 };
        Assert.IsTrue(pair.Client.Core!.TrySetBackup(id, true));
        pair.RunFor(300_000);
        Assert.IsTrue(pair.Server.Core!.State.Paths.Find(id)!.IsBackup);
        long before = BytesSent(pair.Server, id);
        pair.Transfer(pair.Server, pair.Client, pair.RandomBytes(2_000_000), 20_000_000);
        Assert.IsLessThan(20_000L, BytesSent(pair.Server, id) - before);

        Assert.IsTrue(pair.Client.Core.TrySetBackup(id, false));
        pair.RunFor(300_000);
        before = BytesSent(pair.Server, id);
        pair.Transfer(pair.Server, pair.Client, pair.RandomBytes(2_000_000), 20_000_000);
        Assert.IsGreaterThan(50_000L, BytesSent(pair.Server, id) - before);
    }

    [TestMethod]
    public void The_death_of_a_path_costs_less_than_a_second()
    {
        foreach (ulong seed in Seeds.Of(20))
        {
            using Pair pair = Connected(seed);
            _ = Open(pair, Second);
            byte[] data = pair.RandomBytes(4_000_000);
            Assert.IsTrue(pair.Client.Core!.Streams.TryOpen(true, out StreamState? stream));
            stream.WriteAll(data);
            stream.Finish();
            ulong id = stream.Id;
            pair.RunFor(50_000 + (long)(seed % 200_000));
            NetworkAddress dead = seed % 2 == 0 ? pair.Client.Address : Second;
            pair.Network.DeadInterfaces.Add(dead);
            long last = pair.Now;
            long longest = 0;
            long read = pair.Server.BytesRead;
            while (!pair.Server.EndedStreams.Contains(id))
            {
                pair.RunFor(10_000);
                longest = Math.Max(longest, pair.Now - last);
                if (pair.Server.BytesRead != read)
                {
                    read = pair.Server.BytesRead;
                    last = pair.Now;
                }

                Assert.IsLessThan(1_000_000L, pair.Now - last, pair.Repeat);
            }

            CollectionAssert.AreEqual(data, pair.Server.Received(id), pair.Repeat);
            Assert.IsLessThan(1_000_000L, longest, pair.Repeat);
        }
    }

    [TestMethod]
    public void Both_links_die_and_one_comes_back()
    {
        foreach (ulong seed in Seeds.Of(20))
        {
            using Pair pair = Connected(seed);
            _ = Open(pair, Second);
            byte[] data = pair.RandomBytes(2_000_000);
            Assert.IsTrue(pair.Client.Core!.Streams.TryOpen(true, out StreamState? stream));
            stream.WriteAll(data);
            stream.Finish();
            ulong id = stream.Id;
            pair.RunFor(60_000 + (long)(seed % 100_000));
            pair.Network.DeadInterfaces.Add(pair.Client.Address);
            pair.Network.DeadInterfaces.Add(Second);
            pair.RunFor(5_000_000);
            pair.Network.DeadInterfaces.Remove(seed % 2 == 0 ? pair.Client.Address : Second);
            pair.RunUntil(() => pair.Server.EndedStreams.Contains(id), 20_000_000, "the rest");
            CollectionAssert.AreEqual(data, pair.Server.Received(id), pair.Repeat);
        }
    }

    [TestMethod]
    public void Flapping_links_lose_nothing()
    {
        foreach (ulong seed in Seeds.Of(20))
        {
            using Pair pair = Connected(seed);
            _ = Open(pair, Second);
            byte[] data = pair.RandomBytes(3_000_000);
            pair.Network.Conditions = new LinkConditions { Bandwidth = 1_000_000, Delay = 15_000, Jitter = 5_000 };
            Assert.IsTrue(pair.Client.Core!.Streams.TryOpen(true, out StreamState? stream));
            stream.WriteAll(data);
            stream.Finish();
            ulong id = stream.Id;
            for (int i = 0; i < 300 && !pair.Server.EndedStreams.Contains(id); i++)
            {
                NetworkAddress flapping = (i + (int)seed) % 3 == 0 ? pair.Client.Address : Second;
                if (!pair.Network.DeadInterfaces.Remove(flapping))
                {
                    pair.Network.DeadInterfaces.Add(flapping);
                }

                pair.RunFor(200_000);
            }

            pair.Network.DeadInterfaces.Clear();
            pair.RunUntil(() => pair.Server.EndedStreams.Contains(id), 30_000_000, "the rest");
            CollectionAssert.AreEqual(data, pair.Server.Received(id), pair.Repeat);
        }
    }

    [TestMethod]
    public void Either_path_can_be_moved_by_a_nat()
    {
        foreach (ulong seed in Seeds.Of(20))
        {
            using Pair pair = Connected(seed);
            _ = Open(pair, Second);
            for (uint i = 0; i < 5; i++)
            {
                pair.Network.Rebind(i % 2 == 0 ? null : 0x0a000f00u + i);
                pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(200_000), 20_000_000);
                pair.RunFor(1_000_000);
            }

            Assert.AreEqual(2, pair.Server.Core!.State.Paths.Open.Length, pair.Repeat);
            Assert.IsNull(pair.Server.Closed, pair.Repeat);
        }
    }

    [TestMethod]
    public void Keys_are_updated_with_packets_on_all_paths()
    {
        var settings = new ConnectionSettings { MaxPaths = 4, KeyUpdateInterval = 300 };
        using Pair pair = new Pair(new PairOptions { Client = settings, Server = settings }).Handshake();
        pair.RunFor(500_000);
        _ = Open(pair, Second);
        for (int i = 0; i < 5; i++)
        {
            pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(2_000_000), 60_000_000);
            pair.RunFor(1_000_000);
        }

        Assert.IsGreaterThan(2, pair.Client.Core!.GetStatistics().KeyUpdates);
        Assert.IsTrue(Array.TrueForAll(pair.Client.Core.GetPaths(), path => path.PacketsSent > 300));
        Assert.IsNull(pair.Client.Closed);
    }

    [TestMethod]
    public void A_close_goes_over_every_path()
    {
        using Pair pair = Connected();
        _ = Open(pair, Second);
        pair.Network.DeadInterfaces.Add(pair.Client.Address);
        pair.Client.Core!.Close(7, "over", pair.Now);
        pair.RunFor(200_000);
        Assert.AreEqual(7UL, pair.Server.Closed?.ErrorCode);
    }

    private static Pair Connected(ulong seed = 1)
    {
        var settings = new ConnectionSettings { MaxPaths = 4 };
        Pair pair = new Pair(new PairOptions { Seed = seed, Client = settings, Server = settings }).Handshake();
        pair.RunFor(500_000);
        Assert.IsTrue(pair.Client.Core!.IsMultipath);
        Assert.IsTrue(pair.Server.Core!.IsMultipath);
        return pair;
    }

    private static uint Open(Pair pair, NetworkAddress local)
    {
        Assert.AreEqual(PathOpening.Begun, pair.Client.Core!.TryOpenPath(local, default, pair.Now, out uint id), pair.Repeat);
        pair.RunUntil(
            () => pair.Client.Core.State.Paths.Find(id) is { IsUsable: true } && pair.Server.Core!.State.Paths.Find(id) is { IsUsable: true },
            5_000_000,
            "a path");
        return id;
    }

    private static long BytesSent(SimulatedSide side, uint path) =>
        side.Core!.GetPaths().Where(one => one.PathId == path).Sum(one => one.BytesSent);
}
