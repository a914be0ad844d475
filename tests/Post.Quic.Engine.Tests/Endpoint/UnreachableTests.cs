using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Tests.Udp;

namespace Post.Quic.Engine.Tests.Endpoint;

/// <summary>What the machine or the network says of reaching a peer is heard at once, and told by its name.</summary>
[TestClass]
public sealed class UnreachableTests
{
    /// <summary>Half of the time that a handshake may take: nobody waited for it to run out.</summary>
    private static readonly TimeSpan AtOnce = TimeSpan.FromSeconds(5);

    public TestContext TestContext { get; set; } = null!;

    private CancellationToken Cancel => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    [DataRow("127.0.0.1")]
    [DataRow("::1")]
    public async Task A_port_that_nobody_listens_on_ends_the_attempt_with_its_name(string host)
    {
        SkipWhereIcmpIsNotHeard();
        var closed = new IPEndPoint(IPAddress.Parse(host), 0);
        using (var probe = new Socket(closed.AddressFamily, SocketType.Dgram, ProtocolType.Udp))
        {
            probe.Bind(closed);
            closed = (IPEndPoint)probe.LocalEndPoint!;
        }

        await AssertRefusedAsync(closed, SocketError.ConnectionRefused);
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task A_broadcast_address_is_nobodys() =>
        await AssertRefusedAsync(new IPEndPoint(IPAddress.Broadcast, 4433), SocketError.AccessDenied);

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task A_link_local_address_without_its_interface_is_nobodys() =>
        await AssertRefusedAsync(new IPEndPoint(IPAddress.Parse("fe80::1"), 4433), SocketError.InvalidArgument);

    [TestMethod]
    [Timeout(60_000)]
    public void No_route_ends_the_attempt_with_its_name() => PrivateNetwork.Run(
        ["ip link set lo up"],
        () => AssertRefusedAsync(new IPEndPoint(IPAddress.Parse("203.0.113.7"), 4433), SocketError.NetworkUnreachable).GetAwaiter().GetResult());

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task What_is_said_of_a_living_connection_ends_nothing()
    {
        SkipWhereIcmpIsNotHeard();
        QuicEndpoint server = QuicEndpoint.Open(new QuicEndpointOptions { LocalEndPoint = new IPEndPoint(IPAddress.Loopback, 0) });
        await using QuicListener listener = await LoopbackPair.ListenAsync(listen: options => options with { Endpoint = server });
        await using QuicConnection client = await LoopbackPair.ConnectToAsync(listener, Cancel);
        await client.OpenOutboundStreamAsync(QuicStreamType.Unidirectional, Cancel);

        // From now on each packet is answered with "port unreachable".
        await server.DisposeAsync();
        QuicStream stream = (await client.OpenOutboundStreamAsync(QuicStreamType.Unidirectional, Cancel))!;
        await stream.WriteAsync(new byte[100_000], Cancel);
        await Task.Delay(1_000, Cancel);

        Assert.IsFalse(client.Closed.IsCompleted, "Whoever sees a packet could forge that; the connection waits for its idle timeout.");
        Assert.IsLessThan(500, client.GetStatistics().PacketsSent, "And it answers what is said with no storm of its own.");
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task What_does_not_quote_a_packet_of_ours_is_not_believed()
    {
        await using QuicListener listener = await LoopbackPair.ListenAsync();
        await using QuicConnection client = await LoopbackPair.ConnectToAsync(listener, Cancel);
        NetworkAddress remote = NetworkAddress.FromEndPoint(client.RemoteEndPoint);
        QuicPath before = client.GetPaths().Single();
        byte[] quoted = new byte[40];
        quoted[0] = 0x40;
        lock (client.Driver.Gate)
        {
            Assert.IsFalse(client.Driver.Core.OnUdpError(remote, quoted, SocketError.ConnectionRefused, client.Driver.Now), "Another id.");
            Assert.IsFalse(client.Driver.Core.OnUdpError(remote, [], SocketError.ConnectionRefused, client.Driver.Now), "Nothing quoted.");
            client.Driver.Core.State.Paths.First.Network.RemoteId.Id.Span.CopyTo(quoted.AsSpan(1));
            Assert.IsTrue(client.Driver.Core.OnUdpError(remote, quoted, SocketError.ConnectionRefused, client.Driver.Now));
            Assert.IsFalse(
                client.Driver.Core.OnUdpError(remote.WithPort(1), quoted, SocketError.ConnectionRefused, client.Driver.Now), "Another address.");
        }

        // What is believed makes the client ask the machine for another way. There is none, and all stays as it was.
        client.Driver.Wake();
        while (client.GetPaths().Count != 1 || client.GetStatistics().PacketsSent == 0)
        {
            await Task.Delay(10, Cancel);
        }

        await Task.Delay(200, Cancel);
        QuicPath after = client.GetPaths().Single();
        Assert.AreEqual(before.Id, after.Id);
        Assert.AreEqual(before.LocalEndPoint, after.LocalEndPoint);
    }

    private static void SkipWhereIcmpIsNotHeard()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Inconclusive("Only on Linux does a socket say what ICMP said.");
        }
    }

    private async Task AssertRefusedAsync(IPEndPoint remote, SocketError name)
    {
        long start = Stopwatch.GetTimestamp();
        QuicException refused = await Assert.ThrowsExactlyAsync<QuicException>(() => QuicConnection.ConnectAsync(
            new QuicClientConnectionOptions { RemoteEndPoint = remote, ClientAuthenticationOptions = LoopbackPair.ClientAuthentication() },
            Cancel).AsTask());

        Assert.AreEqual(QuicError.Unreachable, refused.QuicError);
        Assert.AreEqual(name, ((SocketException)refused.InnerException!).SocketErrorCode);
        Assert.IsLessThan(AtOnce, Stopwatch.GetElapsedTime(start));
    }
}
