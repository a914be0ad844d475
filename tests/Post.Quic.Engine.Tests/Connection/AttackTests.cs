using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Tests.Simulation;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;
using Post.Quic.Engine.Wire.Packets;

namespace Post.Quic.Engine.Tests.Connections;

[TestClass]
public sealed class AttackTests
{
    [TestMethod]
    public void Flood_of_challenges_gets_one_datagram_for_each_and_none_is_repeated()
    {
        using Pair pair = Quiet(out EvilPeer evil);
        int answers = 0;
        pair.Network.Fate = datagram =>
        {
            answers += datagram.FromClient ? 0 : 1;
            return DatagramFate.Drop;
        };
        for (int i = 0; i < 200; i++)
        {
            evil.Send(
                pair.Now,
                (ref WireWriter writer) =>
                {
                    while (writer.Remaining >= PathChallengeFrame.Length)
                    {
                        new PathChallengeFrame(pair.Server.Core!.State.Random.NextUInt64()).Write(ref writer);
                    }
                });
            Assert.IsLessThanOrEqualTo(Limits.MaxPendingPathResponses, pair.Server.Core!.State.Paths.First.Network.Responses.Count);
            pair.Drive();
        }

        // One answer a datagram, and an ACK for every second one.
        Assert.IsLessThanOrEqualTo(310, answers);
    }

    [TestMethod]
    public void Ids_stuffed_without_acknowledging_their_retirement_close_the_connection()
    {
        using Pair pair = Quiet(out EvilPeer evil);
        pair.Network.Conditions = new LinkConditions { Loss = 1 };
        for (ulong i = 100; i < 200 && pair.Server.Closed is null; i++)
        {
            evil.Send(pair.Now, (ref WireWriter writer) => NewId(i, i).Write(ref writer));
            pair.Drive();
        }

        Assert.AreEqual((ulong)TransportErrorCode.ConnectionIdLimitError, pair.Server.Closed?.ErrorCode);
    }

    [TestMethod]
    public void More_ids_than_allowed_close_the_connection()
    {
        using Pair pair = Quiet(out EvilPeer evil);
        evil.Send(pair.Now, (ref WireWriter writer) => NewId(50, 0).Write(ref writer));
        Assert.AreEqual((ulong)TransportErrorCode.ConnectionIdLimitError, pair.Server.Closed?.ErrorCode);
    }

    [TestMethod]
    public void Endless_retirement_of_our_ids_holds_no_more_than_the_limit()
    {
        using Pair pair = Quiet(out EvilPeer evil);
        pair.Network.Conditions = new LinkConditions { Loss = 1 };
        for (ulong i = 1; i < 500 && pair.Server.Closed is null; i++)
        {
            ulong sequence = i;
            evil.Send(pair.Now, (ref WireWriter writer) => new RetireConnectionIdFrame(sequence).Write(ref writer));
            Assert.IsLessThanOrEqualTo(Limits.MaxActiveConnectionIds, pair.Server.Ids.Count);
            pair.Drive();
        }

        // The window is full of ids that nobody acknowledged: the next retirement is of one that was never told.
        Assert.AreEqual((ulong)TransportErrorCode.ProtocolViolation, pair.Server.Closed?.ErrorCode);
        Assert.IsLessThan(200, pair.Server.IssuedIds);
    }

    [TestMethod]
    [DataRow(999UL)]
    [DataRow(16_383_001UL)]
    public void A_delay_that_we_did_not_offer_or_that_is_none_is_a_protocol_violation(ulong delay)
    {
        // draft-ietf-quic-ack-frequency section 4: below our min_ack_delay, or 2^14 milliseconds and more.
        using Pair pair = Quiet(out EvilPeer evil);
        evil.Send(pair.Now, (ref WireWriter writer) => new AckFrequencyFrame(0, 1, 1_000, 1).Write(ref writer));
        evil.Send(pair.Now, (ref WireWriter writer) => new AckFrequencyFrame(1, 1, 16_383_000, 1).Write(ref writer));
        Assert.IsNull(pair.Server.Closed);
        evil.Send(pair.Now, (ref WireWriter writer) => new AckFrequencyFrame(2, 1, delay, 1).Write(ref writer));
        Assert.AreEqual((ulong)TransportErrorCode.ProtocolViolation, pair.Server.Closed?.ErrorCode);
    }

    [TestMethod]
    public void Retirement_of_an_id_never_issued_is_a_protocol_violation()
    {
        using Pair pair = Quiet(out EvilPeer evil);
        evil.Send(pair.Now, (ref WireWriter writer) => new RetireConnectionIdFrame(99).Write(ref writer));
        Assert.AreEqual((ulong)TransportErrorCode.ProtocolViolation, pair.Server.Closed?.ErrorCode);
    }

    [TestMethod]
    public void Retirement_of_the_id_that_carried_it_is_a_protocol_violation()
    {
        using Pair pair = Quiet(out EvilPeer evil);
        ulong carrier = pair.Client.Core!.State.Paths.First.Network.RemoteId.Sequence;
        evil.Send(pair.Now, (ref WireWriter writer) => new RetireConnectionIdFrame(carrier).Write(ref writer));
        Assert.AreEqual((ulong)TransportErrorCode.ProtocolViolation, pair.Server.Closed?.ErrorCode);
    }

    /// <summary>
    /// A validated move would have us retire one id more than may be owed: the connection is closed by the PATH_RESPONSE, and
    /// what its packet still holds finds nothing to work on.
    /// </summary>
    [TestMethod]
    public void Frames_behind_the_one_that_closed_the_connection_are_not_processed()
    {
        var challenges = new Challenges();
        using Pair pair = Quiet(out EvilPeer evil, challenges);
        pair.Network.Conditions = new LinkConditions { Loss = 1 };
        ConnectionState server = pair.Server.Core!.State;
        int owed = Limits.MaxActiveConnectionIds;
        for (ulong i = 100; owed <= Limits.MaxPendingRetirements; i++, owed++)
        {
            evil.Send(pair.Now, (ref WireWriter writer) => NewId(i, i).Write(ref writer));
            pair.Drive();
        }

        evil.Send(pair.Now, (ref WireWriter writer) => NewId(300, 0).Write(ref writer));
        pair.Drive();
        Assert.IsNull(pair.Server.Closed, $"{pair.Server.Closed}");

        ConnectionState client = pair.Client.Core!.State;
        Assert.IsTrue(client.Paths.First.RemoteIds.TryTake(out RemoteConnectionId next));
        client.Paths.First.Network.RemoteId = next;
        challenges.Data.Clear();
        evil.From = NetworkAddress.FromIPv4(0x0a0000aa, 7);
        evil.Send(pair.Now, (ref WireWriter writer) => PingFrame.Write(ref writer));
        pair.Drive();
        Assert.IsNotEmpty(challenges.Data);
        evil.Send(pair.Now, (ref WireWriter writer) =>
        {
            foreach (ulong data in challenges.Data)
            {
                new PathResponseFrame(data).Write(ref writer);
            }

            StreamFrame.Write(ref writer, 0, 0, new byte[500], fin: false);
        });
        Assert.AreEqual((ulong)TransportErrorCode.ConnectionIdLimitError, pair.Server.Closed?.ErrorCode);
        Assert.AreEqual(0, server.Streams.Count);
        Assert.AreEqual(0L, server.Pool.RentedBytes);
    }

    [TestMethod]
    public void Ids_of_another_length_change_the_room_for_datagrams()
    {
        using Pair pair = Quiet(out EvilPeer evil);
        int before = pair.Server.Core!.Datagrams.MaxSize;
        evil.Send(pair.Now, (ref WireWriter writer) => new NewConnectionIdFrame(
            100, 100, new ConnectionId(new byte[20]), new StatelessResetToken(new byte[16])).Write(ref writer));
        Assert.AreEqual(20, pair.Server.Core.State.Paths.First.Network.RemoteId.Id.Length);
        Assert.AreEqual(before - 12, pair.Server.Core.Datagrams.MaxSize);
    }

    [TestMethod]
    public void Crypto_data_far_ahead_exceeds_the_buffer()
    {
        using Pair pair = Quiet(out EvilPeer evil);
        evil.Send(
            pair.Now,
            (ref WireWriter writer) => CryptoFrame.Write(ref writer, 1 << 20, [1]));
        Assert.AreEqual((ulong)TransportErrorCode.CryptoBufferExceeded, pair.Server.Closed?.ErrorCode);
    }

    [TestMethod]
    public void Crypto_data_in_crumbs_exceeds_the_buffer_with_little_memory()
    {
        using Pair pair = Quiet(out EvilPeer evil);
        for (ulong i = 0; i < 2000 && pair.Server.Closed is null; i++)
        {
            ulong offset = 10 + (2 * i);
            evil.Send(pair.Now, (ref WireWriter writer) => CryptoFrame.Write(ref writer, offset, [1]));
            Assert.IsLessThan(200_000L, pair.Server.Core!.State.Pool.RentedBytes);
        }

        Assert.AreEqual((ulong)TransportErrorCode.CryptoBufferExceeded, pair.Server.Closed?.ErrorCode);
    }

    [TestMethod]
    public void Done_from_a_client_is_a_protocol_violation()
    {
        using Pair pair = Quiet(out EvilPeer evil);
        evil.Send(pair.Now, (ref WireWriter writer) => writer.WriteByte(0x1e));
        Assert.AreEqual((ulong)TransportErrorCode.ProtocolViolation, pair.Server.Closed?.ErrorCode);
    }

    [TestMethod]
    public void Unknown_frame_is_a_frame_encoding_error()
    {
        using Pair pair = Quiet(out EvilPeer evil);
        evil.Send(pair.Now, (ref WireWriter writer) => writer.WriteVarInt(0x3f));
        Assert.AreEqual((ulong)TransportErrorCode.FrameEncodingError, pair.Server.Closed?.ErrorCode);
    }

    [TestMethod]
    public void Acknowledgement_of_a_packet_never_sent_is_a_protocol_violation()
    {
        using Pair pair = Quiet(out EvilPeer evil);
        evil.Send(
            pair.Now,
            (ref WireWriter writer) =>
            {
                writer.WriteByte(2);
                writer.WriteVarInt(100_000);
                writer.WriteVarInt(0);
                writer.WriteVarInt(0);
                writer.WriteVarInt(0);
            });
        Assert.AreEqual((ulong)TransportErrorCode.ProtocolViolation, pair.Server.Closed?.ErrorCode);
    }

    [TestMethod]
    public void Junk_and_forgeries_change_nothing()
    {
        using Pair pair = Quiet(out EvilPeer _);
        ConnectionId id = pair.Client.Core!.State.Paths.First.Network.RemoteId.Id;
        for (int i = 0; i < 2000; i++)
        {
            byte[] junk = pair.RandomBytes(20 + (i % 1400));
            id.Span.CopyTo(junk.AsSpan(1));
            junk[0] |= 0x40;
            junk[0] &= 0x7f;
            pair.Server.Core!.ReceiveDatagram(
                junk, new DatagramMetadata(pair.Server.Address, pair.Client.Address, EcnCodepoint.NotEct), pair.Now);
        }

        Assert.IsNull(pair.Server.Closed);
        Assert.AreEqual(0, pair.Server.Core!.State.Waiting.Count);
        pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(10_000), 5_000_000);
    }

    [TestMethod]
    public void Packets_that_wait_for_keys_are_capped()
    {
        using var pair = new Pair();
        pair.Connect();
        pair.RunUntil(() => pair.Server.Core is not null, 1_000_000, "arrival");
        ConnectionState state = pair.Server.Core!.State;
        for (int i = 0; i < 1000; i++)
        {
            byte[] junk = pair.RandomBytes(1200);
            junk[0] = 0x40;
            state.OwnInitialSource.Span.CopyTo(junk.AsSpan(1));
            pair.Server.Core.ReceiveDatagram(
                junk, new DatagramMetadata(pair.Server.Address, pair.Client.Address, EcnCodepoint.NotEct), pair.Now);
        }

        Assert.IsLessThanOrEqualTo(Limits.MaxUndecryptablePackets, state.Waiting.Count);
        pair.RunUntil(() => pair.Client.IsConfirmed, 5_000_000, "handshake");
        Assert.AreEqual(0, state.Waiting.Count);
    }

    [TestMethod]
    public void Packets_that_wait_for_keys_are_capped_in_bytes_and_age()
    {
        using var waiting = new UndecryptablePackets();
        byte[] large = new byte[4_000];
        int taken = 0;
        while (waiting.TryAdd(EncryptionLevel.Handshake, large, 20, default, now: 0))
        {
            taken++;
        }

        Assert.AreEqual(Limits.MaxUndecryptableBytes / large.Length, taken);
        Assert.IsLessThanOrEqualTo(Limits.MaxUndecryptableBytes, waiting.Bytes);
        Assert.IsFalse(waiting.TryAdd(EncryptionLevel.Handshake, large, 20, default, Limits.MaxUndecryptableAge));
        Assert.IsTrue(waiting.TryAdd(EncryptionLevel.Handshake, large, 20, default, Limits.MaxUndecryptableAge + 1));
        Assert.AreEqual(1, waiting.Count, "What came first is too old to be of use.");
    }

    /// <summary>Each packet costs header protection and more: a datagram of 60 of them is worth no more than one of a few.</summary>
    [TestMethod]
    public void Datagram_full_of_tiny_packets_is_read_in_part()
    {
        using var pair = new Pair();
        pair.Connect();
        pair.RunUntil(() => pair.Server.Core is not null, 1_000_000, "arrival");
        ConnectionState state = pair.Server.Core!.State;
        byte[] datagram = new byte[1_452];
        var writer = new WireWriter(datagram);
        int packets = 0;
        while (writer.Remaining >= 60)
        {
            int length = PacketHeaderWriter.WriteLong(
                ref writer, PacketType.Handshake, QuicVersion.Version1, state.OwnInitialSource, state.PeerInitialSource, [], 4);
            PacketHeaderWriter.FillLength(datagram, length, 20);
            writer.Advance(20);
            packets++;
        }

        long before = pair.Server.Core.GetStatistics().PacketsDropped + state.Waiting.Count;
        pair.Server.Core.ReceiveDatagram(
            datagram.AsSpan(0, writer.Position),
            new DatagramMetadata(pair.Server.Address, pair.Client.Address, EcnCodepoint.NotEct),
            pair.Now);
        Assert.IsGreaterThan(20, packets);
        Assert.AreEqual(
            Limits.MaxPacketsPerDatagram, pair.Server.Core.GetStatistics().PacketsDropped + state.Waiting.Count - before);
    }

    [TestMethod]
    public void Silent_client_gets_no_more_than_three_times_its_bytes()
    {
        using var pair = new Pair();
        long up = 0;
        long down = 0;
        pair.Network.Fate = datagram =>
        {
            up += datagram.FromClient && datagram.Index == 0 ? datagram.Payload.Length : 0;
            down += datagram.FromClient ? 0 : datagram.Payload.Length;
            return datagram.FromClient && datagram.Index == 0 ? DatagramFate.Deliver : DatagramFate.Drop;
        };
        pair.Connect().RunFor(9_000_000);
        Assert.IsGreaterThan(0L, down);
        Assert.IsLessThanOrEqualTo(3 * up, down);
    }

    [TestMethod]
    public void New_addresses_without_end_do_not_grow_the_paths()
    {
        using Pair pair = Quiet(out EvilPeer evil);
        pair.Network.Conditions = new LinkConditions { Loss = 1 };
        for (ushort i = 0; i < 500; i++)
        {
            evil.From = NetworkAddress.FromIPv4(0xc0a80000u + i, i);
            evil.Send(pair.Now, (ref WireWriter writer) => writer.WriteByte(1));
            pair.Drive();
            Assert.IsLessThanOrEqualTo(Limits.MaxNetworks, pair.Server.Core!.GetPaths().Length);
        }

        Assert.IsNull(pair.Server.Closed);
    }

    private static NewConnectionIdFrame NewId(ulong sequence, ulong retirePriorTo)
    {
        Span<byte> id = stackalloc byte[8];
        BitConverter.TryWriteBytes(id, sequence);
        Span<byte> token = stackalloc byte[16];
        BitConverter.TryWriteBytes(token, sequence);
        return new NewConnectionIdFrame(sequence, retirePriorTo, new ConnectionId(id), new StatelessResetToken(token));
    }

    private static Pair Quiet(out EvilPeer evil, ConnectionTrace? serverTrace = null)
    {
        Pair pair = new Pair(new PairOptions { ServerTrace = serverTrace }).Handshake();
        pair.RunFor(500_000);
        evil = new EvilPeer(pair.Client, pair.Server);
        return pair;
    }

    /// <summary>Reads along what is asked over paths.</summary>
    private sealed class Challenges : ConnectionTrace
    {
        public List<ulong> Data { get; } = [];

        public override void PacketSent(
            long now, Network path, EncryptionLevel level, ulong packetNumber, int size, ReadOnlySpan<byte> payload)
        {
            var reader = new WireReader(payload);
            if (reader.TryReadVarInt(out ulong type)
                && type == FrameType.PathChallenge
                && PathChallengeFrame.TryParse(ref reader, out PathChallengeFrame challenge))
            {
                Data.Add(challenge.Data);
            }
        }
    }
}
