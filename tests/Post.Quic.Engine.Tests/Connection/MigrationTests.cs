using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Tests.Crypto;
using Post.Quic.Engine.Tests.Simulation;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Parameters;

namespace Post.Quic.Engine.Tests.Connections;

[TestClass]
public sealed class MigrationTests
{
    private static readonly NetworkAddress Second = NetworkAddress.FromIPv4(0x0a010002, 50001);

    [TestMethod]
    public void Rebound_port_is_followed_and_keeps_window_and_size()
    {
        using Pair pair = new Pair().Handshake();
        pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(300_000), 10_000_000);
        Network before = pair.Server.Core!.State.Paths.First.Network;
        pair.Network.Rebind();
        pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(300_000), 10_000_000);
        pair.RunFor(2_000_000);
        Network after = pair.Server.Core.State.Paths.First.Network;
        Assert.AreEqual(pair.Network.Translate(pair.Client.Address), after.Remote);
        Assert.IsTrue(after.IsValidated);
        Assert.AreSame(before.Transmission, after.Transmission);
        Assert.IsTrue(pair.Server.PathEvents.Any(change => change.Change == PathChange.Active));
        OnePathLeft(pair.Server);
    }

    [TestMethod]
    public void Rebound_address_is_followed_with_a_fresh_window()
    {
        using Pair pair = new Pair().Handshake();
        pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(300_000), 10_000_000);
        Network before = pair.Server.Core!.State.Paths.First.Network;
        pair.Network.Rebind(newAddress: 0x0a0000aa);
        pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(300_000), 10_000_000);
        pair.RunFor(4_000_000);
        Network after = pair.Server.Core.State.Paths.First.Network;
        Assert.AreEqual(pair.Network.Translate(pair.Client.Address), after.Remote);
        Assert.AreNotSame(before.Transmission, after.Transmission);
        OnePathLeft(pair.Server);
    }

    /// <summary>
    /// A peer that has not validated our new address yet may tie our packets to the old one: then the id of the old one would be that of
    /// the packet which retires it (RFC 9000 section 19.16).
    /// </summary>
    [TestMethod]
    public void The_id_of_the_network_we_left_is_given_back_once_the_peer_has_followed()
    {
        using Pair pair = new Pair().Handshake();
        pair.RunFor(1_000_000);
        ulong used = pair.Server.Core!.State.Paths.First.Network.LocalIdSequence;
        ConnectionId left = pair.Client.Core!.State.Paths.First.Network.RemoteId.Id;

        // Only what probes a path comes back to the client.
        pair.Network.Fate = datagram => datagram.FromClient || datagram.Payload.Length == 1200 ? DatagramFate.Deliver : DatagramFate.Drop;
        Assert.IsTrue(pair.Client.Core.TryMigrate(Second, pair.Now));
        pair.RunUntil(() => pair.Client.Core.State.Paths.First.Network.Local == Second, 1_000_000, "move");
        Assert.IsTrue(pair.Client.Core.Streams.TryOpen(true, out StreamState? stream));
        stream!.Write("somewhere else"u8);
        pair.RunFor(500_000);
        Assert.IsTrue(pair.Server.Core.State.Paths.First.LocalIds.TryFind(left.Span, out ulong sequence), "given back too early");
        Assert.AreEqual(used, sequence);

        pair.Network.Fate = null;
        pair.RunFor(10_000_000);
        Assert.IsFalse(pair.Server.Core.State.Paths.First.LocalIds.TryFind(left.Span, out _), "not given back");
        OnePathLeft(pair.Client);
    }

    [TestMethod]
    public void The_newest_of_two_moves_stays_although_the_older_is_answered_later()
    {
        NetworkAddress third = NetworkAddress.FromIPv4(0x0a010003, 50001);
        using Pair pair = new Pair().Handshake();
        pair.RunFor(1_000_000);
        bool isSlow = true;
        pair.Network.Fate = datagram => isSlow && datagram.FromClient && datagram.From == pair.Network.Translate(Second)
            ? DatagramFate.Drop
            : DatagramFate.Deliver;
        Assert.IsTrue(pair.Client.Core!.TryMigrate(Second, pair.Now));
        Assert.IsTrue(pair.Client.Core.TryMigrate(third, pair.Now));
        pair.RunUntil(() => pair.Client.Core.State.Paths.First.Network.Local == third, 1_000_000, "move");
        isSlow = false;
        pair.RunFor(5_000_000);
        Assert.AreEqual(third, pair.Client.Core.State.Paths.First.Network.Local);
        Assert.AreEqual(pair.Network.Translate(third), pair.Server.Core!.State.Paths.First.Network.Remote);
        OnePathLeft(pair.Client);
    }

    [TestMethod]
    public void Port_that_changes_every_second_does_not_stop_a_transfer()
    {
        foreach (ulong seed in Seeds.Of(10))
        {
            // A client that is only listening has to speak now and then, or nobody can learn where it is.
            using Pair pair = new Pair(new PairOptions
            {
                Seed = seed,
                Client = ConnectionSettings.Default with { KeepAliveInterval = 500_000 },
            }).Handshake();
            pair.Network.Conditions = new LinkConditions { Loss = 0.01, Bandwidth = 250_000 };
            pair.Server.Echo = true;
            Assert.IsTrue(pair.Client.Core!.Streams.TryOpen(true, out StreamState? stream));
            byte[] data = pair.RandomBytes(1_000_000);
            stream.WriteAll(data);
            stream.Finish();
            for (int i = 0; i < 120 && !pair.Client.EndedStreams.Contains(stream.Id); i++)
            {
                pair.RunFor(1_000_000);
                pair.Network.Rebind();
            }

            Assert.IsNull(pair.Client.Closed, $"{pair.Client.Closed} {pair.Repeat}");
            Assert.IsNull(pair.Server.Closed, $"{pair.Server.Closed} {pair.Repeat}");
            CollectionAssert.AreEqual(data, pair.Client.Received(stream.Id), pair.Repeat);
        }
    }

    [TestMethod]
    public void Client_moves_to_another_local_address_with_new_ids_on_both_sides()
    {
        using Pair pair = new Pair().Handshake();
        pair.RunFor(500_000);
        ConnectionId serverIdBefore = pair.Client.Core!.State.Paths.First.Network.RemoteId.Id;
        ConnectionId clientIdBefore = pair.Server.Core!.State.Paths.First.Network.RemoteId.Id;
        Assert.IsTrue(pair.Client.Core.TryMigrate(Second, pair.Now));
        pair.RunFor(2_000_000);
        pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(300_000), 10_000_000);
        pair.RunFor(4_000_000);
        Assert.AreEqual(Second, pair.Client.Core.State.Paths.First.Network.Local);
        Assert.AreEqual(pair.Network.Translate(Second), pair.Server.Core.State.Paths.First.Network.Remote);
        Assert.AreNotEqual(serverIdBefore, pair.Client.Core.State.Paths.First.Network.RemoteId.Id);
        Assert.AreNotEqual(clientIdBefore, pair.Server.Core.State.Paths.First.Network.RemoteId.Id);
        OnePathLeft(pair.Client);
        OnePathLeft(pair.Server);
    }

    [TestMethod]
    public void Late_packets_at_the_old_port_do_not_bring_a_client_back_there()
    {
        using Pair pair = new Pair().Handshake();
        pair.RunFor(500_000);
        Networks paths = pair.Client.Core!.State.Paths.First.Networks;
        NetworkAddress old = paths.Active.Local;

        // Bound to no address, as a client's socket mostly is: it learns from the first packet which one it has.
        Assert.IsTrue(pair.Client.Core.TryMigrate(NetworkAddress.FromIPv4(0, 50001), pair.Now));
        pair.RunFor(2_000_000);
        Network moved = paths.Active;
        Assert.AreEqual(50001, moved.Local.Port);

        Assert.IsNull(paths.Find(new DatagramMetadata(old, moved.Remote, default)));
        Assert.AreEqual(50001, moved.Local.Port);
        Assert.AreSame(moved, paths.Find(new DatagramMetadata(old.WithPort(50001), moved.Remote, default)));
        Assert.IsTrue(moved.Local.IsUnspecified, "Anybody can send to an address of ours; only an authentic packet shows that it is the one.");
        moved.LearnLocal(old);
        moved.LearnLocal(old.WithPort(50001));
        Assert.AreEqual(old.WithPort(50001), moved.Local);
    }

    [TestMethod]
    public void Client_moves_many_times_and_ids_do_not_run_out()
    {
        using Pair pair = new Pair().Handshake();
        for (uint i = 0; i < 20; i++)
        {
            pair.RunFor(1_000_000);
            Assert.IsTrue(pair.Client.Core!.TryMigrate(NetworkAddress.FromIPv4(0x0a010000 + i, 50001), pair.Now), $"move {i}");
            pair.RunFor(1_000_000);
            pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(20_000), 10_000_000);
        }

        Assert.IsGreaterThan(20, pair.Server.IssuedIds);
        Assert.IsLessThanOrEqualTo(Limits.MaxActiveConnectionIds, pair.Server.Ids.Count);
    }

    [TestMethod]
    public void Dead_local_address_is_tried_and_given_up()
    {
        using Pair pair = new Pair().Handshake();
        pair.RunFor(500_000);
        pair.Network.DeadInterfaces.Add(Second);
        Assert.IsTrue(pair.Client.Core!.TryMigrate(Second, pair.Now));
        pair.RunFor(10_000_000);
        Assert.AreEqual(pair.Client.Address, pair.Client.Core.State.Paths.First.Network.Local);
        Assert.IsTrue(pair.Client.PathEvents.Any(change => change.Change == PathChange.Failed));
        pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(20_000), 10_000_000);
        OnePathLeft(pair.Client);
    }

    [TestMethod]
    public void Server_that_forbids_migration_is_not_left()
    {
        using Pair pair = new Pair(new PairOptions
        {
            Server = ConnectionSettings.Default with { DisableActiveMigration = true },
        }).Handshake();
        pair.RunFor(500_000);
        Assert.IsFalse(pair.Client.Core!.TryMigrate(Second, pair.Now));
    }

    /// <summary>RFC 9000 section 18.2: what the server forbids, it forbids at the address of the handshake.</summary>
    [TestMethod]
    public void Server_that_forbids_migration_is_left_from_its_preferred_address()
    {
        NetworkAddress preferred = NetworkAddress.FromIPv4(0x0a0000fd, 4433);
        using Pair pair = new Pair(new PairOptions
        {
            Server = ConnectionSettings.Default with { DisableActiveMigration = true },
            PreferredAddress = preferred,
        }).Handshake();
        pair.RunFor(2_000_000);
        Assert.AreEqual(preferred, pair.Client.Core!.State.Paths.First.Network.Remote);
        Assert.IsTrue(pair.Client.Core.TryMigrate(Second, pair.Now));
        pair.RunFor(2_000_000);
        Assert.AreEqual(Second, pair.Client.Core.State.Paths.First.Network.Local);
        pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(10_000), 5_000_000);
    }

    /// <summary>The client finds that out in the midst of TLS, which then completes: the connection stays closed.</summary>
    [TestMethod]
    public void Preferred_address_with_the_id_of_the_handshake_ends_the_connection_for_good()
    {
        using var pair = new Pair(new PairOptions
        {
            StandInTls = true,
            PreferredAddress = NetworkAddress.FromIPv4(0x0a0000fd, 4433),
            SpoilServerParameters = parameters =>
            {
                Assert.IsFalse(TransportParametersReader.TryParse(parameters, true, out TransportParameters? honest).IsError);
                var writer = new WireWriter(new byte[1024]);
                TransportParametersWriter.Write(
                    ref writer,
                    honest! with
                    {
                        PreferredAddress = honest.PreferredAddress! with { ConnectionId = honest.InitialSourceConnectionId!.Value },
                    },
                    new SeededRandomSource(1));
                return writer.Written.ToArray();
            },
        });
        pair.Connect().RunUntil(() => pair.Client.Closed is not null, 2_000_000, "refusal");
        Assert.AreEqual((ulong)TransportErrorCode.ProtocolViolation, pair.Client.Closed!.Value.ErrorCode);
        Assert.IsFalse(pair.Client.IsComplete);
        pair.RunUntil(() => pair.Client.IsDrained && pair.Server.IsDrained, 60_000_000, "end");
    }

    [TestMethod]
    public void Migration_before_confirmation_is_refused()
    {
        using var pair = new Pair();
        pair.Connect();
        Assert.IsFalse(pair.Client.Core!.TryMigrate(Second, pair.Now));
    }

    [TestMethod]
    public void Preferred_address_is_followed_after_the_handshake()
    {
        NetworkAddress preferred = NetworkAddress.FromIPv4(0x0a0000fd, 4433);
        using Pair pair = new Pair(new PairOptions { PreferredAddress = preferred }).Handshake();
        pair.RunFor(3_000_000);
        pair.Server.Echo = true;
        ulong id = pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(100_000), 10_000_000).Id;
        pair.RunUntil(() => pair.Client.EndedStreams.Contains(id), 10_000_000, "echo");
        Assert.AreEqual(preferred, pair.Client.Core!.State.Paths.First.Network.Remote);
        Assert.AreEqual(preferred, pair.Server.Core!.State.Paths.First.Network.Local);
    }

    [TestMethod]
    public void Spoofed_move_comes_back_to_the_true_address()
    {
        using Pair pair = new Pair().Handshake();
        pair.RunFor(500_000);
        long serverBytes = 0;
        NetworkAddress forged = NetworkAddress.FromIPv4(0xc0a80001, 9999);
        pair.Network.Sniffer = datagram => serverBytes += datagram.To == forged ? datagram.Payload.Length : 0;
        var attacker = new EvilPeer(pair.Client, pair.Server) { From = forged };
        attacker.Send(pair.Now, (ref WireWriter writer) => writer.WriteByte(1));
        Assert.AreEqual(forged, pair.Server.Core!.State.Paths.First.Network.Remote);
        Assert.IsTrue(pair.Server.Core.Streams.TryOpen(true, out StreamState? stream));
        byte[] data = pair.RandomBytes(100_000);
        stream.WriteAll(data);
        stream.Finish();
        pair.RunUntil(() => pair.Client.EndedStreams.Contains(stream.Id), 20_000_000, "transfer after a forged move");
        Assert.AreEqual(pair.Network.Translate(pair.Client.Address), pair.Server.Core.State.Paths.First.Network.Remote);
        Assert.IsLessThanOrEqualTo(3 * 1452, serverBytes);
    }

    [TestMethod]
    public void Path_that_goes_dark_before_it_carried_1200_bytes_is_left_to_the_idle_timeout()
    {
        using Pair pair = WithoutSizeProof();
        pair.Network.Conditions = new LinkConditions { Loss = 1 };
        long sent = pair.Server.Core!.State.Counters.DatagramsSent;
        pair.RunFor(20_000_000);
        Assert.IsNull(pair.Server.Closed, $"{pair.Server.Closed}");
        Assert.IsLessThan(50, pair.Server.Core.State.Counters.DatagramsSent - sent);
        pair.Network.Conditions = new LinkConditions();
        pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(100_000), 20_000_000);
        pair.RunUntil(() => !pair.Server.Core.State.Paths.First.Network.LacksSizeProof, 60_000_000, "proof of the size");
    }

    [TestMethod]
    public void Path_that_carries_small_datagrams_only_is_given_up()
    {
        using Pair pair = WithoutSizeProof();
        pair.Network.Fate = datagram => datagram.Payload.Length >= 1200 ? DatagramFate.Drop : DatagramFate.Deliver;
        pair.RunFor(25_000_000);
        Assert.AreEqual(CloseSource.NoViablePath, pair.Server.Closed!.Value.Source);
    }

    [TestMethod]
    public void What_the_amplification_limit_leaves_too_small_for_a_question_stops_nothing()
    {
        // From no room at all, over room for a packet but for no challenge in it, to room for one of them.
        for (int left = 0; left < 60; left++)
        {
            using Pair pair = new Pair().Handshake();
            pair.RunFor(500_000);
            var attacker = new EvilPeer(pair.Client, pair.Server) { From = NetworkAddress.FromIPv4(0xc0a80001, 9999) };
            attacker.Send(pair.Now, (ref WireWriter writer) => writer.WriteByte(1));
            Network forged = pair.Server.Core!.State.Paths.First.Network;
            forged.Amplification.OnSent((int)forged.Amplification.Budget - left);
            pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(1000), 10_000_000);
        }
    }

    /// <summary>The client was moved by its NAT while it said little: the server could ask for its address only in small.</summary>
    private static Pair WithoutSizeProof()
    {
        Pair pair = new Pair(new PairOptions
        {
            Client = ConnectionSettings.Default with { KeepAliveInterval = 500_000 },
        }).Handshake();
        pair.RunFor(500_000);
        pair.Network.Rebind(newAddress: 0x0a0000aa);
        pair.Client.Core!.Ping();
        pair.RunUntil(() => pair.Server.Core!.State.Paths.First.Network is { IsValidated: true, LacksSizeProof: true }, 1_000_000, "validation in small");
        return pair;
    }

    private static void OnePathLeft(SimulatedSide side)
    {
        Assert.IsTrue(side.Core!.GetPaths().Single().IsActive);
    }
}
