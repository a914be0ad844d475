using System.Net;
using System.Net.Sockets;

namespace Post.Quic.Engine.Tests.Endpoint;

/// <summary>A server that asks its clients to go to another of its addresses (RFC 9000 section 9.6), on two addresses of loopback.</summary>
[TestClass]
public sealed class PreferredAddressTests
{
    private static readonly IPAddress Second = IPAddress.Parse("127.0.0.2");

    public TestContext TestContext { get; set; } = null!;

    private CancellationToken Cancel => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task A_client_moves_to_the_servers_preferred_address_and_goes_on_there()
    {
        await using LoopbackPair pair = await ConnectAsync(client => client);
        var preferred = new IPEndPoint(Second, pair.Listener.LocalEndPoint.Port);
        while (!pair.Client.RemoteEndPoint.Equals(preferred) || pair.Client.GetPaths().Count != 1)
        {
            await EchoAsync(pair, 1000);
            await Task.Delay(10, Cancel);
        }

        await EchoAsync(pair, 1_000_000);
        Assert.AreEqual(preferred, pair.Server.LocalEndPoint);
        Assert.IsTrue(pair.Server.GetPaths().Single(path => path.IsActive).LocalEndPoint.Equals(preferred));
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task A_client_that_does_not_want_to_stays_where_it_connected()
    {
        await using LoopbackPair pair = await ConnectAsync(client => client with { FollowPreferredAddress = false });
        for (int i = 0; i < 20; i++)
        {
            await EchoAsync(pair, 1000);
            await Task.Delay(10, Cancel);
        }

        Assert.AreEqual(pair.Listener.LocalEndPoint, pair.Client.RemoteEndPoint);
        Assert.HasCount(1, pair.Client.GetPaths());
    }

    [TestMethod]
    [DataRow("0.0.0.0")]
    [DataRow("::")]
    [DataRow("::ffff:127.0.0.2")]
    public async Task An_address_that_nobody_can_move_to_is_refused(string address)
    {
        ArgumentException refused = await Assert.ThrowsExactlyAsync<ArgumentException>(async () => await ListenAsync(new IPEndPoint(IPAddress.Parse(address), 0)));
        Assert.Contains(nameof(QuicListenerOptions.PreferredEndPoints), refused.Message);
    }

    [TestMethod]
    public async Task Two_addresses_of_one_family_are_refused_and_one_that_is_not_ours_too()
    {
        await Assert.ThrowsExactlyAsync<ArgumentException>(async () => await ListenAsync(new IPEndPoint(Second, 0), new IPEndPoint(IPAddress.Loopback, 1)));
        SocketException foreign = await Assert.ThrowsExactlyAsync<SocketException>(async () => await ListenAsync(new IPEndPoint(IPAddress.Parse("192.0.2.1"), 0)));
        Assert.AreEqual(SocketError.AddressNotAvailable, foreign.SocketErrorCode);
    }

    private static ValueTask<QuicListener> ListenAsync(params IPEndPoint[] preferred) =>
        LoopbackPair.ListenAsync(listen: options => options with { PreferredEndPoints = preferred });

    private Task<LoopbackPair> ConnectAsync(Func<QuicClientConnectionOptions, QuicClientConnectionOptions> client) =>
        LoopbackPair.ConnectAsync(
            Cancel, client, listen: options => options with { PreferredEndPoints = [new IPEndPoint(Second, 0)] });

    private async Task EchoAsync(LoopbackPair pair, int size)
    {
        var data = new byte[size];
        Random.Shared.NextBytes(data);
        await using QuicStream outbound = await pair.Client.OpenOutboundStreamAsync(QuicStreamType.Bidirectional, Cancel);
        Task writing = outbound.WriteAsync(data, completeWrites: true, Cancel).AsTask();
        await using QuicStream inbound = await pair.Server.AcceptInboundStreamAsync(Cancel);
        byte[] there = await ReadAsync(inbound);
        await inbound.WriteAsync(there, completeWrites: true, Cancel);
        CollectionAssert.AreEqual(data, await ReadAsync(outbound));
        await writing;
    }

    private async Task<byte[]> ReadAsync(QuicStream stream)
    {
        using var all = new MemoryStream();
        var buffer = new byte[65536];
        int count;
        while ((count = await stream.ReadAsync(buffer, Cancel)) > 0)
        {
            all.Write(buffer, 0, count);
        }

        return all.ToArray();
    }
}
