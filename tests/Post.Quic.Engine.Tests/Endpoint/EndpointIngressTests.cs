using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Crypto.Providers;
using Post.Quic.Engine.Diagnostics;
using Post.Quic.Engine.Endpoint;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Tests.Crypto;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;
using Post.Quic.Engine.Wire.Packets;

namespace Post.Quic.Engine.Tests.Endpoint;

[TestClass]
public sealed class EndpointIngressTests
{
    private static readonly CryptoProvider Platform = CryptoProviderFactory.Create(CryptoProviderKind.Platform);
    private static readonly NetworkAddress Client = NetworkAddress.FromIPv4(0x7f000001, 50000);
    private static readonly DatagramMetadata FromClient = new(NetworkAddress.FromIPv4(0x7f000001, 4433), Client, default);

    [TestMethod]
    public void A_first_initial_of_1200_bytes_may_become_a_connection()
    {
        using var world = new World();
        byte[] id = [1, 2, 3, 4, 5, 6, 7, 8];

        Route<string> route = world.Decide(Initial(id, sourceId: [9, 9]));

        Assert.AreEqual(RouteKind.Accept, route.Kind);
        Assert.AreEqual(new ConnectionId(id), route.Arrival.DestinationConnectionId);
        Assert.AreEqual(new ConnectionId(id), route.Arrival.OriginalDestinationConnectionId);
        Assert.AreEqual(new ConnectionId([9, 9]), route.Arrival.SourceConnectionId);
        Assert.IsNull(route.Arrival.RetrySourceConnectionId);
        Assert.IsFalse(route.Arrival.IsAddressValidated);
    }

    [TestMethod]
    [DataRow(1199, 8, DisplayName = "datagram below 1200 bytes (RFC 9000 section 14.1)")]
    [DataRow(1200, 7, DisplayName = "destination id below 8 bytes (RFC 9000 section 7.2)")]
    public void An_initial_that_is_too_short_is_dropped(int size, int idLength)
    {
        using var world = new World();

        Assert.AreEqual(RouteKind.Drop, world.Decide(Initial(new byte[idLength], size: size)).Kind);
    }

    [TestMethod]
    public void Nothing_is_accepted_or_answered_where_nobody_listens()
    {
        using var world = new World(listens: false);

        Assert.AreEqual(RouteKind.Drop, world.Decide(Initial(new byte[8])).Kind);
        Assert.AreEqual(RouteKind.Drop, world.Decide(Initial(new byte[8], version: 0x1a2a3a4a)).Kind);
        Assert.AreEqual(RouteKind.Drop, world.Decide(ShortHeader(new byte[8], 100)).Kind);
    }

    [TestMethod]
    public void An_unknown_version_is_answered_with_the_versions_spoken_and_a_reserved_one()
    {
        using var world = new World();

        // Ids of other versions may be longer than 20 bytes (RFC 8999 section 5.1).
        byte[] destination = [.. Enumerable.Range(0, 200).Select(i => (byte)i)];
        Route<string> route = world.Decide(LongHeader(0x1a2a3a4a, destination, [7, 7, 7]));

        Assert.AreEqual(RouteKind.Respond, route.Kind);
        Assert.IsTrue(VersionNegotiationPacket.TryParse(world.Response(route), out VersionNegotiationPacket packet));
        CollectionAssert.AreEqual(new byte[] { 7, 7, 7 }, packet.DestinationConnectionId.ToArray());
        CollectionAssert.AreEqual(destination, packet.SourceConnectionId.ToArray());
        Assert.IsTrue(packet.Contains((uint)QuicVersion.Version1));
        Assert.IsTrue(packet.Contains((uint)QuicVersion.Version2));
        Assert.IsTrue(QuicVersions.IsReserved(packet.Version(packet.VersionCount - 1)));
    }

    [TestMethod]
    public void A_version_negotiation_packet_is_never_answered()
    {
        using var world = new World();

        Assert.AreEqual(RouteKind.Drop, world.Decide(LongHeader(0, new byte[8], new byte[8])).Kind);
    }

    [TestMethod]
    public void A_retried_client_comes_back_with_its_address_proven()
    {
        using var world = new World(QuicRetryPolicy.Always);
        byte[] original = [1, 2, 3, 4, 5, 6, 7, 8];

        (byte[] token, byte[] newId) = world.Retry(Initial(original, sourceId: [9]), original);
        Route<string> route = world.Decide(Initial(newId, sourceId: [9], token: token));

        Assert.AreEqual(RouteKind.Accept, route.Kind);
        Assert.IsTrue(route.Arrival.IsAddressValidated);
        Assert.AreEqual(new ConnectionId(original), route.Arrival.OriginalDestinationConnectionId);
        Assert.AreEqual(new ConnectionId(newId), route.Arrival.RetrySourceConnectionId);
    }

    [TestMethod]
    public void A_retry_token_from_another_address_is_refused_with_invalid_token()
    {
        using var world = new World(QuicRetryPolicy.Always);
        byte[] original = [1, 2, 3, 4, 5, 6, 7, 8];
        (byte[] token, byte[] newId) = world.Retry(Initial(original), original);

        Route<string> route = world.Decide(
            Initial(newId, token: token), FromClient with { Remote = Client.WithPort(50001) });

        Assert.AreEqual(RouteKind.Respond, route.Kind);
        byte[] refusal = world.Response(route);
        (PacketKeys send, PacketKeys receive) = InitialSecrets.CreateKeys(
            Platform, QuicVersion.Version1, new ConnectionId(newId), isClient: true);
        using (send)
        using (receive)
        {
            Assert.AreEqual(PacketParseResult.Parsed, PacketHeader.TryParse(refusal, 8, out PacketHeader header));
            Assert.AreEqual(PacketType.Initial, header.Type);
            int numberAt = header.PacketNumberOffset;
            Assert.IsTrue(receive.TryUnprotectHeader(refusal, numberAt, out int numberLength, out uint number));
            Assert.IsTrue(receive.TryOpen(refusal, numberAt + numberLength, number));
            Assert.AreEqual((byte)FrameType.ConnectionClose, refusal[numberAt + numberLength]);
            Assert.AreEqual((byte)TransportErrorCode.InvalidToken, refusal[numberAt + numberLength + 1]);
        }
    }

    [TestMethod]
    public void A_retry_token_does_not_outlive_its_time()
    {
        using var world = new World(QuicRetryPolicy.Always);
        byte[] original = [1, 2, 3, 4, 5, 6, 7, 8];
        (byte[] token, byte[] newId) = world.Retry(Initial(original), original);

        world.Now += Limits.RetryTokenLifetimeMicroseconds + 1;

        Assert.AreEqual(RouteKind.Respond, world.Decide(Initial(newId, token: token)).Kind);
    }

    [TestMethod]
    public void A_token_of_an_earlier_connection_proves_the_address_once()
    {
        using var world = new World(QuicRetryPolicy.Always);
        byte[] token = world.NewToken(Client);

        // RFC 9000 section 8.1.3: the same address; the port may be another.
        DatagramMetadata later = FromClient with { Remote = Client.WithPort(50099) };
        Route<string> first = world.Decide(Initial(new byte[8], token: token), later);
        Route<string> replayed = world.Decide(Initial([8, 7, 6, 5, 4, 3, 2, 1], token: token), later);

        Assert.AreEqual(RouteKind.Accept, first.Kind);
        Assert.IsTrue(first.Arrival.IsAddressValidated);
        Assert.AreEqual(RouteKind.Respond, replayed.Kind, "A replayed token must not spare the Retry.");
    }

    [TestMethod]
    public void A_flood_of_handshakes_meets_retry_and_then_silence()
    {
        using var world = new World();

        Assert.AreEqual(RouteKind.Accept, world.Decide(Initial(new byte[8]), handshakes: 255).Kind);
        Assert.AreEqual(RouteKind.Respond, world.Decide(Initial(new byte[8]), handshakes: 256).Kind);
        byte[] token = world.NewToken(Client);
        Assert.AreEqual(RouteKind.Accept, world.Decide(Initial(new byte[8], token: token), handshakes: 4095).Kind);
        Assert.AreEqual(RouteKind.Drop, world.Decide(Initial(new byte[8], token: world.NewToken(Client)), handshakes: 4096).Kind);
    }

    [TestMethod]
    public void Packets_for_a_lost_connection_are_answered_with_its_reset_token_and_less_bytes()
    {
        using var world = new World();
        ConnectionId id = world.Router.Issue("lost", out StatelessResetToken token);
        Assert.AreEqual("lost", world.Decide(ShortHeader(id.Span, 100)).Connection);
        world.Router.Retire(id);

        for (int size = 1; size <= 1500; size++)
        {
            world.Now += 1_000_000;
            byte[] trigger = ShortHeader(id.Span, Math.Max(size, 9))[..size];
            Route<string> route = world.Decide(trigger);

            Assert.IsLessThan(size, route.ResponseLength, "A reset as long as its trigger can loop.");
            if (size > Limits.MinStatelessReset)
            {
                Assert.AreEqual(RouteKind.Respond, route.Kind);
                Assert.IsTrue(token.Matches(world.Response(route).AsSpan()[^16..]));
            }
        }
    }

    [TestMethod]
    public void Stateless_resets_are_limited_in_rate()
    {
        // RFC 9000 section 10.3.3.
        using var world = new World();
        int answered = 0;
        for (int i = 0; i < 3 * Limits.StatelessResponsesPerSecond; i++)
        {
            answered += world.Decide(ShortHeader(new byte[8], 100)).ResponseLength > 0 ? 1 : 0;
        }

        Assert.AreEqual(Limits.StatelessResponsesPerSecond, answered);
    }

    [TestMethod]
    public void A_stateless_reset_reaches_the_connection_whose_token_it_bears()
    {
        using var world = new World(listens: false);
        var token = new StatelessResetToken([.. Enumerable.Range(1, 16).Select(i => (byte)i)]);
        world.Router.AddResetToken(Client, token, "ours");
        byte[] reset = [0x40, .. new byte[20], .. token.Span];

        Assert.AreEqual("ours", world.Decide(reset).Connection);
        Assert.IsNull(world.Decide(reset, FromClient with { Remote = Client.WithPort(1) }).Connection);
        world.Router.RemoveResetToken(Client, token);
        Assert.IsNull(world.Decide(reset).Connection);
    }

    [TestMethod]
    public void Answers_without_a_connection_are_limited_in_rate()
    {
        using var world = new World();
        int answers = 0;
        for (int i = 0; i < 10 * Limits.StatelessResponsesPerSecond; i++)
        {
            answers += world.Decide(LongHeader(0x1a2a3a4a, new byte[8], new byte[8])).Kind == RouteKind.Respond ? 1 : 0;
        }

        Assert.IsLessThanOrEqualTo(Limits.StatelessResponsesPerSecond, answers);
        Assert.IsGreaterThan(Limits.StatelessResponsesPerSecond / 2, answers);
        world.Now += 1_000_000;
        Assert.AreEqual(RouteKind.Respond, world.Decide(LongHeader(0x1a2a3a4a, new byte[8], new byte[8])).Kind);
    }

    [TestMethod]
    public void No_answer_is_longer_than_its_trigger()
    {
        using var world = new World(QuicRetryPolicy.Always);
        byte[][] triggers =
        [
            Initial(new byte[20], sourceId: new byte[20]),
            Initial(new byte[20], sourceId: new byte[20], token: [1, .. new byte[99]]),
            LongHeader(0x1a2a3a4a, new byte[255], new byte[255]),
            ShortHeader(new byte[8], 22),
        ];
        foreach (byte[] trigger in triggers)
        {
            Route<string> route = world.Decide(trigger);
            Assert.AreEqual(RouteKind.Respond, route.Kind);
            Assert.IsLessThanOrEqualTo(trigger.Length, route.ResponseLength);
        }
    }

    [TestMethod]
    public void Random_bytes_never_escape_as_an_exception()
    {
        using var world = new World();
        const int Seed = 20260923;
        var random = new Random(Seed);
        byte[] valid = Initial([1, 2, 3, 4, 5, 6, 7, 8], sourceId: [9], token: world.NewToken(Client));
        for (int i = 0; i < 100_000; i++)
        {
            byte[] datagram = (byte[])valid.Clone();
            int changes = random.Next(1, 12);
            for (int j = 0; j < changes; j++)
            {
                datagram[random.Next(80)] = (byte)random.Next(256);
            }

            int size = random.Next(4) == 0 ? random.Next(datagram.Length + 1) : datagram.Length;
            try
            {
                world.Now += 500;
                world.Decide(datagram.AsSpan(0, size), FromClient);
            }
            catch (Exception escaped)
            {
                Assert.Fail($"Seed {Seed}, round {i}: {escaped}");
            }
        }
    }

    private static byte[] Initial(
        ReadOnlySpan<byte> destination,
        ReadOnlySpan<byte> sourceId = default,
        ReadOnlySpan<byte> token = default,
        uint version = (uint)QuicVersion.Version1,
        int size = 1200)
    {
        if (version != (uint)QuicVersion.Version1)
        {
            return LongHeader(version, destination, sourceId);
        }

        byte[] datagram = new byte[size];
        var writer = new WireWriter(datagram);
        int lengthAt = PacketHeaderWriter.WriteLong(
            ref writer, PacketType.Initial, QuicVersion.Version1, new ConnectionId(destination), new ConnectionId(sourceId), token, 4);
        PacketHeaderWriter.FillLength(datagram, lengthAt, size - writer.Position);
        return datagram;
    }

    private static byte[] LongHeader(uint version, ReadOnlySpan<byte> destination, ReadOnlySpan<byte> source)
    {
        byte[] datagram = new byte[1200];
        var writer = new WireWriter(datagram);
        writer.WriteByte(0xc0);
        writer.WriteUInt32(version);
        writer.WriteByte((byte)destination.Length);
        writer.WriteBytes(destination);
        writer.WriteByte((byte)source.Length);
        writer.WriteBytes(source);
        return datagram;
    }

    private static byte[] ShortHeader(ReadOnlySpan<byte> destination, int size)
    {
        byte[] datagram = new byte[Math.Max(size, 1 + destination.Length)];
        datagram[0] = 0x40;
        destination.CopyTo(datagram.AsSpan(1));
        return datagram;
    }

    private sealed class World : IDisposable
    {
        private readonly EndpointIngress<string> _ingress;
        private readonly TokenSealer _tokens;
        private readonly IncomingPolicy? _policy;
        private readonly byte[] _response = new byte[EndpointIngress<string>.MaxResponse];

        public World(QuicRetryPolicy retry = QuicRetryPolicy.UnderLoad, bool listens = true)
        {
            var random = new SeededRandomSource(42);
            CryptoProvider crypto = Platform;
            Router = new ConnectionRouter<string>(random, new StatelessResetKey(random));
            const long TokenLifetime = 3_600_000_000;
            _tokens = new TokenSealer(crypto, random, new byte[TokenSealer.RootKeyLength], TokenLifetime);
            _policy = listens ? new IncomingPolicy { Retry = retry } : null;
            _ingress = new EndpointIngress<string>(Router, crypto, random, _tokens, new TokenReplayFilter(TokenLifetime), EngineMetrics.Shared);
        }

        public ConnectionRouter<string> Router { get; }

        public long Now { get; set; } = 1_000_000_000;

        public Route<string> Decide(ReadOnlySpan<byte> datagram, DatagramMetadata? metadata = null, int handshakes = 0) =>
            _ingress.Decide(datagram, metadata ?? FromClient, _policy, handshakes, Now, _response);

        public byte[] Response(Route<string> route) => _response[..route.ResponseLength];

        public byte[] NewToken(in NetworkAddress client)
        {
            byte[] token = new byte[TokenSealer.MaxTokenLength];
            return token[.._tokens.SealNewToken(client, Now, token)];
        }

        public (byte[] Token, byte[] NewId) Retry(byte[] initial, byte[] originalId)
        {
            Route<string> route = Decide(initial);
            Assert.AreEqual(RouteKind.Respond, route.Kind);
            byte[] packet = Response(route);
            using var integrity = new RetryIntegrity(Platform);
            Assert.IsTrue(integrity.Verify(QuicVersion.Version1, originalId, packet));
            Assert.AreEqual(PacketParseResult.Parsed, PacketHeader.TryParse(packet, 8, out PacketHeader header));
            Assert.AreEqual(PacketType.Retry, header.Type);
            return (header.Token.ToArray(), header.SourceConnectionId.ToArray());
        }

        public void Dispose()
        {
            _ingress.Dispose();
            _tokens.Dispose();
            Router.Dispose();
        }
    }
}
