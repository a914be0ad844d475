using System.Net;
using System.Security.Cryptography;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.Transports;

/// <summary>What every transport under Post must do, with real sockets on loopback; a class for each transport runs it.</summary>
public abstract partial class TransportContractTests
{
    private static readonly TransportPriority Ordinary = new(3, TransportPriority.NoDeadline, Incremental: true, Order: 0);

    public TestContext TestContext { get; set; } = null!;

    private protected CancellationToken Cancel => TestContext.CancellationToken;

    /// <summary>Skips where the transport cannot run, before a test that expects failures could take that for one.</summary>
    [TestInitialize]
    public async Task RequireTransportsAsync()
    {
        await CreateTransport().DisposeAsync();
        await CreateServerTransport().DisposeAsync();
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_pinned_server_is_known_by_its_key()
    {
        await using TransportPair pair = await PairAsync();

        Assert.AreEqual(PeerProof.PinnedKey, pair.Client.Peer.Proof);
        Assert.AreEqual(pair.ServerKey, pair.Client.Peer.Key);
        Assert.AreEqual(PeerIdentity.Anonymous, pair.Server.Peer);
        Assert.IsTrue(pair.Client.IsClient);
        Assert.IsFalse(pair.Server.IsClient);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_server_with_another_key_is_refused()
    {
        KeyFingerprint other = KeyFingerprint.Of(Identity.CreateSelfSigned());

        TransportException refused = await Assert.ThrowsExactlyAsync<TransportException>(
            () => PairAsync(trust: PeerTrust.Pinned(other)));

        Assert.AreEqual(TransportErrorReason.AuthenticationFailed, refused.Reason);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_self_signed_server_is_no_authority()
    {
        TransportException refused = await Assert.ThrowsExactlyAsync<TransportException>(
            () => PairAsync(trust: PeerTrust.CertificateAuthority()));

        Assert.AreEqual(TransportErrorReason.AuthenticationFailed, refused.Reason);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_listener_that_trusts_a_key_knows_its_client()
    {
        using var identity = Identity.CreateSelfSigned("client");

        await using TransportPair pair = await PairAsync(
            client: new Local { Certificate = identity },
            clientTrust: PeerTrust.Pinned(KeyFingerprint.Of(identity)));

        Assert.AreEqual(PeerProof.PinnedKey, pair.Server.Peer.Proof);
        Assert.AreEqual(KeyFingerprint.Of(identity), pair.Server.Peer.Key);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    [DataRow(TransportStreamKind.Unidirectional, 0)]
    [DataRow(TransportStreamKind.Unidirectional, 1)]
    [DataRow(TransportStreamKind.Unidirectional, 100_000)]
    [DataRow(TransportStreamKind.Bidirectional, 5_000_000)]
    public async Task Bytes_arrive_intact_and_the_end_is_acknowledged(TransportStreamKind kind, int size)
    {
        await using TransportPair pair = await PairAsync();
        byte[] sent = RandomNumberGenerator.GetBytes(size);

        TransportStream outbound = await pair.Client.OpenStreamAsync(kind, Ordinary, Cancel);
        Task<TransportWriteResult> writing = outbound.WriteAsync(sent, endOfStream: true, Cancel).AsTask();
        TransportStream inbound = await pair.AcceptAsync(pair.Server, Cancel);
        byte[] received = await ReadAllAsync(inbound);

        Assert.AreEqual(kind, inbound.Kind);
        Assert.AreEqual(outbound.Id, inbound.Id);
        Assert.IsTrue(outbound.IsLocal);
        Assert.IsFalse(inbound.IsLocal);
        CollectionAssert.AreEqual(sent, received);
        Assert.IsFalse((await writing).IsStopped);
        Assert.AreSame(outbound, await pair.ClientEvents.NextAcknowledgedAsync(Cancel));
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Both_sides_open_and_write_at_once()
    {
        await using TransportPair pair = await PairAsync();
        byte[] sent = RandomNumberGenerator.GetBytes(1_000_000);

        async Task SendAsync(TransportConnection from)
        {
            TransportStream stream = await from.OpenStreamAsync(TransportStreamKind.Bidirectional, Ordinary, Cancel);
            await stream.WriteAsync(sent, endOfStream: true, Cancel);
        }

        async Task ReceiveAsync(TransportConnection at) =>
            CollectionAssert.AreEqual(sent, await ReadAllAsync(await pair.AcceptAsync(at, Cancel)));

        await Task.WhenAll(SendAsync(pair.Client), SendAsync(pair.Server), ReceiveAsync(pair.Client), ReceiveAsync(pair.Server));
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    [DataRow(TransportStreamKind.Unidirectional, false)]
    [DataRow(TransportStreamKind.Bidirectional, false)]
    [DataRow(TransportStreamKind.Unidirectional, true)]
    [DataRow(TransportStreamKind.Bidirectional, true)]
    public async Task A_reset_reaches_the_reader_with_its_code(TransportStreamKind kind, bool byServer)
    {
        await using TransportPair pair = await PairAsync();
        (TransportConnection from, TransportConnection to) = Ends(pair, byServer);
        TransportStream outbound = await from.OpenStreamAsync(kind, Ordinary, Cancel);
        await outbound.WriteAsync(new byte[10], endOfStream: false, Cancel);
        TransportStream inbound = await pair.AcceptAsync(to, Cancel);

        outbound.Reset(0x77);

        byte[] buffer = new byte[100];
        TransportReadResult result;
        do
        {
            result = await inbound.ReadAsync(buffer, Cancel);
        }
        while (!result.IsReset && !result.IsCompleted);

        Assert.IsTrue(result.IsReset);
        Assert.AreEqual(0x77, result.ResetCode);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    [DataRow(TransportStreamKind.Unidirectional, false)]
    [DataRow(TransportStreamKind.Bidirectional, false)]
    [DataRow(TransportStreamKind.Unidirectional, true)]
    [DataRow(TransportStreamKind.Bidirectional, true)]
    public async Task A_reader_that_stops_tells_the_writer_why(TransportStreamKind kind, bool byServer)
    {
        await using TransportPair pair = await PairAsync();
        (TransportConnection from, TransportConnection to) = Ends(pair, byServer);
        TransportStream outbound = await from.OpenStreamAsync(kind, Ordinary, Cancel);
        await outbound.WriteAsync(new byte[10], endOfStream: false, Cancel);
        TransportStream inbound = await pair.AcceptAsync(to, Cancel);

        inbound.StopReading(0x55);

        Assert.AreEqual(0x55, await (byServer ? pair.ServerEvents : pair.ClientEvents).NextStoppedAsync(Cancel));
        TransportWriteResult result;
        do
        {
            result = await outbound.WriteAsync(new byte[1000], endOfStream: false, Cancel);
        }
        while (!result.IsStopped);

        Assert.AreEqual(0x55, result.StopCode);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_reader_that_does_not_read_holds_the_writer_back()
    {
        await using TransportPair pair = await PairAsync(limits: new TransportOptions { StreamReceiveWindow = 65536, ConnectionReceiveWindow = 131072 });
        TransportStream outbound = await pair.Client.OpenStreamAsync(TransportStreamKind.Unidirectional, Ordinary, Cancel);
        byte[] sent = RandomNumberGenerator.GetBytes(4_000_000);

        Task writing = outbound.WriteAsync(sent, endOfStream: true, Cancel).AsTask();
        TransportStream inbound = await pair.AcceptAsync(pair.Server, Cancel);
        Task early = await Task.WhenAny(pair.ClientEvents.NextAcknowledgedAsync(Cancel).AsTask(), Task.Delay(300, Cancel));
        bool acknowledgedUnread = early is Task<TransportStream>;
        byte[] received = await ReadAllAsync(inbound);
        await writing;

        Assert.IsFalse(acknowledgedUnread, "4 MB were acknowledged though the reader took none and its window is 64 KiB.");
        CollectionAssert.AreEqual(sent, received);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    [DataRow(false)]
    [DataRow(true)]
    public async Task A_close_reaches_the_peer_with_its_code(bool byServer)
    {
        await using TransportPair pair = await PairAsync();
        (TransportConnection from, TransportConnection to) = Ends(pair, byServer);
        Task<TransportStream> accepting = pair.AcceptAsync(to, Cancel).AsTask();

        await from.CloseAsync(0x1234, "over", Cancel);

        TransportException ended = await Assert.ThrowsExactlyAsync<TransportException>(() => accepting);
        Assert.AreEqual(TransportErrorReason.ClosedByPeer, ended.Reason);
        Assert.AreEqual(0x1234, ended.ErrorCode);
        Assert.AreEqual(TransportErrorReason.ClosedByPeer, (await (byServer ? pair.ClientEvents : pair.ServerEvents).ClosedAsync(Cancel)).Reason);
        Assert.AreEqual(TransportErrorReason.ClosedLocally, (await (byServer ? pair.ServerEvents : pair.ClientEvents).ClosedAsync(Cancel)).Reason);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task An_address_in_use_says_so()
    {
        await using PostTransport transport = CreateTransport();
        using var identity = Identity.CreateSelfSigned();
        await using TransportListener first = await transport.ListenAsync(
            new TransportListenRequest { Local = Local.At(new IPEndPoint(IPAddress.Loopback, 0), identity) }, Cancel);

        TransportException refused = await Assert.ThrowsExactlyAsync<TransportException>(() => transport.ListenAsync(
            new TransportListenRequest { Local = Local.At(first.LocalEndPoints[0], identity) }, Cancel).AsTask());

        Assert.AreEqual(TransportErrorReason.LocalAddressUnavailable, refused.Reason);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_disposed_listener_ends_its_accept()
    {
        await using PostTransport transport = CreateTransport();
        using var identity = Identity.CreateSelfSigned();
        TransportListener listener = await transport.ListenAsync(
            new TransportListenRequest { Local = Local.At(new IPEndPoint(IPAddress.Loopback, 0), identity) }, Cancel);
        Task<TransportConnection?> accepting = listener.AcceptAsync(Cancel).AsTask();

        await listener.DisposeAsync();

        Assert.IsNull(await accepting);
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    [DataRow(TransportStreamKind.Unidirectional, false)]
    [DataRow(TransportStreamKind.Bidirectional, false)]
    [DataRow(TransportStreamKind.Unidirectional, true)]
    [DataRow(TransportStreamKind.Bidirectional, true)]
    public async Task A_thousand_streams_arrive_each_with_its_own_bytes(TransportStreamKind kind, bool byServer)
    {
        const int Count = 1000;
        await using TransportPair pair = await PairAsync();
        (TransportConnection from, TransportConnection to) = Ends(pair, byServer);

        async Task SendAsync()
        {
            var writes = new List<Task>();
            for (int i = 0; i < Count; i++)
            {
                TransportStream stream = from.TryOpenStream(kind, Ordinary)
                    ?? await from.OpenStreamAsync(kind, Ordinary, Cancel);
                writes.Add(WriteAsync(stream, i));
            }

            await Task.WhenAll(writes);
        }

        // Together, since where a write waits for its acknowledgement a peer may hold that back for 25 ms.
        async Task WriteAsync(TransportStream stream, int number)
        {
            await stream.WriteAsync(BitConverter.GetBytes(number), endOfStream: true, Cancel);
            await stream.DisposeAsync();
        }

        var seen = new HashSet<int>();
        Task sending = SendAsync();
        for (int i = 0; i < Count; i++)
        {
            TransportStream stream = await pair.AcceptAsync(to, Cancel);
            seen.Add(BitConverter.ToInt32(await ReadAllAsync(stream)));
            await stream.DisposeAsync();
        }

        await sending;
        Assert.HasCount(Count, seen);
    }

    /// <summary>A transport of the kind under test; skips the test where it cannot run.</summary>
    protected abstract PostTransport CreateTransport();

    /// <summary>The transport of the listening side; another kind where two kinds are to understand each other.</summary>
    protected virtual PostTransport CreateServerTransport() => CreateTransport();

    private static (TransportConnection From, TransportConnection To) Ends(TransportPair pair, bool byServer) =>
        byServer ? (pair.Server, pair.Client) : (pair.Client, pair.Server);

    private protected async Task<TransportPair> PairAsync(
        PeerTrust? trust = null,
        Local? client = null,
        PeerTrust? clientTrust = null,
        TransportOptions? limits = null) =>
        await TransportPair.ConnectAsync(CreateTransport(), CreateServerTransport(), trust, client, clientTrust, limits, Cancel);

    private protected Task<byte[]> ReadAllAsync(TransportStream stream) => TransportPair.ReadAllAsync(stream, Cancel);
}
