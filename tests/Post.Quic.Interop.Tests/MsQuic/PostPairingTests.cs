using System.Net;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using Post.Quic.Managed;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Interop.Tests.MsQuic;

/// <summary>Associations between the two engines, in all four pairings.</summary>
[TestClass]
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
public sealed class PostPairingTests
{
    public TestContext TestContext { get; set; } = null!;

    private CancellationToken Cancel => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    [DataRow(PostEngine.Managed, PostEngine.Managed)]
    [DataRow(PostEngine.Managed, PostEngine.SystemNetQuic)]
    [DataRow(PostEngine.SystemNetQuic, PostEngine.Managed)]
    [DataRow(PostEngine.SystemNetQuic, PostEngine.SystemNetQuic)]
    public async Task Objects_of_many_sizes_arrive_whole_and_are_acked(PostEngine client, PostEngine server)
    {
        await using Ends ends = await ConnectAsync(client, server);
        byte[][] objects = [.. new[] { 0, 1, 100, 1000, 1500, 20_000, 1_000_000, 5_000_000 }.Select(RandomNumberGenerator.GetBytes)];

        SentObject[] sent = [.. objects.Select(bytes => ends.Client.Send(bytes))];
        var received = new Dictionary<long, byte[]>();
        while (received.Count < objects.Length)
        {
            using ReceivedObject item = await ends.Server.ReceiveAsync(Cancel);
            received.Add(item.Id, item.ToArray());
        }

        for (int i = 0; i < objects.Length; i++)
        {
            CollectionAssert.AreEqual(objects[i], received[sent[i].Id]);
            (await sent[i].Completion.WaitAsync(Cancel)).EnsureAcked();
        }
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    [DataRow(PostEngine.Managed, PostEngine.Managed)]
    [DataRow(PostEngine.Managed, PostEngine.SystemNetQuic)]
    [DataRow(PostEngine.SystemNetQuic, PostEngine.Managed)]
    [DataRow(PostEngine.SystemNetQuic, PostEngine.SystemNetQuic)]
    public async Task Antecedents_come_first_and_lifetimes_hold(PostEngine client, PostEngine server)
    {
        await using Ends ends = await ConnectAsync(client, server);

        SentObject first = ends.Client.Send(RandomNumberGenerator.GetBytes(2_000_000));
        SentObject second = ends.Client.Send([2], new ObjectProperties { Antecedents = [first], Niceness = 0 });
        SentObject lively = ends.Client.Send(new byte[500], new ObjectProperties { Lifetime = TimeSpan.FromSeconds(30) });

        // Two megabytes do not pass in a millisecond, and it must wait for them.
        SentObject dead = ends.Client.Send(
            new byte[500], new ObjectProperties { Antecedents = [first], Lifetime = TimeSpan.FromMilliseconds(1) });

        var order = new List<long>();
        while (order.Count < 3)
        {
            using ReceivedObject item = await ends.Server.ReceiveAsync(Cancel);
            order.Add(item.Id);
        }

        Assert.IsLessThan(order.IndexOf(second.Id), order.IndexOf(first.Id));
        Assert.Contains(lively.Id, order);
        (await lively.Completion.WaitAsync(Cancel)).EnsureAcked();
        Assert.AreEqual(ObjectEnd.Expired, (await dead.Completion.WaitAsync(Cancel)).End);
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    [DataRow(PostEngine.Managed, PostEngine.Managed)]
    [DataRow(PostEngine.Managed, PostEngine.SystemNetQuic)]
    [DataRow(PostEngine.SystemNetQuic, PostEngine.Managed)]
    [DataRow(PostEngine.SystemNetQuic, PostEngine.SystemNetQuic)]
    public async Task Streams_carry_bytes_both_ways_and_a_close_drains(PostEngine client, PostEngine server)
    {
        await using Ends ends = await ConnectAsync(client, server);
        byte[] bytes = RandomNumberGenerator.GetBytes(500_000);
        PostStream outbound = await ends.Client.OpenAsync(cancellationToken: Cancel);
        Task writing = WriteAsync();
        PostStream inbound = await ends.Server.AcceptStreamAsync(Cancel);
        using var there = new MemoryStream();
        await inbound.CopyToAsync(there, Cancel);
        await writing;
        await inbound.WriteAsync(bytes.AsMemory(0, 1000), Cancel);
        await inbound.CompleteWritesAsync(Cancel);
        using var back = new MemoryStream();
        await outbound.CopyToAsync(back, Cancel);

        CollectionAssert.AreEqual(bytes, there.ToArray());
        CollectionAssert.AreEqual(bytes[..1000], back.ToArray());

        SentObject last = ends.Client.Send(RandomNumberGenerator.GetBytes(300_000));
        Task closing = ends.Client.CloseAsync(Cancel);
        using (ReceivedObject item = await ends.Server.ReceiveAsync(Cancel))
        {
            Assert.AreEqual(last.Id, item.Id);
        }

        await closing;
        (await last.Completion.WaitAsync(Cancel)).EnsureAcked();

        async Task WriteAsync()
        {
            await outbound.WriteAsync(bytes, Cancel);
            await outbound.CompleteWritesAsync(Cancel);
        }
    }

    private static PostTransport TransportOf(PostEngine engine) =>
        engine == PostEngine.Managed ? new ManagedTransport() : global::Post.Quic.Tests.Transports.MsQuic.CreateTransport();

    private async Task<Ends> ConnectAsync(PostEngine client, PostEngine server)
    {
        PostTransport clientTransport = TransportOf(client);
        PostTransport serverTransport = TransportOf(server);
        var identity = Identity.CreateSelfSigned();
        Listener listener = await Listener.ListenAsync(
            serverTransport, Local.At(new IPEndPoint(IPAddress.Loopback, 0), identity), cancellationToken: Cancel);
        Task<Association?> accepting = listener.AcceptAsync(Cancel).AsTask();
        Association associated = await Association.AssociateAsync(
            clientTransport,
            Local.Anonymous,
            Remote.Pinned((IPEndPoint)listener.LocalEndPoints[0], KeyFingerprint.Of(identity)),
            cancellationToken: Cancel);
        return new Ends(associated, (await accepting)!, listener, clientTransport, serverTransport);
    }

    private sealed record Ends(
        Association Client, Association Server, Listener Listener, PostTransport ClientTransport, PostTransport ServerTransport)
        : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            Client.Abort();
            Server.Abort();
            await Listener.DisposeAsync();
            await ClientTransport.DisposeAsync();
            await ServerTransport.DisposeAsync();
        }
    }
}
