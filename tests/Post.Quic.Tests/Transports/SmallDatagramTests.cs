using System.Net;
using System.Net.Security;
using System.Reflection;
using System.Runtime.Versioning;
using System.Security.Cryptography.X509Certificates;
using Post.Quic.Engine;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.Transports;

/// <summary>A client may announce datagrams of any size (RFC 9221 section 3), and a server on msquic is not told which.</summary>
[TestClass]
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
public sealed class SmallDatagramTests
{
    private static readonly TransportPriority Ordinary = new(3, TransportPriority.NoDeadline, Incremental: true, Order: 0);

    public TestContext TestContext { get; set; } = null!;

    private CancellationToken Cancel => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task What_the_client_takes_not_is_refused_and_what_it_takes_arrives()
    {
        const int Announced = 100;
        var received = new ReceivedDatagrams();
        await using Pair pair = await PairAsync(Announced, received);
        int supposed = pair.Server.MaxDatagramSize;
        Assert.IsGreaterThan(Announced, supposed);

        // Refused by the call itself, or what is offered comes back as often as it is offered.
        Assert.AreEqual(TransportDatagramResult.TooLarge, pair.Server.TrySendDatagram(new byte[300], Ordinary, 1));
        Assert.AreEqual(299, pair.Server.MaxDatagramSize);
        Assert.AreEqual(299, await pair.Events.NextMaxDatagramSizeAsync(Cancel));
        Assert.AreEqual(TransportDatagramResult.TooLarge, pair.Server.TrySendDatagram(new byte[300], Ordinary, 2));
        Assert.AreEqual(TransportDatagramResult.Queued, pair.Server.TrySendDatagram([1, 2, 3], Ordinary, 3));

        CollectionAssert.AreEqual(new byte[] { 1, 2, 3 }, await received.NextAsync(Cancel));
        (long token, TransportDatagramState state) = await pair.Events.NextDatagramStateAsync(Cancel);
        Assert.AreEqual((3L, TransportDatagramState.Sent), (token, state), "What was refused was reported, too.");
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task What_waits_when_a_datagram_is_refused_has_its_fate()
    {
        await using Pair pair = await PairAsync(announced: 100, new ReceivedDatagrams());

        // More than msquic is given at a time, of sizes that the client takes, and at the end of them one that it does not take.
        int queued = 0;
        while (queued < 500 && pair.Server.TrySendDatagram(new byte[50], Ordinary, queued) == TransportDatagramResult.Queued)
        {
            queued++;
        }

        if (pair.Server.TrySendDatagram(new byte[400], Ordinary, queued) == TransportDatagramResult.Queued)
        {
            queued++;
        }

        var fates = new Dictionary<long, TransportDatagramState>();
        while (fates.Count < queued)
        {
            (long token, TransportDatagramState state) = await pair.Events.NextDatagramStateAsync(Cancel);
            if (state != TransportDatagramState.Sent)
            {
                Assert.IsTrue(fates.TryAdd(token, state), $"Datagram {token} had a second fate, {state}.");
            }
        }

        Assert.IsLessThan(400, pair.Server.MaxDatagramSize);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task What_is_offered_while_the_connection_closes_is_refused_by_the_call()
    {
        var events = new DuringTheCall();
        await using Pair pair = await PairAsync(announced: 65535, new ReceivedDatagrams(), events);
        Task closing = pair.Server.CloseAsync(0, "over", Cancel).AsTask();

        // msquic takes none any more some time before it says that the connection is over.
        TransportDatagramResult result;
        do
        {
            result = events.Watch(() => pair.Server.TrySendDatagram(new byte[50], Ordinary, 1));
        }
        while (result != TransportDatagramResult.Unavailable);

        await closing;
        Assert.IsFalse(events.CameBack, "What was offered came back in the call, to be offered again.");
    }

    private async Task<Pair> PairAsync(ulong announced, ReceivedDatagrams received, TransportEvents? events = null)
    {
        X509Certificate2 identity = Identity.CreateSelfSigned();
        PostTransport transport = MsQuicPlatform.CreateTransport();
        TransportListener listener = await transport.ListenAsync(
            new TransportListenRequest { Local = Local.At(new IPEndPoint(IPAddress.Loopback, 0), identity) }, Cancel);
        Task<TransportConnection?> accepting = listener.AcceptAsync(Cancel).AsTask();
        QuicConnection client = await ConnectAsync((IPEndPoint)listener.LocalEndPoints[0], identity, announced, received);
        TransportConnection server = (await accepting)!;
        var recorded = new RecordedEvents();
        server.Start(events ?? recorded);
        return new Pair(transport, client, server, recorded, identity);
    }

    // The engine's own options know datagrams of every size or none; other stacks let their users choose.
    private async Task<QuicConnection> ConnectAsync(IPEndPoint address, X509Certificate2 identity, ulong announced, ReceivedDatagrams received)
    {
        var options = new QuicClientConnectionOptions
        {
            RemoteEndPoint = address,
            ClientAuthenticationOptions = new SslClientAuthenticationOptions
            {
                ApplicationProtocols = [new SslApplicationProtocol(new TransportListenRequest { Local = Local.Anonymous }.Protocol)],
                TargetHost = "localhost",
            },
            PinnedPublicKeys = [KeyFingerprint.Of(identity).Bytes.ToArray()],
            Events = received,
        };
        const BindingFlags Hidden = BindingFlags.Instance | BindingFlags.Static | BindingFlags.NonPublic;
        object settings = typeof(QuicConnectionOptions).GetMethod("ToSettings", Hidden)!.Invoke(options, null)!;
        settings.GetType().GetProperty("MaxDatagramFrameSize")!.SetValue(settings, announced);
        return await (ValueTask<QuicConnection>)typeof(QuicConnection)
            .GetMethod("ConnectToAsync", Hidden)!
            .Invoke(null, [options, settings, address, Cancel])!;
    }

    private sealed record Pair(
        PostTransport Transport, QuicConnection Client, TransportConnection Server, RecordedEvents Events, X509Certificate2 Identity)
        : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Client.DisposeAsync();
            await Transport.DisposeAsync();
            Identity.Dispose();
        }
    }

    private sealed class DuringTheCall : TransportEvents
    {
        private volatile int _callingThread;

        public bool CameBack { get; private set; }

        public TransportDatagramResult Watch(Func<TransportDatagramResult> call)
        {
            _callingThread = Environment.CurrentManagedThreadId;
            TransportDatagramResult result = call();
            _callingThread = 0;
            return result;
        }

        public override void OnDatagramState(long token, TransportDatagramState state) =>
            CameBack |= _callingThread == Environment.CurrentManagedThreadId && state == TransportDatagramState.Canceled;
    }

    private sealed class ReceivedDatagrams : QuicConnectionEvents
    {
        private readonly System.Threading.Channels.Channel<byte[]> _received = System.Threading.Channels.Channel.CreateUnbounded<byte[]>();

        public ValueTask<byte[]> NextAsync(CancellationToken cancellationToken) => _received.Reader.ReadAsync(cancellationToken);

        public override bool OnDatagramReceived(ReadOnlySpan<byte> payload, bool isEarlyData, long arrivedAt) => _received.Writer.TryWrite(payload.ToArray());
    }
}
