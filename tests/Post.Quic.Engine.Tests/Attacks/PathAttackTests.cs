using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Tests.Simulation;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;
using Path = Post.Quic.Engine.Paths.Path;

namespace Post.Quic.Engine.Tests.Attacks;

/// <summary>Peers that use several paths (draft-ietf-quic-multipath-21) to want our memory or our time, with true keys.</summary>
[TestClass]
public sealed class PathAttackTests
{
    private const int Paths = 4;
    private const long Second = 1_000_000;

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void Any_path_id_that_was_not_allowed_ends_the_connection(bool atServer)
    {
        EvilPeer.FrameAuthor[] authors =
        [
            (ref WireWriter writer) => new PathAbandonFrame(Paths, 0).Write(ref writer),
            (ref WireWriter writer) => new PathStatusFrame(IsBackup: true, Paths, 0).Write(ref writer),
            (ref WireWriter writer) => new PathStatusFrame(IsBackup: false, 1 << 20, 0).Write(ref writer),
            (ref WireWriter writer) => new NewConnectionIdFrame(0, 0, new ConnectionId([9, 9, 9]), default, Paths).Write(ref writer),
            (ref WireWriter writer) => new RetireConnectionIdFrame(0, ulong.MaxValue >> 2).Write(ref writer),
            (ref WireWriter writer) => new PathConnectionIdsBlockedFrame(1UL << 32, 0).Write(ref writer),
            (ref WireWriter writer) => new PathsBlockedFrame(1 << 20).Write(ref writer),
            (ref WireWriter writer) => new MaxPathIdFrame(1UL << 32).Write(ref writer),
            (ref WireWriter writer) => new MaxPathIdFrame(Paths - 2).Write(ref writer),
            (ref WireWriter writer) => Assert.IsTrue(AckFrameWriter.TryWrite(ref writer, [new PacketNumberRange(0, 0)], 0, default, out _, Paths)),
        ];
        for (int i = 0; i < authors.Length; i++)
        {
            using Pair pair = Connected(atServer, out EvilPeer evil, out SimulatedSide victim);
            evil.Send(pair.Now, authors[i]);
            Assert.AreEqual((ulong)TransportErrorCode.ProtocolViolation, victim.Closed?.ErrorCode, $"frame {i}");
            Assert.IsLessThanOrEqualTo(Paths, victim.Core!.State.Paths.Known.Length);
        }
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void Acknowledgements_for_paths_that_never_were_end_the_connection(bool atServer)
    {
        for (uint id = 1; id < Paths; id++)
        {
            using Pair pair = Connected(atServer, out EvilPeer evil, out SimulatedSide victim);
            uint path = id;
            evil.Send(pair.Now, (ref WireWriter writer) =>
                Assert.IsTrue(AckFrameWriter.TryWrite(ref writer, [new PacketNumberRange(0, 0)], 0, default, out _, path)));
            Assert.AreEqual((ulong)TransportErrorCode.ProtocolViolation, victim.Closed?.ErrorCode);
        }
    }

    [TestMethod]
    public void Acknowledgements_of_what_was_not_sent_on_a_path_end_the_connection()
    {
        using Pair pair = Connected(atServer: true, out EvilPeer evil, out SimulatedSide victim);
        uint id = Open(pair, 1);
        ulong next = victim.Core!.State.Paths.Find(id)!.Space.NextPacketNumber;
        evil.Send(pair.Now, (ref WireWriter writer) =>
            Assert.IsTrue(AckFrameWriter.TryWrite(ref writer, [new PacketNumberRange(next, next)], 0, default, out _, id)));
        Assert.AreEqual((ulong)TransportErrorCode.ProtocolViolation, victim.Closed?.ErrorCode);
    }

    [TestMethod]
    public void What_is_said_of_a_forgotten_path_is_ignored()
    {
        using Pair pair = Connected(atServer: true, out EvilPeer evil, out SimulatedSide victim);
        uint id = Open(pair, 1);
        Assert.IsTrue(pair.Client.Core!.TryAbandonPath(id, 0, pair.Now));
        pair.RunFor(10 * Second);
        Assert.IsNull(victim.Core!.State.Paths.Find(id));
        int known = victim.Core.State.Paths.Known.Length;
        for (int i = 0; i < 100; i++)
        {
            evil.Send(pair.Now, (ref WireWriter writer) =>
            {
                Assert.IsTrue(AckFrameWriter.TryWrite(ref writer, [new PacketNumberRange(0, 0)], 0, default, out _, id));
                new PathAbandonFrame(id, 7).Write(ref writer);
                new PathStatusFrame(IsBackup: true, id, 3).Write(ref writer);
                new NewConnectionIdFrame(9, 0, new ConnectionId([1, 2, 3, 4]), default, id).Write(ref writer);
                new RetireConnectionIdFrame(0, id).Write(ref writer);
                new PathConnectionIdsBlockedFrame(id, 99).Write(ref writer);
            });
        }

        Assert.IsNull(victim.Closed);
        Assert.AreEqual(known, victim.Core.State.Paths.Known.Length);
        pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(50_000), 20 * Second);
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void Connection_ids_stuffed_into_every_path_are_held_to_the_limit_of_each(bool atServer)
    {
        for (ulong path = 0; path < Paths; path++)
        {
            using Pair pair = Connected(atServer, out EvilPeer evil, out SimulatedSide victim);
            ulong id = path;
            ulong next = (atServer ? pair.Client : pair.Server).Core!.State.Paths.Find((uint)id)!.LocalIds.Next;
            for (ulong i = 0; i < 1_000 && victim.Closed is null; i++)
            {
                ulong number = next + i;
                evil.Send(pair.Now, (ref WireWriter writer) =>
                    new NewConnectionIdFrame(number, 0, Id(id, number), Token(id, number), id).Write(ref writer));
                Assert.IsLessThanOrEqualTo(Limits.MaxActiveConnectionIds, (int)i, "more ids were taken than the limit allows");
            }

            Assert.AreEqual((ulong)TransportErrorCode.ConnectionIdLimitError, victim.Closed?.ErrorCode, $"path {path}");
        }
    }

    /// <summary>Each id asks for the one before it back, and what the victim gives back is never acknowledged.</summary>
    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void Connection_ids_that_ask_each_other_back_on_every_path_are_held_to_what_may_wait(bool atServer)
    {
        using Pair pair = Connected(atServer, out EvilPeer evil, out SimulatedSide victim);
        pair.Network.Conditions = new LinkConditions { Loss = 1 };
        int sent = 0;
        for (ulong sequence = 2; sequence < 2_000 && victim.Closed is null; sequence++)
        {
            for (ulong path = 0; path < Paths && victim.Closed is null; path++)
            {
                ulong id = path;
                ulong number = sequence;
                evil.Send(pair.Now, (ref WireWriter writer) =>
                    new NewConnectionIdFrame(number, number, Id(id, number), Token(id, number), id).Write(ref writer));
                sent++;
            }

            pair.RunFor(1_000);
            Assert.IsLessThanOrEqualTo(Paths * Limits.MaxActiveConnectionIds, victim.PeerTokens.Count);
        }

        Assert.IsNotNull(victim.Closed, "ids were given back without end");
        Assert.IsLessThan(2 * Paths * Limits.MaxPendingRetirements, sent);
    }

    [TestMethod]
    public void One_connection_id_for_two_paths_ends_the_connection()
    {
        using Pair pair = Connected(atServer: true, out EvilPeer evil, out SimulatedSide victim);
        evil.Send(pair.Now, (ref WireWriter writer) =>
        {
            new NewConnectionIdFrame(2, 2, Id(1, 1), Token(1, 1), 1).Write(ref writer);
            new NewConnectionIdFrame(2, 2, Id(1, 1), Token(1, 1), 2).Write(ref writer);
        });
        Assert.AreEqual((ulong)TransportErrorCode.ProtocolViolation, victim.Closed?.ErrorCode);
    }

    [TestMethod]
    public void A_peer_that_allows_all_path_ids_there_are_is_given_connection_ids_for_a_few()
    {
        using Pair pair = Connected(atServer: true, out EvilPeer evil, out SimulatedSide victim);
        int ids = victim.Ids.Count;
        evil.Send(pair.Now, (ref WireWriter writer) => new MaxPathIdFrame(uint.MaxValue).Write(ref writer));
        for (uint i = 0; i < 1_000; i++)
        {
            evil.Send(pair.Now, (ref WireWriter writer) =>
            {
                new PathsBlockedFrame(Paths - 1).Write(ref writer);
                new PathConnectionIdsBlockedFrame(1, 2).Write(ref writer);
            });
        }

        pair.RunFor(Second);
        Assert.IsNull(victim.Closed);
        Assert.AreEqual(ids, victim.Ids.Count);
        Assert.AreEqual((uint)(Paths - 1), victim.Core!.State.Paths.Limits.Own);
        Assert.IsLessThanOrEqualTo(Paths, victim.Core.State.Paths.Known.Length);
    }

    [TestMethod]
    public void Blocked_at_a_connection_id_that_cannot_be_next_ends_the_connection()
    {
        using Pair pair = Connected(atServer: true, out EvilPeer evil, out SimulatedSide victim);
        evil.Send(pair.Now, (ref WireWriter writer) => new PathConnectionIdsBlockedFrame(1, 1_000).Write(ref writer));
        Assert.AreEqual((ulong)TransportErrorCode.ProtocolViolation, victim.Closed?.ErrorCode);
    }

    /// <summary>Opens, gives up, and opens the next one as fast as it is let.</summary>
    [TestMethod]
    public void Paths_that_come_and_go_without_pause_leave_nothing_behind()
    {
        using Pair pair = Connected(atServer: true, out _, out SimulatedSide victim);
        int mostIds = 0;
        uint opened = 0;
        for (int i = 0; i < 2_000; i++)
        {
            NetworkAddress local = NetworkAddress.FromIPv4(0x0a010000u + (uint)(i % 200), (ushort)(50_000 + (i % 500)));
            if (pair.Client.Core!.TryOpenPath(local, default, pair.Now, out uint id) == PathOpening.Begun)
            {
                opened = id;
            }

            foreach (Path path in pair.Client.Core.State.Paths.Open.ToArray())
            {
                if (path.Id != 0 && (i + path.Id) % 3 == 0)
                {
                    _ = pair.Client.Core.TryAbandonPath(path.Id, 0, pair.Now);
                }
            }

            pair.RunFor(17_000);
            mostIds = Math.Max(mostIds, victim.Ids.Count);
            Assert.IsLessThanOrEqualTo(Paths, victim.Core!.State.Paths.Known.Length, pair.Repeat);
        }

        Assert.IsNull(victim.Closed);
        Assert.IsNull(pair.Client.Closed);
        Assert.IsGreaterThan(50u, opened);
        Assert.IsLessThanOrEqualTo(Paths * Limits.MaxActiveConnectionIds, mostIds);
        pair.RunFor(20 * Second);
        Assert.IsLessThanOrEqualTo(Paths * Limits.MaxActiveConnectionIds, victim.PeerTokens.Count);
        pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(200_000), 20 * Second);
    }

    [TestMethod]
    public void All_paths_given_up_in_one_packet_end_the_connection_or_leave_one()
    {
        using Pair pair = Connected(atServer: true, out EvilPeer evil, out SimulatedSide victim);
        _ = Open(pair, 1);
        evil.Send(pair.Now, (ref WireWriter writer) =>
        {
            for (ulong id = 0; id < Paths; id++)
            {
                new PathAbandonFrame(id, 0).Write(ref writer);
            }
        });
        pair.RunFor(20 * Second);
        Assert.IsTrue(victim.Closed is not null || victim.Core!.State.Paths.Open.Length > 0, "a connection without any path goes on");
        Assert.IsLessThanOrEqualTo(Paths, victim.Core!.State.Paths.Known.Length);
    }

    [TestMethod]
    public void A_path_that_was_given_up_and_keeps_talking_is_forgotten_all_the_same()
    {
        using Pair pair = Connected(atServer: true, out EvilPeer evil, out SimulatedSide victim);
        uint id = Open(pair, 1);
        Path theirs = pair.Client.Core!.State.Paths.Find(id)!;
        NetworkAddress from = pair.Network.Translate(theirs.Network.Local);

        // Built while the path was open, so that they keep the true form.
        var packets = new List<byte[]>();
        evil.On = theirs;
        for (int i = 0; i < 2_000; i++)
        {
            packets.Add(evil.Build(pair.Now, (ref WireWriter writer) => PingFrame.Write(ref writer)));
        }

        Assert.IsTrue(pair.Client.Core.TryAbandonPath(id, 0, pair.Now));
        pair.RunFor(30_000);
        Assert.AreEqual(PathPhase.Abandoned, victim.Core!.State.Paths.Find(id)!.Phase);
        long sent = victim.Core.GetPaths().Where(path => path.PathId == id).Sum(path => path.BytesSent);
        foreach (byte[] packet in packets)
        {
            victim.Core.ReceiveDatagram(packet, new DatagramMetadata(victim.Address, from, default), pair.Now);
            pair.RunFor(1_000);
            long now = victim.Core.GetPaths().Where(path => path.PathId == id).Sum(path => path.BytesSent);
            Assert.IsLessThanOrEqualTo(sent, now, "something was sent on a path that was given up");
        }

        Assert.IsNull(victim.Core.State.Paths.Find(id), "it is kept alive by talking");
        Assert.IsNull(victim.Closed);
        pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(50_000), 20 * Second);
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void A_peer_that_never_answers_the_end_of_a_path_does_not_keep_it(bool atServer)
    {
        using Pair pair = Connected(atServer, out EvilPeer evil, out SimulatedSide victim);
        uint id = Open(pair, 1);
        Assert.IsTrue(victim.Core!.TryAbandonPath(id, 0, pair.Now));
        pair.Network.Conditions = new LinkConditions { Loss = 1 };
        for (int i = 0; i < 400 && victim.Core.State.Paths.Find(id) is not null; i++)
        {
            // It lives, and acknowledges what it likes; the answer never comes.
            evil.Send(pair.Now, (ref WireWriter writer) => PingFrame.Write(ref writer));
            pair.RunFor(50_000);
            Assert.IsNull(victim.Closed);
        }

        Assert.IsNull(victim.Core.State.Paths.Find(id));
        Assert.IsLessThanOrEqualTo(Paths, victim.Core.State.Paths.Known.Length);
    }

    [TestMethod]
    public void Challenges_on_all_paths_are_answered_a_few_at_a_time()
    {
        using Pair pair = Connected(atServer: true, out EvilPeer evil, out SimulatedSide victim);
        uint[] ids = [Open(pair, 1), Open(pair, 2), Open(pair, 3)];
        long before = victim.Core!.GetStatistics().DatagramsSent;
        for (int round = 0; round < 50; round++)
        {
            foreach (uint id in ids)
            {
                evil.On = pair.Client.Core!.State.Paths.Find(id);
                evil.From = pair.Network.Translate(evil.On!.Network.Local);
                evil.Send(pair.Now, (ref WireWriter writer) =>
                {
                    for (ulong i = 0; i < 100; i++)
                    {
                        new PathChallengeFrame(i).Write(ref writer);
                    }
                });
                Assert.IsLessThanOrEqualTo(
                    Limits.MaxPendingPathResponses, victim.Core.State.Paths.Find(id)!.Network.Responses.Count);
            }

            pair.RunFor(1_000);
        }

        pair.RunFor(Second);
        Assert.IsNull(victim.Closed);
        Assert.IsLessThan(4 * 50 * ids.Length, victim.Core.GetStatistics().DatagramsSent - before);
    }

    /// <summary>Whoever says that it opens paths from addresses which are not its own makes us send little there.</summary>
    [TestMethod]
    public void A_path_from_a_forged_address_is_sent_no_more_than_three_times_what_came()
    {
        using Pair pair = Connected(atServer: true, out EvilPeer evil, out SimulatedSide victim);
        long received = 0;
        long sent = 0;
        NetworkAddress forged = NetworkAddress.FromIPv4(0xc6336401, 7777);
        pair.Network.Sniffer = datagram => sent += datagram.To == forged ? datagram.Payload.Length : 0;
        Path unused = pair.Client.Core!.State.Paths.FindUnused()!;
        Assert.IsNotNull(pair.Client.Core.State.Paths.Begin(unused, NetworkAddress.FromIPv4(0x0a000105, 5), pair.Server.Address));
        evil.On = unused;
        evil.From = forged;
        for (int i = 0; i < 3; i++)
        {
            byte[] packet = evil.Build(pair.Now, (ref WireWriter writer) => new PathChallengeFrame(5).Write(ref writer));
            received += packet.Length;
            victim.Core!.ReceiveDatagram(packet, new DatagramMetadata(victim.Address, forged, default), pair.Now);
            pair.RunFor(2 * Second);
        }

        pair.RunFor(10 * Second);
        Assert.IsGreaterThan(0, sent, "nothing was answered, so nothing is shown");
        Assert.IsLessThanOrEqualTo(3 * received, sent);
        Assert.IsNull(victim.Closed);
    }

    [TestMethod]
    public void A_status_that_is_older_than_the_last_means_nothing()
    {
        using Pair pair = Connected(atServer: true, out EvilPeer evil, out SimulatedSide victim);
        uint id = Open(pair, 1);
        evil.Send(pair.Now, (ref WireWriter writer) => new PathStatusFrame(IsBackup: true, id, ulong.MaxValue >> 2).Write(ref writer));
        Assert.IsTrue(victim.Core!.State.Paths.Find(id)!.IsBackup);
        for (ulong i = 0; i < 100; i++)
        {
            ulong sequence = i;
            evil.Send(pair.Now, (ref WireWriter writer) => new PathStatusFrame(IsBackup: false, id, sequence).Write(ref writer));
            Assert.IsTrue(victim.Core.State.Paths.Find(id)!.IsBackup);
        }

        Assert.IsNull(victim.Closed);
    }

    private static Pair Connected(bool atServer, out EvilPeer evil, out SimulatedSide victim)
    {
        var settings = new ConnectionSettings { MaxPaths = Paths };
        Pair pair = new Pair(new PairOptions { StandInTls = true, Client = settings, Server = settings }).Handshake();
        pair.RunFor(Second);
        victim = atServer ? pair.Server : pair.Client;
        evil = new EvilPeer(atServer ? pair.Client : pair.Server, victim);
        return pair;
    }

    private static uint Open(Pair pair, int which)
    {
        NetworkAddress local = NetworkAddress.FromIPv4(0x0a000200u + (uint)which, (ushort)(51_000 + which));
        Assert.AreEqual(PathOpening.Begun, pair.Client.Core!.TryOpenPath(local, default, pair.Now, out uint id));
        pair.RunUntil(() => pair.Server.Core!.State.Paths.Find(id) is { IsUsable: true }, 5 * Second, "a path");
        pair.RunFor(200_000);
        return id;
    }

    private static ConnectionId Id(ulong path, ulong sequence) =>
        new([(byte)path, 0xbb, (byte)(sequence >> 8), (byte)sequence, 1, 2, 3, 4]);

    private static StatelessResetToken Token(ulong path, ulong sequence) =>
        new([(byte)path, 1, (byte)(sequence >> 8), (byte)sequence, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
}
