using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Datagrams;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Tests.Simulation;
using Post.Quic.Testing.Mutations;

namespace Post.Quic.Engine.Tests.Worlds;

/// <summary>Worlds in which things that each go well go on at the same time.</summary>
[TestClass]
public sealed class CombinedWorlds
{
    private const long Second = 1_000_000;

    [TestMethod]
    public void Migration_during_a_key_update_during_loss() => World.Run(seed =>
    {
        using Pair pair = World.Connected(seed);
        pair.Network.Conditions = new LinkConditions { Loss = 0.1, Reordering = 0.1, Duplication = 0.05, Bandwidth = 100_000 };
        var random = new FuzzRandom(seed);
        for (uint i = 0; i < 4; i++)
        {
            uint address = 0x0a010000 + i;
            World.Exchange(pair, 20_000, 120 * Second, meanwhile: () =>
            {
                pair.RunFor(random.Below(100_000));
                _ = (random.Coin() ? pair.Client : pair.Server).Core!.TryUpdateKeys(pair.Now);
                pair.RunFor(random.Below(30_000));
                _ = pair.Client.Core!.TryMigrate(NetworkAddress.FromIPv4(address, 50_001), pair.Now);
                pair.RunFor(random.Below(30_000));
                _ = pair.Server.Core!.TryUpdateKeys(pair.Now);
            });
        }

        Assert.IsGreaterThan(0UL, pair.Client.Core!.State.Keys.Application!.SendGeneration);
        World.End(pair);
    });

    [TestMethod]
    public void Preferred_address_and_a_NAT_that_rebinds_meanwhile() => World.Run(seed =>
    {
        ConnectionSettings settings = World.Patient with { KeepAliveInterval = Second };
        using Pair pair = new Pair(new PairOptions
        {
            Seed = seed,
            Client = settings,
            Server = settings,
            StandInTls = true,
            PreferredAddress = NetworkAddress.FromIPv4(0x0a0000fd, 4433),
        }).Handshake();
        pair.Network.Conditions = new LinkConditions { Loss = seed % 5 / 20.0, Bandwidth = 100_000 };
        World.Exchange(pair, 20_000, 120 * Second, meanwhile: () =>
        {
            pair.RunFor((long)(seed % 25 * 2_000));
            pair.Network.Rebind(seed % 2 == 0 ? null : 0x0a000100u + (uint)seed);
            pair.RunFor((long)(seed % 7 * 5_000));
            pair.Network.Rebind();
        });
        World.Exchange(pair, 20_000, 120 * Second);
        World.End(pair);
    });

    /// <summary>The path moved to is narrower than the one left, or becomes so on the way.</summary>
    [TestMethod]
    public void Mtu_black_hole_during_migration() => World.Run(seed =>
    {
        using Pair pair = World.Connected(seed);
        var open = new LinkConditions { Bandwidth = 250_000, Loss = 0.01 };
        pair.Network.Conditions = open;
        World.Exchange(pair, 60_000, 60 * Second);
        LinkConditions narrow = open with { Mtu = 1200 + (int)(seed % 200) };
        World.Exchange(pair, 60_000, 120 * Second, meanwhile: () =>
        {
            _ = pair.Client.Core!.TryMigrate(NetworkAddress.FromIPv4(0x0a010001, 50_001), pair.Now);
            pair.RunFor((long)(seed % 20 * 3_000));
            pair.Network.FromClient = seed % 3 != 0 ? narrow : open;
            pair.Network.FromServer = seed % 3 != 1 ? narrow : open;
        });
        World.End(pair);
    });

    /// <summary>Two ids are the least that a peer may hold, so that most moves have to wait for the next one.</summary>
    [TestMethod]
    public void Moves_faster_than_connection_ids_come() => World.Run(MoveFaster);

    /// <summary>There both answers to the first two challenges are lost, and only the third can tell that the peer has moved.</summary>
    [TestMethod]
    [DataRow(614UL)]
    public void A_move_is_believed_though_two_answers_are_lost(ulong seed) => MoveFaster(seed);

    /// <summary>What a reset promises arrives, and nothing of the credit is lost for those that come after.</summary>
    [TestMethod]
    public void Reliable_resets_under_reordering_with_small_windows() => World.Run(seed =>
    {
        ConnectionSettings small = World.Patient with
        {
            InitialMaxData = 3_000,
            InitialMaxStreamData = 1_000,
            MaxConnectionWindow = 3_000,
            MaxStreamWindow = 1_000,
            MaxBidirectionalStreams = 3,
        };
        using Pair pair = World.Connected(seed, small);
        pair.Network.Conditions = new LinkConditions { Loss = 0.05, Reordering = 0.3, Duplication = 0.1, Jitter = 5_000 };
        var random = new FuzzRandom(seed);
        var sent = new List<(StreamState Stream, ulong Id, byte[] Data, int Reliable)>();
        for (int i = 0; i < 25; i++)
        {
            pair.RunUntil(() => pair.Client.Core!.Streams.OpenCreditLeft(true) > 0, 60 * Second, "credit for a stream");
            Assert.IsTrue(pair.Client.Core!.Streams.TryOpen(true, out StreamState? stream));
            byte[] data = pair.RandomBytes(1 + random.Below(6_000));
            stream.WriteAll(data);
            int reliable = random.Below(data.Length + 1);
            ulong id = stream.Id;
            pair.RunFor(random.Below(60_000));
            stream.Reset(9, (ulong)reliable);
            if (random.Coin())
            {
                pair.RunFor(random.Below(20_000));
                reliable = random.Below(reliable + 1);
                stream.Reset(9, (ulong)reliable);
            }

            sent.Add((stream, id, data, reliable));
            pair.RunFor(random.Below(30_000));
            foreach (StreamState accepted in pair.Server.Accepted)
            {
                accepted.Finish();
            }
        }

        pair.RunUntil(
            () =>
            {
                foreach (StreamState accepted in pair.Server.Accepted)
                {
                    accepted.Finish();
                }

                return sent.All(one => pair.Server.ResetStreams.ContainsKey(one.Id)) || pair.Client.Closed is not null;
            },
            120 * Second,
            "resets");
        Assert.IsNull(pair.Client.Closed, $"{pair.Client.Closed}");
        foreach ((_, ulong id, byte[] data, int reliable) in sent)
        {
            byte[] received = pair.Server.Received(id);
            Assert.IsGreaterThanOrEqualTo(reliable, received.Length);
            Assert.IsTrue(data.AsSpan().StartsWith(received));
        }

        pair.RunUntil(() => pair.Client.Core!.Streams.OpenCreditLeft(true) > 0, 60 * Second, "credit for a stream");
        World.Exchange(pair, 10_000, 120 * Second);
        World.End(pair);
    });

    [TestMethod]
    public void Both_sides_close_while_a_path_is_validated() => World.Run(seed =>
    {
        using Pair pair = World.Connected(seed);
        pair.Network.Conditions = new LinkConditions { Loss = seed % 4 / 10.0, Bandwidth = 100_000 };
        _ = World.Begin(pair, pair.RandomBytes(30_000));
        pair.RunFor((long)(seed % 10 * 7_000));
        _ = seed % 3 == 0
            ? pair.Client.Core!.TryMigrate(NetworkAddress.FromIPv4(0x0a010001, 50_001), pair.Now)
            : seed % 2 == 0;
        if (seed % 3 != 0)
        {
            pair.Network.Rebind(seed % 3 == 1 ? null : 0x0a000101u);
        }

        pair.RunFor((long)(seed % 25 * 1_500));
        pair.Client.Core!.Close(World.Done, "one", pair.Now);
        pair.RunFor((long)(seed % 13 * 1_000));
        pair.Server.Core!.Close(World.Done, "other", pair.Now);
        pair.RunUntil(() => pair.Client.IsDrained && pair.Server.IsDrained, 700 * Second, "end");
        World.CheckEnded(pair.Client);
        World.CheckEnded(pair.Server);
    });

    /// <summary>A round trip longer than the idle timeout: keep-alives hold the connection, and its end is found all the same.</summary>
    [TestMethod]
    public void Keep_alive_against_the_idle_timeout_over_a_round_trip_of_8_s() => World.Run(seed =>
    {
        ConnectionSettings settings = World.Patient with { MaxIdleTimeout = 5 * Second, KeepAliveInterval = 2 * Second };
        using var pair = new Pair(new PairOptions { Seed = seed, Client = settings, Server = settings, StandInTls = true });
        pair.Network.Conditions = new LinkConditions { Delay = 500_000 };
        _ = pair.Handshake(60 * Second);
        for (long delay = 1_000_000; delay <= 4_000_000; delay += 500_000)
        {
            pair.Network.Conditions = new LinkConditions { Delay = delay, Jitter = 100_000 };
            pair.RunFor(20 * Second);
        }

        Assert.IsNull(pair.Client.Closed, $"{pair.Client.Closed}");
        Assert.IsNull(pair.Server.Closed, $"{pair.Server.Closed}");
        World.Exchange(pair, 2_000, 300 * Second);
        pair.Network.Conditions = new LinkConditions { Loss = 1 };
        pair.RunUntil(() => pair.Client.IsDrained && pair.Server.IsDrained, 200 * Second, "the idle timeout");
        Assert.AreEqual(CloseSource.IdleTimeout, pair.Client.Closed!.Value.Source);
    });

    /// <summary>
    /// Both machines sleep in mid-transfer for longer than anything takes: nothing overflows or spins, and where no idle
    /// timeout ends the connection, it goes on at once, not after probes of hours.
    /// </summary>
    [TestMethod]
    public void Sleep_of_hours_in_mid_transfer() => World.Run(seed =>
    {
        var random = new FuzzRandom(seed);
        using Pair pair = World.Connected(seed, World.Patient with { MaxIdleTimeout = long.MaxValue });
        pair.Network.Conditions = new LinkConditions { Loss = seed % 3 / 50.0, Bandwidth = 100_000 };
        byte[] data = pair.RandomBytes(60_000);
        ulong id = World.Begin(pair, data);
        for (int i = 0; i < 3; i++)
        {
            pair.RunFor(random.Below(150_000));
            pair.Sleep((1 + random.Below(48)) * 3_600 * Second, keepsDatagrams: random.Coin());
        }

        World.Finish(pair, id, data, 60 * Second);
        World.Exchange(pair, 1_000, 60 * Second);

        // Without an idle timeout nobody would ever miss a CONNECTION_CLOSE that is lost.
        pair.Network.Conditions = new LinkConditions();
        World.End(pair);
    });

    [TestMethod]
    public void Sleep_beyond_the_idle_timeout_ends_the_connection() => World.Run(seed =>
    {
        using Pair pair = World.Connected(seed, ConnectionSettings.Default);
        _ = World.Begin(pair, pair.RandomBytes(30_000));
        pair.RunFor((long)(seed % 40 * 1_000));
        pair.Sleep(3_600 * Second, keepsDatagrams: false);
        Assert.AreEqual(CloseSource.IdleTimeout, pair.Client.Closed?.Source);
        Assert.AreEqual(CloseSource.IdleTimeout, pair.Server.Closed?.Source);
        World.CheckEnded(pair.Client);
        World.CheckEnded(pair.Server);
    });

    /// <summary>Every datagram has one end, and those that the narrower path takes still go.</summary>
    [TestMethod]
    public void Datagrams_of_the_largest_size_while_the_path_shrinks() => World.Run(seed =>
    {
        using Pair pair = World.Connected(seed);
        var open = new LinkConditions { Bandwidth = 150_000, Loss = 0.01 };
        pair.Network.Conditions = open;
        World.Exchange(pair, 30_000, 60 * Second);
        DatagramQueue datagrams = pair.Client.Core!.Datagrams;
        var numbers = new List<ulong>();
        int largest = datagrams.MaxSize;
        for (int i = 0; i < 300; i++)
        {
            if (i == 50 + (int)(seed % 50))
            {
                pair.Network.FromClient = open with { Mtu = 1200 + (int)(seed % 200) };
            }

            int size = i % 3 == 0 ? 500 : datagrams.MaxSize;
            if (datagrams.TryEnqueue(new byte[size], i % 2, long.MaxValue, out ulong number) == DatagramEnqueueResult.Queued)
            {
                numbers.Add(number);
            }

            if (i % 4 == 0)
            {
                pair.RunFor(30_000);
            }
        }

        pair.RunUntil(
            () => numbers.All(number => pair.Client.DatagramStates.TryGetValue(number, out DatagramState state)
                && state >= DatagramState.Acknowledged),
            120 * Second,
            "an end of each datagram");
        Assert.IsLessThan(largest, datagrams.MaxSize);
        Assert.AreEqual(DatagramEnqueueResult.Queued, datagrams.TryEnqueue(new byte[datagrams.MaxSize], 0, long.MaxValue, out ulong last));
        pair.RunUntil(() => pair.Client.DatagramStates.GetValueOrDefault(last) >= DatagramState.Acknowledged, 20 * Second, "the last one");
        World.End(pair);
    });

    [TestMethod]
    public void Ecn_bleaching_on_the_path_that_is_moved_to() => World.Run(seed =>
    {
        using Pair pair = World.Connected(seed);
        LinkConditions marking = new() { Bandwidth = 500_000, MarkAbove = 10_000, Loss = 0.01, Reordering = 0.05 };
        pair.Network.Conditions = marking;
        World.Exchange(pair, 60_000, 60 * Second, meanwhile: () =>
        {
            pair.RunFor((long)(seed % 10 * 10_000));
            pair.Network.Conditions = marking with { BleachEcn = true };
            _ = pair.Client.Core!.TryMigrate(NetworkAddress.FromIPv4(0x0a010001, 50_001), pair.Now);
        });
        Assert.AreNotEqual(EcnState.Capable, pair.Client.Core!.State.Paths.First.Network.Transmission.Ecn.State);
        pair.Network.Conditions = marking;
        World.Exchange(pair, 30_000, 60 * Second, meanwhile: () =>
            pair.Client.Core.TryMigrate(NetworkAddress.FromIPv4(0x0a010002, 50_001), pair.Now));
        World.End(pair);
    });

    private static void MoveFaster(ulong seed)
    {
        using Pair pair = World.Connected(seed, World.Patient with { ActiveConnectionIdLimit = 2, KeepAliveInterval = Second });
        pair.Network.Conditions = new LinkConditions { Loss = 0.1, Bandwidth = 100_000 };
        var random = new FuzzRandom(seed);
        World.Exchange(pair, 40_000, 300 * Second, meanwhile: () =>
        {
            for (uint i = 0; i < 30; i++)
            {
                if (random.Below(3) == 0)
                {
                    pair.Network.Rebind(random.Coin() ? null : 0x0a000100u + i);
                }
                else
                {
                    _ = pair.Client.Core!.TryMigrate(NetworkAddress.FromIPv4(0x0a010000 + (i % 5), 50_001), pair.Now);
                }

                pair.RunFor(random.Below(60_000));

                // As many again may have been asked back.
                Assert.IsLessThanOrEqualTo(4, pair.Client.Ids.Count);
                Assert.IsLessThanOrEqualTo(4, pair.Server.Ids.Count);
            }
        });
        World.End(pair);
    }
}
