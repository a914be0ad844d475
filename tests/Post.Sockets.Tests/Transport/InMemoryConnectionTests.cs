using System.Net;
using Post.Sockets.Testing;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Transport;

/// <summary>How connections of the in-memory network begin and end, and who is at the other end.</summary>
[TestClass]
public sealed class InMemoryConnectionTests
{
    /// <summary>Streams are fetched, not pushed.</summary>
    private const TransportCapabilities Fetching = InMemoryNetwork.DefaultCapabilities & ~TransportCapabilities.WholeStreams;

    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(20);

    private static readonly TransportPriority Ordinary = new(0, TransportPriority.NoDeadline, false, 0);

    private static readonly InMemoryLinkOptions Link = new() { Delay = Delay };

    [TestMethod]
    public void A_connection_takes_a_round_trip()
    {
        var world = new TransportWorld(link: Link);
        world.Run(() =>
        {
            Assert.AreEqual(3 * Delay, world.Network.Clock.Elapsed, "one to the server and back, and half of one to hand it over there");
            Assert.IsTrue(world.Client.IsClient);
            Assert.IsFalse(world.Server.IsClient);
            Assert.AreEqual(new DnsEndPoint("server", 1), world.Client.RemoteEndPoint);
            Assert.AreEqual(world.Client.LocalEndPoint, world.Server.RemoteEndPoint);
            return Task.CompletedTask;
        });
    }

    [TestMethod]
    public void A_close_reaches_the_peer_with_its_code_and_is_the_last_event()
    {
        var world = new TransportWorld(link: Link);
        world.Run(async () =>
        {
            Task<TransportStream> accepting = world.Server.AcceptStreamAsync(CancellationToken.None).AsTask();
            await world.Client.CloseAsync(0x1234, "over", CancellationToken.None);
            TransportException ended = await Assert.ThrowsExactlyAsync<TransportException>(() => accepting);
            Assert.AreEqual((TransportErrorReason.ClosedByPeer, 0x1234L), (ended.Reason, ended.ErrorCode));
            Assert.AreEqual(TransportErrorReason.ClosedByPeer, world.ServerEvents.Closed.Single().Reason);
            Assert.AreEqual(TransportErrorReason.ClosedLocally, world.ClientEvents.Closed.Single().Reason);
            Assert.EndsWith("closed ClosedByPeer 4660\n", world.ServerEvents.Text);
            Assert.IsEmpty(world.Network.Wires);
        });
    }

    [TestMethod]
    public void A_broken_connection_fails_everything_that_waits()
    {
        var world = new TransportWorld(link: Link with { BitsPerSecond = 1_000_000 });
        world.Run(async () =>
        {
            Task writing = world.Open().WriteAsync(new byte[1_000_000], true, CancellationToken.None).AsTask();
            TransportStream inbound = await world.Server.AcceptStreamAsync(CancellationToken.None);
            await world.DelayAsync(1000);
            byte[] buffer = new byte[1_000_000];
            await inbound.ReadAsync(buffer, CancellationToken.None);
            Task reading = inbound.ReadAsync(buffer, CancellationToken.None).AsTask();
            Task accepting = world.Server.AcceptStreamAsync(CancellationToken.None).AsTask();
            world.Wire.Break();
            foreach (Task waiting in new[] { writing, reading, accepting })
            {
                TransportException failure = await Assert.ThrowsExactlyAsync<TransportException>(() => waiting);
                Assert.AreEqual(TransportErrorReason.ConnectionReset, failure.Reason);
            }

            Assert.ThrowsExactly<TransportException>(() => world.Client.TryOpenStream(TransportStreamKind.Unidirectional, default));
        });
    }

    [TestMethod]
    public void Silence_ends_a_connection_and_a_keep_alive_keeps_it()
    {
        foreach (bool keptAlive in new[] { false, true })
        {
            var world = new TransportWorld(link: Link) { IdleTimeout = TimeSpan.FromSeconds(10), KeepAlive = keptAlive ? TimeSpan.FromSeconds(3) : null };
            world.Run(async () =>
            {
                await world.DelayAsync(60_000);
                Assert.HasCount(keptAlive ? 0 : 1, world.ClientEvents.Closed);
                Assert.HasCount(keptAlive ? 0 : 1, world.ServerEvents.Closed);
                if (keptAlive)
                {
                    world.Wire.Paths[0].IsUp = false;
                }

                await world.DelayAsync(11_000);
                Assert.AreEqual(TransportErrorReason.TimedOut, world.ClientEvents.Closed.Single().Reason);
            });
        }
    }

    [TestMethod]
    public void Events_from_before_the_start_are_pushed_at_the_start()
    {
        var network = new InMemoryNetwork();
        InMemoryTransport transport = network.CreateTransport(Fetching);
        network.Run(async () =>
        {
            TransportListener listener = await transport.ListenAsync(new TransportListenRequest { Local = Local.OnPort(1) }, default);
            TransportConnection client = await transport.ConnectAsync(Request("any", 1), default);
            var log = new EventLog(network.Clock);
            client.Start(log);
            client.TrySendDatagram(new byte[] { 1 }, Ordinary, 1);
            TransportStream stream = client.TryOpenStream(TransportStreamKind.Unidirectional, default)!;
            await stream.WriteAsync(new byte[] { 2 }, true, default);
            await Task.Delay(TimeSpan.FromSeconds(1), network.Clock);
            TransportConnection server = (await listener.AcceptAsync(default))!;
            var serverLog = new EventLog(network.Clock);
            server.Start(serverLog);
            await Task.Delay(TimeSpan.FromMilliseconds(1), network.Clock);
            Assert.HasCount(1, serverLog.Datagrams);
            Assert.HasCount(1, await TransportWorld.ReadAllAsync(await server.AcceptStreamAsync(default)));
        });
    }

    [TestMethod]
    public void Nobody_there_says_so()
    {
        var network = new InMemoryNetwork(0, Link);
        InMemoryTransport transport = network.CreateTransport(Fetching);
        network.Run(async () =>
        {
            TransportListener listener = await transport.ListenAsync(
                new TransportListenRequest { Local = Local.At(new DnsEndPoint("here", 1)), Protocol = "other", Backlog = 1 }, default);
            Assert.AreEqual(TransportErrorReason.Unreachable, await ReasonAsync(Request("nowhere", 1)));
            Assert.AreEqual(TransportErrorReason.Refused, await ReasonAsync(Request("here", 2)));
            Assert.AreEqual(TransportErrorReason.ProtocolNotSupported, await ReasonAsync(Request("here", 1)));
            await transport.ConnectAsync(Request("here", 1) with { Protocol = "other" }, default);
            await Task.Delay(Delay, network.Clock);
            Assert.AreEqual(TransportErrorReason.Refused, await ReasonAsync(Request("here", 1) with { Protocol = "other" }));
            network.ToServer = Link with { Loss = 1 };
            Assert.AreEqual(TransportErrorReason.TimedOut, await ReasonAsync(Request("here", 1) with { Protocol = "other" }));
            TransportException inUse = await Assert.ThrowsExactlyAsync<TransportException>(() => transport.ListenAsync(
                new TransportListenRequest { Local = Local.At(listener.LocalEndPoints[0]) }, default).AsTask());
            Assert.AreEqual(TransportErrorReason.LocalAddressUnavailable, inUse.Reason);
            await listener.DisposeAsync();
            Assert.IsNull(await listener.AcceptAsync(default));

            async Task<TransportErrorReason> ReasonAsync(TransportConnectRequest request) =>
                (await Assert.ThrowsExactlyAsync<TransportException>(() => transport.ConnectAsync(request, default).AsTask())).Reason;
        });
    }

    [TestMethod]
    public void Identities_are_proven_as_the_trust_asks()
    {
        using var server = Identity.CreateSelfSigned("server");
        using var client = Identity.CreateSelfSigned("client");
        var network = new InMemoryNetwork();
        InMemoryTransport transport = network.CreateTransport(Fetching);
        network.Run(async () =>
        {
            TransportListener listener = await transport.ListenAsync(
                new TransportListenRequest { Local = Local.At(new DnsEndPoint("server", 1), server), ClientTrust = PeerTrust.Pinned(KeyFingerprint.Of(client)) },
                default);
            TransportConnectRequest good = Request("server", 1) with
            {
                Local = new Local { Certificate = client },
                Remote = Remote.Pinned("server", 1, KeyFingerprint.Of(server)),
            };
            TransportConnection connection = await transport.ConnectAsync(good, default);
            TransportConnection accepted = (await listener.AcceptAsync(default))!;
            Assert.AreEqual((PeerProof.PinnedKey, KeyFingerprint.Of(server)), (connection.Peer.Proof, connection.Peer.Key!.Value));
            Assert.AreEqual((PeerProof.PinnedKey, KeyFingerprint.Of(client)), (accepted.Peer.Proof, accepted.Peer.Key!.Value));
            TransportConnectRequest[] refused =
            [
                good with { Local = Local.Anonymous },
                good with { Local = new Local { Certificate = server } },
                good with { Remote = Remote.Pinned("server", 1, KeyFingerprint.Of(client)) },
                good with { Remote = Remote.Named("server", 1) },
                good with { Remote = Remote.Judged("server", 1, (_, _, _) => false) },
            ];
            foreach (TransportConnectRequest request in refused)
            {
                TransportException failure = await Assert.ThrowsExactlyAsync<TransportException>(() => transport.ConnectAsync(request, default).AsTask());
                Assert.AreEqual(
                    request.Remote.Trust == good.Remote.Trust ? TransportErrorReason.IdentityRefused : TransportErrorReason.AuthenticationFailed,
                    failure.Reason);
            }

            await transport.ConnectAsync(good with { Remote = Remote.Judged("server", 1, (_, _, _) => true) }, default);
        });
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void Early_data_arrives_half_a_round_trip_after_the_call_or_is_void(bool rejected)
    {
        var network = new InMemoryNetwork(0, Link) { RejectEarlyData = rejected };
        InMemoryTransport transport = network.CreateTransport(Fetching);
        var local = new Local { Sessions = new MemorySessionCache() };
        network.Run(async () =>
        {
            TransportListener listener = await transport.ListenAsync(
                new TransportListenRequest { Local = Local.OnPort(1), Options = new() { AllowEarlyData = true } }, default);
            TransportConnectRequest request = Request("any", 1) with { Local = local, Options = new() { AllowEarlyData = true } };
            TransportConnection first = await transport.ConnectAsync(request, default);
            Assert.IsFalse(first.IsResumed);
            await listener.AcceptAsync(default);

            TimeSpan start = network.Clock.Elapsed;
            TransportConnection client = await transport.ConnectAsync(request, default);
            Assert.AreEqual(start, network.Clock.Elapsed);
            Assert.IsTrue(client.IsResumed);
            Assert.IsFalse(client.IsHandshakeCompleted);
            var log = new EventLog(network.Clock);
            client.Start(log);
            client.TrySendDatagram(new byte[] { 9 }, Ordinary, 1);
            TransportStream early = client.TryOpenStream(TransportStreamKind.Unidirectional, default)!;
            await early.WriteAsync(new byte[] { 1 }, endOfStream: false, default);
            TransportConnection server = (await listener.AcceptAsync(default))!;
            var serverLog = new EventLog(network.Clock);
            server.Start(serverLog);
            Assert.AreEqual(start + Delay, network.Clock.Elapsed);

            if (!rejected)
            {
                TransportStream inbound = await server.AcceptStreamAsync(default);
                Assert.AreEqual(start + Delay, network.Clock.Elapsed);
                Assert.IsTrue(inbound.IsEarlyData);
                Assert.IsTrue(serverLog.EarlyDatagrams.Single());
            }

            await Task.Delay(TimeSpan.FromSeconds(1), network.Clock);
            Assert.IsTrue(client.IsHandshakeCompleted && server.IsHandshakeCompleted);
            Assert.AreEqual((1, 1), (log.Handshakes, serverLog.Handshakes));
            Assert.AreEqual(rejected ? 1 : 0, log.Rejections);
            Assert.AreEqual(rejected ? TransportDatagramState.Lost : TransportDatagramState.Acknowledged, log.DatagramStates[^1].State);
            if (rejected)
            {
                await Assert.ThrowsExactlyAsync<TransportException>(() => early.WriteAsync(new byte[] { 2 }, true, default).AsTask());
                Assert.IsEmpty(serverLog.Datagrams);
            }

            TransportStream late = client.TryOpenStream(TransportStreamKind.Unidirectional, default)!;
            await late.WriteAsync(new byte[] { 3 }, endOfStream: true, default);
            TransportStream accepted = await server.AcceptStreamAsync(default);
            Assert.AreEqual(late.Id, accepted.Id);
            Assert.IsFalse(accepted.IsEarlyData);
            Assert.HasCount(1, await TransportWorld.ReadAllAsync(accepted));
        });
    }

    private static TransportConnectRequest Request(string host, int port) => new()
    {
        Local = Local.Anonymous,
        Remote = Remote.Named(host, port),
    };
}
