using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.Transports;

/// <summary>
/// What a transport must do once it states a capability. One that does not state it skips the test, by name, and must show
/// that it keeps out of the matter.
/// </summary>
public abstract class TransportCapabilityContractTests
{
    private static readonly TransportPriority Ordinary = new(
        ObjectProperties.DefaultNiceness, TransportPriority.NoDeadline, Incremental: true, Order: 0);

    public TestContext TestContext { get; set; } = null!;

    private protected CancellationToken Cancel => TestContext.CancellationToken;

    [TestInitialize]
    public async Task RequireTransportAsync() => await CreateTransport().DisposeAsync();

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Datagrams_arrive_whole_and_each_has_one_fate()
    {
        const int Count = 200;
        await using TransportPair pair = await PairAsync(TransportCapabilities.Datagrams);
        int size = Math.Min(pair.Client.MaxDatagramSize, 1000);
        Assert.IsGreaterThan(500, size);

        var sent = new ConcurrentDictionary<int, byte[]>();
        for (int i = 0; i < Count; i++)
        {
            byte[] payload = RandomNumberGenerator.GetBytes(size);
            BitConverter.TryWriteBytes(payload, i);
            sent[i] = payload;

            // A transport may take fewer at a time than a burst has.
            TransportDatagramResult result;
            while ((result = pair.Client.TrySendDatagram(payload, Ordinary, i)) == TransportDatagramResult.Full)
            {
                await Task.Delay(1, Cancel);
            }

            Assert.AreEqual(TransportDatagramResult.Queued, result);
        }

        Dictionary<long, TransportDatagramState> fates = await FatesAsync(pair.ClientEvents, Count);
        int acknowledged = fates.Values.Count(fate => fate == TransportDatagramState.Acknowledged);
        for (int i = 0; i < acknowledged; i++)
        {
            byte[] received = await pair.ServerEvents.NextDatagramAsync(Cancel);
            Assert.IsTrue(sent.TryRemove(BitConverter.ToInt32(received), out byte[]? expected), "A datagram came twice.");
            CollectionAssert.AreEqual(expected, received);
        }

        Assert.IsGreaterThan(Count / 2, acknowledged);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Servers_send_datagrams_too()
    {
        await using TransportPair pair = await PairAsync(TransportCapabilities.Datagrams);

        byte[] payload = RandomNumberGenerator.GetBytes(100);
        Assert.AreEqual(TransportDatagramResult.Queued, pair.Server.TrySendDatagram(payload, Ordinary, 7));

        CollectionAssert.AreEqual(payload, await pair.ClientEvents.NextDatagramAsync(Cancel));
        Dictionary<long, TransportDatagramState> fates = await FatesAsync(pair.ServerEvents, 1);
        Assert.AreEqual(TransportDatagramState.Acknowledged, fates[7]);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_datagram_too_large_is_refused_and_one_that_just_fits_arrives()
    {
        await using TransportPair pair = await PairAsync(TransportCapabilities.Datagrams);

        Assert.AreEqual(TransportDatagramResult.TooLarge, pair.Client.TrySendDatagram(new byte[65_000], Ordinary, 1));
        int largest = pair.Client.MaxDatagramSize;
        Assert.AreEqual(TransportDatagramResult.Queued, pair.Client.TrySendDatagram(new byte[largest], Ordinary, 2));

        Assert.HasCount(largest, await pair.ServerEvents.NextDatagramAsync(Cancel));
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_datagram_whose_deadline_has_passed_is_not_sent()
    {
        await using TransportPair pair = await PairAsync(TransportCapabilities.Datagrams);
        TimeProvider time = pair.ClientTime;
        var late = new TransportPriority(0, time.GetTimestamp() - time.TimestampFrequency, false, 0);

        Assert.AreEqual(TransportDatagramResult.Queued, pair.Client.TrySendDatagram([1], late, 1));
        Assert.AreEqual(TransportDatagramResult.Queued, pair.Client.TrySendDatagram([2], Ordinary, 2));

        Dictionary<long, TransportDatagramState> fates = await FatesAsync(pair.ClientEvents, 2);
        Assert.AreEqual(TransportDatagramState.Canceled, fates[1]);
        Assert.AreEqual(2, (await pair.ServerEvents.NextDatagramAsync(Cancel))[0]);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Datagrams_under_way_at_the_close_have_a_fate_each()
    {
        await using TransportPair pair = await PairAsync(TransportCapabilities.Datagrams);
        int queued = 0;
        while (queued < 500 && pair.Client.TrySendDatagram(new byte[500], Ordinary, queued) == TransportDatagramResult.Queued)
        {
            queued++;
        }

        await pair.Client.CloseAsync(0, "over", Cancel);

        Assert.HasCount(queued, await FatesAsync(pair.ClientEvents, queued));
        Assert.AreEqual(TransportDatagramResult.Unavailable, pair.Client.TrySendDatagram([1], Ordinary, queued));
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_client_moves_to_another_port_and_its_streams_go_on()
    {
        await using TransportPair pair = await PairAsync(TransportCapabilities.Migration);
        byte[] sent = RandomNumberGenerator.GetBytes(2_000_000);
        TransportStream outbound = await pair.Client.OpenStreamAsync(TransportStreamKind.Unidirectional, Ordinary, Cancel);
        await outbound.WriteAsync(sent.AsMemory(0, 1000), endOfStream: false, Cancel);
        TransportStream inbound = await pair.AcceptAsync(pair.Server, Cancel);
        Task<byte[]> reading = TransportPair.ReadAllAsync(inbound, Cancel);
        await ConfirmHandshakeAsync(pair);
        EndPoint? before = pair.Server.RemoteEndPoint;

        await pair.Client.MigrateAsync(null, Cancel);
        await outbound.WriteAsync(sent.AsMemory(1000), endOfStream: true, Cancel);

        CollectionAssert.AreEqual(sent, await reading);
        await WaitForAsync(pair.ClientEvents, PostPathChange.Migrated);
        PostPath moved = await WaitForAsync(pair.ServerEvents, PostPathChange.PeerMoved);
        Assert.AreNotEqual(before, moved.RemoteEndPoint);
        Assert.AreEqual(pair.Server.RemoteEndPoint, moved.RemoteEndPoint);
        Assert.AreEqual(((IPEndPoint)moved.RemoteEndPoint!).Port, ((IPEndPoint)pair.Client.LocalEndPoint!).Port);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task An_address_that_is_not_ours_is_refused_and_the_connection_stays()
    {
        await using TransportPair pair = await PairAsync(TransportCapabilities.Migration);
        await ConfirmHandshakeAsync(pair);

        // RFC 5737: a documentation address, which no machine has.
        await Assert.ThrowsExactlyAsync<TransportException>(
            () => pair.Client.MigrateAsync(new IPEndPoint(IPAddress.Parse("192.0.2.1"), 0), Cancel).AsTask());

        TransportStream outbound = await pair.Client.OpenStreamAsync(TransportStreamKind.Unidirectional, Ordinary, Cancel);
        await outbound.WriteAsync(new byte[10], endOfStream: true, Cancel);
        Assert.HasCount(10, await TransportPair.ReadAllAsync(await pair.AcceptAsync(pair.Server, Cancel), Cancel));
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task What_was_sent_shows_in_the_statistics_and_on_the_path()
    {
        const int Size = 300_000;
        await using TransportPair pair = await PairAsync(TransportCapabilities.Statistics | TransportCapabilities.Paths);
        TransportStream outbound = await pair.Client.OpenStreamAsync(TransportStreamKind.Unidirectional, Ordinary, Cancel);
        Task writing = outbound.WriteAsync(new byte[Size], endOfStream: true, Cancel).AsTask();
        await TransportPair.ReadAllAsync(await pair.AcceptAsync(pair.Server, Cancel), Cancel);
        await writing;
        await pair.ClientEvents.NextAcknowledgedAsync(Cancel);

        TransportStatistics client = pair.Client.GetStatistics();
        TransportStatistics server = pair.Server.GetStatistics();
        PostPath path = pair.Client.GetPaths()[0];

        Assert.IsGreaterThan(Size, client.BytesSent!.Value);
        Assert.IsGreaterThan(Size, server.BytesReceived!.Value);
        Assert.IsGreaterThan(Size / 65536, client.PacketsSent!.Value);
        Assert.IsGreaterThan(TimeSpan.Zero, client.SmoothedRtt!.Value);
        Assert.IsGreaterThan(1000, client.CongestionWindow!.Value);
        Assert.AreEqual(PostPathState.Active, path.State);
        Assert.IsGreaterThan(TimeSpan.Zero, path.SmoothedRtt!.Value);
        Assert.IsGreaterThanOrEqualTo(1200, path.Mtu!.Value);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_second_connection_resumes_the_session_and_knows_its_peer()
    {
        var sessions = new SignalingSessionCache();
        await using TransportPair pair = await PairAsync(TransportCapabilities.Resumption, new Local { Sessions = sessions });
        await sessions.PutAsync(Cancel);

        (TransportConnection client, TransportConnection server) = await pair.ConnectAgainAsync(Cancel);
        await using (client)
        await using (server)
        {
            Assert.IsFalse(pair.Client.IsResumed);
            Assert.IsTrue(client.IsResumed);
            Assert.IsTrue(server.IsResumed);
            Assert.AreEqual(PeerProof.PinnedKey, client.Peer.Proof);
            Assert.AreEqual(pair.ServerKey, client.Peer.Key);
        }
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_session_made_under_other_trust_is_not_used()
    {
        var sessions = new SignalingSessionCache();
        await using TransportPair pair = await PairAsync(TransportCapabilities.Resumption, new Local { Sessions = sessions });
        await sessions.PutAsync(Cancel);
        using var other = Identity.CreateSelfSigned();

        TransportException refused = await Assert.ThrowsExactlyAsync<TransportException>(
            () => pair.ConnectAgainAsync(Cancel, PeerTrust.Pinned(KeyFingerprint.Of(other))));

        Assert.AreEqual(TransportErrorReason.AuthenticationFailed, refused.Reason);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_session_that_is_no_session_costs_nothing_but_a_full_handshake()
    {
        var sessions = new SignalingSessionCache();
        await using TransportPair pair = await PairAsync(TransportCapabilities.Resumption, new Local { Sessions = sessions });
        await sessions.PutAsync(Cancel);
        sessions.Garble();

        (TransportConnection client, TransportConnection server) = await pair.ConnectAgainAsync(Cancel);
        await using (client)
        await using (server)
        {
            Assert.IsFalse(client.IsResumed);
            Assert.AreEqual(pair.ServerKey, client.Peer.Key);
        }
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Where_clients_must_prove_themselves_each_handshake_does()
    {
        using var identity = Identity.CreateSelfSigned("client");
        await using TransportPair pair = await PairAsync(
            TransportCapabilities.Resumption,
            new Local { Certificate = identity, Sessions = new MemorySessionCache() },
            PeerTrust.Pinned(KeyFingerprint.Of(identity)));

        (TransportConnection client, TransportConnection server) = await pair.ConnectAgainAsync(Cancel);
        await using (client)
        await using (server)
        {
            Assert.AreEqual(KeyFingerprint.Of(identity), server.Peer.Key);
        }
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task What_is_not_stated_is_refused_in_the_agreed_way()
    {
        await using TransportPair pair = await PairAsync(TransportCapabilities.None);
        TransportCapabilities stated = pair.Client.Capabilities;

        if ((stated & TransportCapabilities.Datagrams) == 0)
        {
            Assert.AreEqual(0, pair.Client.MaxDatagramSize);
            Assert.AreEqual(TransportDatagramResult.Unavailable, pair.Client.TrySendDatagram([1], Ordinary, 1));
        }

        if ((stated & TransportCapabilities.Statistics) == 0)
        {
            Assert.AreEqual(default, pair.Client.GetStatistics());
        }

        TransportConnection cannotMove = (stated & TransportCapabilities.Migration) == 0 ? pair.Client : pair.Server;
        TransportException refused = await Assert.ThrowsExactlyAsync<TransportException>(
            () => cannotMove.MigrateAsync(null, Cancel).AsTask());
        Assert.AreEqual(TransportErrorReason.NotSupported, refused.Reason);
    }

    /// <summary>A transport of the kind under test; skips the test where it cannot run.</summary>
    protected abstract PostTransport CreateTransport();

    /// <summary>The transport of the listening side; another kind where two kinds are to understand each other.</summary>
    protected virtual PostTransport CreateServerTransport() => CreateTransport();

    // A packet each way after the handshake is what confirms it to the client.
    private async Task ConfirmHandshakeAsync(TransportPair pair)
    {
        TransportStream stream = await pair.Server.OpenStreamAsync(TransportStreamKind.Unidirectional, Ordinary, Cancel);
        await stream.WriteAsync(new byte[1], endOfStream: true, Cancel);
        await TransportPair.ReadAllAsync(await pair.AcceptAsync(pair.Client, Cancel), Cancel);
        await pair.ServerEvents.NextAcknowledgedAsync(Cancel);
    }

    private async Task<PostPath> WaitForAsync(RecordedEvents events, PostPathChange wanted)
    {
        while (true)
        {
            (PostPath path, PostPathChange change) = await events.NextPathChangeAsync(Cancel);
            if (change == wanted)
            {
                return path;
            }
        }
    }

    private async Task<Dictionary<long, TransportDatagramState>> FatesAsync(RecordedEvents events, int count)
    {
        var fates = new Dictionary<long, TransportDatagramState>();
        while (fates.Count < count)
        {
            (long token, TransportDatagramState state) = await events.NextDatagramStateAsync(Cancel);
            if (state != TransportDatagramState.Sent)
            {
                Assert.IsTrue(fates.TryAdd(token, state), $"Datagram {token} had a second fate, {state}.");
            }
        }

        return fates;
    }

    private async Task<TransportPair> PairAsync(TransportCapabilities needed, Local? client = null, PeerTrust? clientTrust = null)
    {
        TransportPair pair = await TransportPair.ConnectAsync(
            CreateTransport(), CreateServerTransport(), null, client, clientTrust, null, Cancel);
        TransportCapabilities missing = needed & ~pair.Client.Capabilities;
        if (missing != TransportCapabilities.None)
        {
            await pair.DisposeAsync();
            Assert.Inconclusive($"This transport does not state {missing}.");
        }

        return pair;
    }
}
