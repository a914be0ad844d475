using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Security.Cryptography.X509Certificates;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.Transports;

/// <summary>What happens on a connection of msquic before somebody listens, and before there is one.</summary>
[TestClass]
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
public sealed class BeforeStartTests
{
    private static readonly TransportPriority Ordinary = new(3, TransportPriority.NoDeadline, Incremental: true, Order: 0);

    public TestContext TestContext { get; set; } = null!;

    private CancellationToken Cancel => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Few_datagrams_wait_for_somebody_who_listens()
    {
        await using Pair pair = await ConnectAsync();
        var clientEvents = new RecordedEvents();
        pair.Client.Start(clientEvents);
        for (int i = 0; i < 20; i++)
        {
            Assert.AreEqual(TransportDatagramResult.Queued, pair.Client.TrySendDatagram(new byte[1000], Ordinary, i));
            while ((await clientEvents.NextDatagramStateAsync(Cancel)).State != TransportDatagramState.Acknowledged)
            {
            }
        }

        var events = new CountedDatagrams();
        pair.Server.Start(events);

        Assert.IsInRange(1, 4096 / 1000, events.Count);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_move_of_the_client_is_told_to_whoever_listens_later()
    {
        await using Pair pair = await ConnectAsync();
        if (!pair.Client.Capabilities.HasFlag(TransportCapabilities.Migration))
        {
            Assert.Inconclusive("msquic cannot be moved here.");
        }

        EndPoint? before = pair.Server.RemoteEndPoint;
        pair.Client.Start(new RecordedEvents());
        await MoveAsync(pair.Client);
        while (Equals(before, pair.Server.RemoteEndPoint))
        {
            await Task.Delay(5, Cancel);
        }

        var events = new RecordedEvents();
        pair.Server.Start(events);

        (PostPath path, PostPathChange change) = await events.NextPathChangeAsync(Cancel);
        Assert.AreEqual(PostPathChange.PeerMoved, change);
        Assert.AreEqual(pair.Client.LocalEndPoint, path.RemoteEndPoint);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_connect_that_is_canceled_names_the_callers_token()
    {
        await using PostTransport transport = MsQuicPlatform.CreateTransport();
        using var silent = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        silent.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        using X509Certificate2 identity = Identity.CreateSelfSigned();
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        Task<TransportConnection> connecting = transport.ConnectAsync(
            new TransportConnectRequest
            {
                Local = Local.Anonymous,
                Remote = Remote.Pinned((IPEndPoint)silent.LocalEndPoint!, KeyFingerprint.Of(identity)),
            },
            cancel.Token).AsTask();
        await silent.ReceiveAsync(new byte[2000], Cancel);

        await cancel.CancelAsync();

        OperationCanceledException canceled = await Assert.ThrowsAsync<OperationCanceledException>(() => connecting);
        Assert.AreEqual(cancel.Token, canceled.CancellationToken);
    }

    // msquic refuses until the handshake is confirmed, and does not tell when that is.
    private async Task MoveAsync(TransportConnection client)
    {
        while (true)
        {
            try
            {
                await client.MigrateAsync(null, Cancel);
                return;
            }
            catch (TransportException exception) when (exception.Reason == TransportErrorReason.LocalAddressUnavailable)
            {
                await Task.Delay(5, Cancel);
            }
        }
    }

    private async Task<Pair> ConnectAsync()
    {
        PostTransport transport = MsQuicPlatform.CreateTransport();
        X509Certificate2 identity = Identity.CreateSelfSigned();
        TransportListener listener = await transport.ListenAsync(
            new TransportListenRequest { Local = Local.At(new IPEndPoint(IPAddress.Loopback, 0), identity) }, Cancel);
        Task<TransportConnection?> accepting = listener.AcceptAsync(Cancel).AsTask();
        TransportConnection client = await transport.ConnectAsync(
            new TransportConnectRequest
            {
                Local = Local.Anonymous,
                Remote = Remote.Pinned((IPEndPoint)listener.LocalEndPoints[0], KeyFingerprint.Of(identity)),
            },
            Cancel);
        return new Pair(transport, client, (await accepting)!, identity);
    }

    private sealed record Pair(PostTransport Transport, TransportConnection Client, TransportConnection Server, X509Certificate2 Identity)
        : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Transport.DisposeAsync();
            Identity.Dispose();
        }
    }

    private sealed class CountedDatagrams : TransportEvents
    {
        private int _count;

        public int Count => Volatile.Read(ref _count);

        public override void OnDatagramReceived(ReadOnlySpan<byte> payload, bool isEarlyData, long arrivedAt) => Interlocked.Increment(ref _count);
    }
}
