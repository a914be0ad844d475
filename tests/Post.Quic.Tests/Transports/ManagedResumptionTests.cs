using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using Post.Quic.Managed;
using Post.Sockets;

namespace Post.Quic.Tests.Transports;

/// <summary>An association over the managed engine outlives the QUIC connections that carry it.</summary>
[TestClass]
public sealed class ManagedResumptionTests
{
    private static readonly AssociationOptions Options = new()
    {
        IdleTimeout = TimeSpan.FromSeconds(1),
        KeepAliveInterval = TimeSpan.FromMilliseconds(200),
        Incremental = IncrementalDelivery.WhenLarge,
        MaxWholeObjectSize = 1024 * 1024,
    };

    public TestContext TestContext { get; set; } = null!;

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public async Task Objects_go_on_over_another_connection_each_delivered_once()
    {
        var cancellation = TestContext.CancellationToken;
        var identity = Identity.CreateSelfSigned("server");
        await using var serverTransport = new ManagedTransport();
        await using var clientTransport = new ManagedTransport();
        await using var listener = await Listener.ListenAsync(
            serverTransport, Local.At(new IPEndPoint(IPAddress.Loopback, 0), identity), new ListenerOptions { Association = Options }, cancellation);
        var got = new ConcurrentDictionary<long, byte[]>();
        var twice = 0;
        Association? server = null;
        listener.Register<Accept>(accept =>
        {
            server = accept.Association;
            server.Register<Received>(async received =>
            {
                using var all = new MemoryStream();
                await received.Object.AsStream().CopyToAsync(all);
                twice += got.TryAdd(received.Object.Id, SHA256.HashData(all.ToArray())) ? 0 : 1;
            });
        });
        await using var relay = new CutRelay((IPEndPoint)listener.LocalEndPoints[0]);
        var local = Local.Anonymous with { Sessions = new MemorySessionCache() };
        await using var client = await Association.AssociateAsync(
            clientTransport, local, Remote.Pinned(relay.EndPoint, KeyFingerprint.Of(identity)), Options, cancellation);
        var resumed = new ConcurrentQueue<bool>();
        client.Register<ConnectionChanged>(changed => resumed.Enqueue(changed.IsConnected));
        (await client.Send("first"u8).Completion.WaitAsync(cancellation)).EnsureAcked();

        var large = RandomNumberGenerator.GetBytes(60_000_000);
        for (var round = 0; round < 2; round++)
        {
            var sent = new List<SentObject> { client.Send(large), client.Send(new MemoryStream(large, 0, 5_000_000)) };
            sent.AddRange(Enumerable.Range(0, 200).Select(i => client.Send(new byte[i * 10], new() { Niceness = i % 3 })));
            await Task.Delay(100, cancellation);
            relay.IsUp = false;
            while (!client.IsInterrupted)
            {
                await Task.Delay(50, cancellation);
            }

            Assert.IsEmpty(client.Paths);
            relay.IsUp = true;
            foreach (var item in sent)
            {
                (await item.Completion.WaitAsync(cancellation)).EnsureAcked();
            }

            // Delivered is not yet dealt with: the handler takes the last bytes, and then hashes them.
            while (!sent.TrueForAll(item => got.ContainsKey(item.Id)))
            {
                await Task.Delay(10, cancellation);
            }

            CollectionAssert.AreEqual(SHA256.HashData(large), got[sent[0].Id]);
            CollectionAssert.AreEqual(SHA256.HashData(large.AsSpan(0, 5_000_000)), got[sent[1].Id]);
        }

        Assert.AreEqual(0, twice, "delivered twice");
        Assert.HasCount(405, got);
        CollectionAssert.AreEqual(new[] { false, true, false, true }, resumed.ToArray());
        Assert.IsTrue(client.IsResumed, "the session cache makes it quick");
        Assert.AreEqual(1, listener.AssociationCount);
        await client.CloseAsync(cancellation);
        await server!.Completion.WaitAsync(cancellation);
        Assert.IsNull(server.Error);
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task A_listener_that_was_restarted_is_a_clear_error()
    {
        var cancellation = TestContext.CancellationToken;
        var identity = Identity.CreateSelfSigned("server");
        await using var clientTransport = new ManagedTransport();
        var serverTransport = new ManagedTransport();
        var listener = await Listener.ListenAsync(
            serverTransport, Local.At(new IPEndPoint(IPAddress.Loopback, 0), identity), new ListenerOptions { Association = Options }, cancellation);
        await using var relay = new CutRelay((IPEndPoint)listener.LocalEndPoints[0]);
        await using var client = await Association.AssociateAsync(
            clientTransport, Local.Anonymous, Remote.Pinned(relay.EndPoint, KeyFingerprint.Of(identity)), Options, cancellation);

        // It goes without a word, as a process does that is killed.
        relay.IsUp = false;
        await listener.DisposeAsync();
        await serverTransport.DisposeAsync();
        await using var again = new ManagedTransport();
        await using var restarted = await Listener.ListenAsync(
            again, Local.At(new IPEndPoint(IPAddress.Loopback, 0), identity), new ListenerOptions { Association = Options }, cancellation);
        relay.Redirect((IPEndPoint)restarted.LocalEndPoints[0]);
        var sent = client.Send("what became of this?"u8);
        relay.IsUp = true;
        await client.Completion.WaitAsync(cancellation);
        Assert.AreEqual(PostErrorReason.AssociationLost, client.Error!.Reason);
        Assert.AreEqual(PostErrorReason.AssociationLost, (await sent.Completion).Error!.Reason);
        Assert.AreEqual(0, restarted.AssociationCount);
    }
}
