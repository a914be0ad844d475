using System.Net;
using Post.Sockets.Testing;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Objects;

/// <summary>A transport may state datagrams, take each of them, and give each back unsent.</summary>
[TestClass]
public sealed class RefusedDatagramTests
{
    [TestMethod]
    [DataRow(true, DisplayName = "given back during the call")]
    [DataRow(false, DisplayName = "given back later")]
    public void An_object_whose_datagrams_are_given_back_unsent_arrives_by_a_stream(bool atOnce)
    {
        var network = new InMemoryNetwork(0, PostWorld.Link(delay: 10));
        var transport = new GivingBackTransport(network.CreateTransport(), atOnce);
        network.Run(async () =>
        {
            Listener listener = await Listener.ListenAsync(transport, Local.At(new DnsEndPoint("server", 1)), new ListenerOptions());
            Task<Association?> accepting = listener.AcceptAsync().AsTask();
            Association client = await Association.AssociateAsync(transport, Local.Anonymous, Remote.Named("server", 1), new());
            Association server = (await accepting)!;
            await Task.Delay(TimeSpan.FromMilliseconds(100), network.Clock);

            SentObject sent = client.Send(new byte[] { 7 }, new ObjectProperties { Lifetime = TimeSpan.FromSeconds(5) });
            using ReceivedObject received = await server.ReceiveAsync();

            CollectionAssert.AreEqual(new byte[] { 7 }, received.ToArray());
            (await sent.Completion).EnsureAcked();
            Assert.AreEqual(1, transport.Offered, "The same datagram was offered again and again.");
        });
    }

    private sealed class GivingBackTransport(PostTransport inner, bool atOnce) : PostTransport
    {
        /// <summary>Where a pump that spins is let go, so that the test fails instead of hanging.</summary>
        private const int Enough = 1000;

        public int Offered { get; private set; }

        public override string Name => inner.Name;

        public override TransportCapabilities Capabilities => inner.Capabilities;

        public override TimeProvider TimeProvider => inner.TimeProvider;

        public override TransportDispatcher Dispatcher => inner.Dispatcher;

        public override Random CreateRandom() => inner.CreateRandom();

        public override async ValueTask<TransportConnection> ConnectAsync(
            TransportConnectRequest request, CancellationToken cancellationToken) =>
            new GivingBackConnection(await inner.ConnectAsync(request, cancellationToken).ConfigureAwait(false), this);

        public override ValueTask<TransportListener> ListenAsync(TransportListenRequest request, CancellationToken cancellationToken) =>
            inner.ListenAsync(request, cancellationToken);

        public TransportDatagramResult GiveBack(TransportEvents events, long token)
        {
            if (++Offered > Enough)
            {
                return TransportDatagramResult.Unavailable;
            }

            if (atOnce)
            {
                GivenBack(events, token);
            }
            else
            {
                TimeProvider.CreateTimer(
                    _ => GivenBack(events, token),
                    null,
                    TimeSpan.FromMilliseconds(1),
                    Timeout.InfiniteTimeSpan);
            }

            return TransportDatagramResult.Queued;
        }

        private static void GivenBack(TransportEvents events, long token)
        {
            events.OnDatagramState(token, TransportDatagramState.Canceled);
            events.OnEventsDrained();
        }
    }

    private sealed class GivingBackConnection(TransportConnection inner, GivingBackTransport owner) : TransportConnection
    {
        private TransportEvents? _events;

        public override TransportCapabilities Capabilities => inner.Capabilities;

        public override bool IsClient => inner.IsClient;

        public override PeerIdentity Peer => inner.Peer;

        public override EndPoint? LocalEndPoint => inner.LocalEndPoint;

        public override EndPoint? RemoteEndPoint => inner.RemoteEndPoint;

        public override bool IsHandshakeCompleted => inner.IsHandshakeCompleted;

        public override int MaxDatagramSize => inner.MaxDatagramSize;

        public override void Start(TransportEvents events)
        {
            _events = events;
            inner.Start(events);
        }

        public override TransportStream? TryOpenStream(TransportStreamKind kind, in TransportPriority priority) =>
            inner.TryOpenStream(kind, priority);

        public override ValueTask<TransportStream> OpenStreamAsync(
            TransportStreamKind kind, TransportPriority priority, CancellationToken cancellationToken) =>
            inner.OpenStreamAsync(kind, priority, cancellationToken);

        public override ValueTask<TransportStream> AcceptStreamAsync(CancellationToken cancellationToken) =>
            inner.AcceptStreamAsync(cancellationToken);

        public override TransportDatagramResult TrySendDatagram(ReadOnlySpan<byte> payload, in TransportPriority priority, long token) =>
            owner.GiveBack(_events!, token);

        public override TransportStatistics GetStatistics() => inner.GetStatistics();

        public override IReadOnlyList<PostPath> GetPaths() => inner.GetPaths();

        public override ValueTask CloseAsync(long errorCode, string reason, CancellationToken cancellationToken) =>
            inner.CloseAsync(errorCode, reason, cancellationToken);

        public override ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
