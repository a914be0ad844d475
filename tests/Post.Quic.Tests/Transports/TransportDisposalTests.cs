using System.Net;
using System.Runtime.Versioning;
using System.Security.Cryptography.X509Certificates;
using Post.Quic.Managed;
using Post.Sockets;
using Post.Sockets.Testing;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.Transports;

/// <summary>With a transport ends all that it carries, as the documentation of <see cref="PostTransport.DisposeAsync"/> promises.</summary>
[TestClass]
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
public sealed class TransportDisposalTests
{
    public TestContext TestContext { get; set; } = null!;

    private CancellationToken Cancel => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public Task With_the_managed_transport_its_connections_and_listeners_end() => EndsWhatItCarriesAsync(static () => new ManagedTransport());

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public Task With_the_transport_on_msquic_its_connections_and_listeners_end() => EndsWhatItCarriesAsync(static () => MsQuicPlatform.CreateTransport());

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task With_a_transport_in_memory_its_connections_and_listeners_end()
    {
        var network = new InMemoryNetwork(seed: 1, new InMemoryLinkOptions { Delay = TimeSpan.FromMilliseconds(1) });
        using IDisposable running = network.Clock.RunInRealTime();
        await EndsWhatItCarriesAsync(() => network.CreateTransport());
    }

    private async Task EndsWhatItCarriesAsync(Func<PostTransport> create)
    {
        await using PostTransport clients = create();
        await using PostTransport servers = create();
        using X509Certificate2 identity = Identity.CreateSelfSigned();
        TransportListener listener = await servers.ListenAsync(
            new TransportListenRequest { Local = Local.At(new IPEndPoint(IPAddress.Loopback, 0), identity) }, Cancel);
        var request = new TransportConnectRequest
        {
            Local = Local.Anonymous,
            Remote = Remote.Pinned((IPEndPoint)listener.LocalEndPoints[0], KeyFingerprint.Of(identity)),
        };

        // One that was accepted, one that ended before, and one that nobody took.
        (RecordedEvents clientOfAccepted, RecordedEvents accepted, _, _) = await ConnectAsync(clients, listener, request);
        (_, RecordedEvents over, TransportConnection clientOfOver, TransportConnection serverOfOver) =
            await ConnectAsync(clients, listener, request);
        await clientOfOver.DisposeAsync();

        // What is over the transport forgets: whoever has it gives back what it still holds, its port for one.
        await over.ClosedAsync(Cancel);
        await serverOfOver.DisposeAsync();
        TransportConnection unaccepted = await clients.ConnectAsync(request, Cancel);
        var clientOfUnaccepted = new RecordedEvents();
        unaccepted.Start(clientOfUnaccepted);
        Task acceptingStream = unaccepted.AcceptStreamAsync(Cancel).AsTask();

        await servers.DisposeAsync();
        Assert.AreEqual(TransportErrorReason.ClosedLocally, (await accepted.ClosedAsync(Cancel)).Reason);
        TransportErrorReason told = (await clientOfAccepted.ClosedAsync(Cancel)).Reason;
        Assert.AreEqual(TransportErrorReason.ClosedByPeer, told, "the peer is told, and need not wait for a timeout");
        await clientOfUnaccepted.ClosedAsync(Cancel);
        await Assert.ThrowsAsync<TransportException>(() => acceptingStream);

        while (await listener.AcceptAsync(Cancel) is not null)
        {
        }

        TransportException late = await Assert.ThrowsExactlyAsync<TransportException>(() => servers.ConnectAsync(request, Cancel).AsTask());
        Assert.AreEqual(TransportErrorReason.ClosedLocally, late.Reason);
        late = await Assert.ThrowsExactlyAsync<TransportException>(() => servers.ListenAsync(
            new TransportListenRequest { Local = Local.At(new IPEndPoint(IPAddress.Loopback, 0), identity) }, Cancel).AsTask());
        Assert.AreEqual(TransportErrorReason.ClosedLocally, late.Reason);

        await using PostTransport others = create();
        await AssertFreeAgainAsync(others, Local.At(listener.LocalEndPoints[0], identity));
    }

    /// <summary>A connection that is over keeps its port a little, to answer what is late (RFC 9000 section 10.2).</summary>
    private async Task AssertFreeAgainAsync(PostTransport transport, Local local)
    {
        while (true)
        {
            try
            {
                await (await transport.ListenAsync(new TransportListenRequest { Local = local }, Cancel)).DisposeAsync();
                return;
            }
            catch (TransportException exception) when (exception.Reason == TransportErrorReason.LocalAddressUnavailable)
            {
                await Task.Delay(10, Cancel);
            }
        }
    }

    private async Task<(RecordedEvents OfClient, RecordedEvents OfServer, TransportConnection Client, TransportConnection Server)> ConnectAsync(
        PostTransport clients, TransportListener listener, TransportConnectRequest request)
    {
        Task<TransportConnection?> accepting = listener.AcceptAsync(Cancel).AsTask();
        TransportConnection client = await clients.ConnectAsync(request, Cancel);
        TransportConnection server = (await accepting)!;
        var ofClient = new RecordedEvents();
        var ofServer = new RecordedEvents();
        client.Start(ofClient);
        server.Start(ofServer);

        // System.Net.Quic tells of an end only who asks for something.
        _ = IgnoreEndAsync(client);
        _ = IgnoreEndAsync(server);
        return (ofClient, ofServer, client, server);
    }

    private async Task IgnoreEndAsync(TransportConnection connection)
    {
        try
        {
            await connection.AcceptStreamAsync(Cancel);
        }
        catch (TransportException)
        {
            // What the events tell, too.
        }
    }
}
