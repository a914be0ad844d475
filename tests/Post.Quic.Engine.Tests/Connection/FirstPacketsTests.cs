using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Crypto.Providers;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Tests.Simulation;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;
using Post.Quic.Engine.Wire.Packets;

namespace Post.Quic.Engine.Tests.Connections;

/// <summary>
/// The packets that anybody can forge, those of the handshake's edges, and the checks that come first: RFC 9000
/// sections 6, 12, 14 and 17, RFC 9001 section 4.9.
/// </summary>
[TestClass]
public sealed class FirstPacketsTests
{
    [TestMethod]
    public void A_retry_is_followed_once_and_its_forgeries_never()
    {
        using var pair = new Pair();
        ConnectionState client = pair.Connect().Client.Core!.State;
        ConnectionId first = client.OriginalDestination;

        Unchanged(Retry(client, tag: 1), "a wrong tag");
        Unchanged(Retry(client, token: []), "an empty token");
        Unchanged(Retry(client, source: first), "the id that the client chose");
        Unchanged(Retry(client, destination: new ConnectionId([9, 9, 9])), "not to the client's id");
        Deliver(pair, Retry(client));
        Assert.IsNotNull(client.RetrySource);
        ConnectionId followed = client.Paths.First.Network.RemoteId.Id;
        Assert.AreNotEqual(first, followed);

        Deliver(pair, Retry(client, source: new ConnectionId([7, 7, 7, 7, 7, 7, 7, 7])));
        Assert.AreEqual(followed, client.Paths.First.Network.RemoteId.Id, "a second Retry");
        Deliver(pair, Negotiation(client, (uint)QuicVersion.Version2));
        Assert.AreEqual(QuicVersion.Version1, client.Version.Current, "a Version Negotiation packet after a Retry");

        void Unchanged(byte[] packet, string what)
        {
            Deliver(pair, packet);
            Assert.IsNull(client.RetrySource, what);
        }
    }

    [TestMethod]
    public void A_retry_after_the_server_was_heard_is_ignored()
    {
        using Pair pair = new Pair().Handshake();
        ConnectionState client = pair.Client.Core!.State;
        ConnectionId id = client.Paths.First.Network.RemoteId.Id;
        Deliver(pair, Retry(client));
        Assert.IsNull(client.RetrySource);
        Assert.AreEqual(id, client.Paths.First.Network.RemoteId.Id);
    }

    [TestMethod]
    public void Version_negotiation_with_our_version_or_foreign_ids_is_ignored()
    {
        using var pair = new Pair();
        ConnectionState client = pair.Connect().Client.Core!.State;
        Deliver(pair, Negotiation(client, (uint)QuicVersion.Version1, 0x1a2a3a4a));
        Deliver(pair, Negotiation(client, 0x1a2a3a4a, source: new ConnectionId([1, 2, 3])));
        Deliver(pair, Negotiation(client, 0x1a2a3a4a, destination: new ConnectionId([1, 2, 3])));
        Assert.IsNull(pair.Client.Closed);
        Assert.IsFalse(client.Version.FollowedNegotiation);
        pair.RunUntil(() => pair.Client.IsConfirmed, 5_000_000, "handshake");
        Deliver(pair, Negotiation(client, 0x1a2a3a4a));
        Assert.IsNull(pair.Client.Closed);
    }

    [TestMethod]
    public void A_packet_without_frames_is_a_protocol_violation()
    {
        using Pair pair = new Pair().Handshake();

        // Protected by hand: the builder pads, and PADDING is a frame.
        ConnectionState client = pair.Client.Core!.State;
        var buffer = new byte[100];
        var writer = new WireWriter(buffer);
        PacketHeaderWriter.WriteShort(ref writer, client.Paths.First.Network.RemoteId.Id, 4, keyPhase: false, spin: false, fixedBit: true);
        int numberOffset = writer.Position;
        ulong number = client.Paths.First.Space.NextPacketNumber;
        PacketNumber.Write(ref writer, number, 4);
        client.Keys.Application!.Protect(buffer.AsSpan(0, writer.Position + PacketKeys.Overhead), numberOffset, 4, number);
        pair.Server.Core!.ReceiveDatagram(buffer.AsSpan(0, writer.Position + PacketKeys.Overhead), ToServer(pair), pair.Now);
        Assert.AreEqual((ulong)TransportErrorCode.ProtocolViolation, pair.Server.Closed?.ErrorCode);
    }

    [TestMethod]
    public void Reserved_bits_in_an_authentic_packet_are_a_protocol_violation()
    {
        using Pair pair = new Pair().Handshake();
        ConnectionState client = pair.Client.Core!.State;
        var buffer = new byte[100];
        var writer = new WireWriter(buffer);
        PacketHeaderWriter.WriteShort(ref writer, client.Paths.First.Network.RemoteId.Id, 4, keyPhase: false, spin: false, fixedBit: true);
        buffer[0] |= 0x18;
        int numberOffset = writer.Position;
        ulong number = client.Paths.First.Space.NextPacketNumber;
        PacketNumber.Write(ref writer, number, 4);
        PingFrame.Write(ref writer);
        client.Keys.Application!.Protect(buffer.AsSpan(0, writer.Position + PacketKeys.Overhead), numberOffset, 4, number);
        pair.Server.Core!.ReceiveDatagram(buffer.AsSpan(0, writer.Position + PacketKeys.Overhead), ToServer(pair), pair.Now);
        Assert.AreEqual((ulong)TransportErrorCode.ProtocolViolation, pair.Server.Closed?.ErrorCode);
    }

    [TestMethod]
    public void An_acknowledged_packet_number_that_was_skipped_is_a_protocol_violation()
    {
        using Pair pair = new Pair().Handshake();
        ConnectionState server = pair.Server.Core!.State;
        for (int i = 0; i < 4000 && !Skipped(server, out _); i++)
        {
            pair.Server.Core.Ping();
            pair.RunFor(1_000);
        }

        Assert.IsTrue(Skipped(server, out ulong skipped), "no number was skipped");
        new EvilPeer(pair.Client, pair.Server).Send(
            pair.Now,
            (ref WireWriter writer) =>
            {
                writer.WriteVarInt(FrameType.Ack);
                writer.WriteVarInt(skipped);
                writer.WriteVarInt(0);
                writer.WriteVarInt(0);
                writer.WriteVarInt(0);
            });
        Assert.AreEqual((ulong)TransportErrorCode.ProtocolViolation, pair.Server.Closed?.ErrorCode);
    }

    [TestMethod]
    public void Both_sides_pad_datagrams_with_ack_eliciting_Initial_packets()
    {
        using var pair = new Pair();
        int fromServer = 0;
        pair.Network.Sniffer = datagram =>
        {
            if (PacketHeader.TryParse(datagram.Payload, 8, out PacketHeader header) != PacketParseResult.Parsed
                || header.Type != PacketType.Initial)
            {
                return;
            }

            // All Initial packets of a server that are long enough to hold its ServerHello.
            if (datagram.FromClient || header.Length > 90)
            {
                Assert.IsGreaterThanOrEqualTo(1200, datagram.Payload.Length);
                fromServer += datagram.FromClient ? 0 : 1;
            }
        };
        pair.Handshake();
        Assert.IsGreaterThan(0, fromServer);
    }

    [TestMethod]
    public void An_Initial_in_a_small_datagram_is_dropped_by_the_server()
    {
        using Pair pair = new Pair().Connect();
        ConnectionState client = pair.Client.Core!.State;
        pair.Network.Sniffer = _ => { };
        pair.RunUntil(() => pair.Server.Core is not null, 1_000_000, "the first datagram");
        byte[] small = new EvilPeer(pair.Client, pair.Server).Build(
            pair.Now, (ref WireWriter writer) => PingFrame.Write(ref writer), EncryptionLevel.Initial, padTo: 1199);
        long before = pair.Server.Core!.GetStatistics().PacketsReceived;
        pair.Server.Core.ReceiveDatagram(small, ToServer(pair), pair.Now);
        Assert.AreEqual(before, pair.Server.Core.GetStatistics().PacketsReceived);
        Assert.AreEqual(1, pair.Server.Core.GetStatistics().PacketsDroppedByReason[PacketDropReason.Malformed]);
        Assert.IsFalse(client.IsOver);
    }

    [TestMethod]
    public void A_token_in_an_Initial_of_the_server_gets_it_dropped()
    {
        using Pair pair = new Pair().Connect();
        pair.RunUntil(() => pair.Server.Core is not null, 1_000_000, "the first datagram");
        pair.Server.Core!.State.Token = new byte[] { 1, 2, 3 };
        long before = pair.Client.Core!.GetStatistics().PacketsReceived;
        byte[] packet = new EvilPeer(pair.Server, pair.Client).Build(
            pair.Now, (ref WireWriter writer) => PingFrame.Write(ref writer), EncryptionLevel.Initial, padTo: 1200);
        Deliver(pair, packet);
        Assert.AreEqual(before, pair.Client.Core.GetStatistics().PacketsReceived);
        Assert.AreEqual(1, pair.Client.Core.GetStatistics().PacketsDroppedByReason[PacketDropReason.Malformed]);
    }

    [TestMethod]
    public void Keys_go_at_their_moments()
    {
        using Pair pair = new Pair().Connect();
        bool clientSentHandshake = false;
        pair.Network.Sniffer = datagram =>
        {
            if (datagram.FromClient && HasHandshakePacket(datagram.Payload))
            {
                // RFC 9001 section 4.9.1: a client's Initial keys go with its first Handshake packet.
                clientSentHandshake = true;
                Assert.IsTrue(pair.Client.Core!.State.Keys.IsDiscarded(EncryptionLevel.Initial));
            }
        };
        pair.RunUntil(() => clientSentHandshake, 5_000_000, "a Handshake packet of the client");
        Assert.IsFalse(pair.Server.Core!.State.Keys.IsDiscarded(EncryptionLevel.Initial), "no Handshake packet came yet");
        pair.RunUntil(() => pair.Client.IsConfirmed && pair.Server.IsConfirmed, 5_000_000, "confirmation");
        foreach (SimulatedSide side in new[] { pair.Client, pair.Server })
        {
            // RFC 9001 section 4.9.2.
            Assert.IsTrue(side.Core!.State.Keys.IsDiscarded(EncryptionLevel.Initial), side.Name);
            Assert.IsTrue(side.Core.State.Keys.IsDiscarded(EncryptionLevel.Handshake), side.Name);
        }
    }

    [TestMethod]
    public void A_packet_of_a_single_PING_does_not_run_into_the_one_behind_it()
    {
        // Both Handshake and 1-RTT have nothing but a PING to say, so that the first is padded for its sample.
        using Pair pair = new Pair().Connect();
        pair.RunUntil(() => pair.Client.IsComplete, 5_000_000, "the client's side of the handshake");
        pair.Client.Core!.State.Paths.First.Recovery.Handshake.ProbesPending = 1;
        pair.Client.Core.Ping();
        long before = pair.Client.Core.GetStatistics().PacketsSent;
        var buffer = new byte[1500];
        int length = 0;
        for (int i = 0; i < 4 && pair.Client.Core.GetStatistics().PacketsSent < before + 2; i++)
        {
            length = pair.Client.Core.BuildDatagrams(buffer, pair.Now, out _);
        }

        long received = pair.Server.Core!.GetStatistics().PacketsReceived;
        long forged = pair.Server.Core.GetStatistics().PacketsDroppedByReason[PacketDropReason.NotAuthentic];
        pair.Server.Core.ReceiveDatagram(buffer.AsSpan(0, length), ToServer(pair), pair.Now);
        Assert.AreEqual(forged, pair.Server.Core.GetStatistics().PacketsDroppedByReason[PacketDropReason.NotAuthentic]);
        Assert.AreEqual(0, pair.Server.Core.GetStatistics().PacketsDroppedByReason[PacketDropReason.UnknownConnectionId]);
        Assert.IsGreaterThan(received, pair.Server.Core.GetStatistics().PacketsReceived);
    }

    private static bool HasHandshakePacket(byte[] datagram)
    {
        var reader = new DatagramReader(datagram, 8);
        while (reader.TryReadNext(out PacketHeader header))
        {
            if (header.Type == PacketType.Handshake)
            {
                return true;
            }
        }

        return false;
    }

    private static bool Skipped(ConnectionState state, out ulong number)
    {
        for (number = 0; number < state.Paths.First.Space.NextPacketNumber; number++)
        {
            if (state.Paths.First.Space.HasSkipped(new PacketNumberRange(number, number)))
            {
                return true;
            }
        }

        return false;
    }

    private static DatagramMetadata ToServer(Pair pair) => new(
        pair.Server.Core!.State.Paths.First.Network.Local, pair.Server.Core.State.Paths.First.Network.Remote, EcnCodepoint.NotEct);

    private static void Deliver(Pair pair, byte[] datagram) => pair.Client.Core!.ReceiveDatagram(
        datagram, new DatagramMetadata(pair.Client.Address, pair.Server.Address, EcnCodepoint.NotEct), pair.Now);

    private static byte[] Retry(
        ConnectionState client, byte[]? token = null, ConnectionId? source = null, ConnectionId? destination = null, byte tag = 0)
    {
        var packet = new byte[200];
        var writer = new WireWriter(packet);
        PacketHeaderWriter.WriteRetry(
            ref writer,
            QuicVersion.Version1,
            destination ?? client.OwnInitialSource,
            source ?? new ConnectionId([1, 2, 3, 4, 5, 6, 7, 8]),
            token ?? [1, 2, 3],
            5);
        int length = writer.Position + RetryIntegrity.TagLength;
        using var integrity = new RetryIntegrity(CryptoProviderFactory.Default);
        integrity.Write(QuicVersion.Version1, client.OriginalDestination.Span, packet.AsSpan(0, length));
        packet[length - 1] ^= tag;
        return packet[..length];
    }

    private static byte[] Negotiation(
        ConnectionState client, uint version, uint second = 0x2a2a2a2a, ConnectionId? source = null, ConnectionId? destination = null)
    {
        var writer = new WireWriter(new byte[100]);
        VersionNegotiationPacket.Write(
            ref writer,
            (destination ?? client.OwnInitialSource).Span,
            (source ?? client.OriginalDestination).Span,
            [version, second],
            0);
        return writer.Written.ToArray();
    }
}
