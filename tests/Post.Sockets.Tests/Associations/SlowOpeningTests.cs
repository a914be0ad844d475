using System.Net;
using Post.Sockets.Testing;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Associations;

/// <summary>Objects over a transport that opens streams only with a wait, as System.Net.Quic does.</summary>
[TestClass]
public sealed class SlowOpeningTests
{
    private const int OpeningMilliseconds = 10;

    private readonly InMemoryNetwork _network = new(seed: 1, PostWorld.Link(delay: 1));

    [TestMethod]
    public void Many_objects_share_the_waits_and_keep_their_order()
    {
        const int Count = 100;
        _network.Run(async () =>
        {
            await using var slow = new SlowTransport(_network.CreateTransport());
            var listener = await Listener.ListenAsync(_network.CreateTransport(), Local.At(new DnsEndPoint("server", 1)));
            var accepting = listener.AcceptAsync().AsTask();
            var client = await Association.AssociateAsync(slow, Local.Anonymous, Remote.Named("server", 1));
            var server = (await accepting)!;
            var first = client.Send(new byte[1]);
            (await server.ReceiveAsync()).Dispose();
            await first.Completion;
            var connection = slow.Connection!;
            var begin = _network.Clock.GetTimestamp();

            // While the last ones wait for streams the most urgent of all comes.
            var sent = Enumerable.Range(0, Count).Select(_ => client.Send(new byte[1])).ToList();
            var urgent = client.Send(new byte[2], new ObjectProperties { Niceness = 0 });
            sent.Add(urgent);
            var urgentPlace = -1;
            for (var place = 0; place <= Count; place++)
            {
                using var received = await server.ReceiveAsync();
                urgentPlace = received.Id == urgent.Id ? place : urgentPlace;
            }

            var took = _network.Clock.GetElapsedTime(begin);
            Assert.IsLessThan(Count * OpeningMilliseconds / 10, took.TotalMilliseconds, "Streams were opened one after the other.");
            Assert.IsLessThan(3, urgentPlace, "Streams went to those who had waited longest.");
            Assert.IsLessThanOrEqualTo(32, connection.MostOpening);
            foreach (var item in sent)
            {
                (await item.Completion).EnsureAcked();
            }

            // No more were opened than there were objects, and the handful that may have been asked for in vain.
            Assert.IsLessThan(Count + 10, connection.Opened);
            await client.CloseAsync();
        });
    }

    private sealed class SlowTransport(InMemoryTransport inner) : PostTransport
    {
        public override string Name => inner.Name;

        public override TransportCapabilities Capabilities => inner.Capabilities;

        public override TimeProvider TimeProvider => inner.TimeProvider;

        public override TransportDispatcher Dispatcher => inner.Dispatcher;

        public SlowConnection? Connection { get; private set; }

        public override Random CreateRandom() => inner.CreateRandom();

        public override async ValueTask<TransportConnection> ConnectAsync(TransportConnectRequest request, CancellationToken cancellationToken) =>
            Connection = new SlowConnection(await inner.ConnectAsync(request, cancellationToken).ConfigureAwait(false), TimeProvider);

        public override ValueTask<TransportListener> ListenAsync(TransportListenRequest request, CancellationToken cancellationToken) =>
            inner.ListenAsync(request, cancellationToken);
    }

    private sealed class SlowConnection(TransportConnection inner, TimeProvider time) : TransportConnection
    {
        private int _opening;

        public int Opened { get; private set; }

        public int MostOpening { get; private set; }

        public override TransportCapabilities Capabilities => inner.Capabilities;

        public override bool IsClient => inner.IsClient;

        public override PeerIdentity Peer => inner.Peer;

        public override EndPoint? LocalEndPoint => inner.LocalEndPoint;

        public override EndPoint? RemoteEndPoint => inner.RemoteEndPoint;

        public override int MaxDatagramSize => inner.MaxDatagramSize;

        public override void Start(TransportEvents events) => inner.Start(events);

        public override TransportStream? TryOpenStream(TransportStreamKind kind, in TransportPriority priority) => null;

        public override async ValueTask<TransportStream> OpenStreamAsync(
            TransportStreamKind kind, TransportPriority priority, CancellationToken cancellationToken)
        {
            MostOpening = Math.Max(MostOpening, ++_opening);
            var opened = new TaskCompletionSource();
            await using (time.CreateTimer(
                _ => opened.TrySetResult(), null, TimeSpan.FromMilliseconds(OpeningMilliseconds), Timeout.InfiniteTimeSpan))
            {
                await opened.Task.ConfigureAwait(false);
            }

            _opening--;
            Opened++;
            return await inner.OpenStreamAsync(kind, priority, cancellationToken).ConfigureAwait(false);
        }

        public override ValueTask<TransportStream> AcceptStreamAsync(CancellationToken cancellationToken) => inner.AcceptStreamAsync(cancellationToken);

        public override TransportDatagramResult TrySendDatagram(ReadOnlySpan<byte> payload, in TransportPriority priority, long token) =>
            inner.TrySendDatagram(payload, priority, token);

        public override TransportStatistics GetStatistics() => inner.GetStatistics();

        public override IReadOnlyList<PostPath> GetPaths() => inner.GetPaths();

        public override ValueTask CloseAsync(long errorCode, string reason, CancellationToken cancellationToken) =>
            inner.CloseAsync(errorCode, reason, cancellationToken);

        public override ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
