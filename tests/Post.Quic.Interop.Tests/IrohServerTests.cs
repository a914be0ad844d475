using System.Net;
using System.Security.Cryptography;
using System.Threading.Channels;
using Post.Quic.Engine;
using Post.Quic.Interop.Tests.Foreign;
using Post.Quic.Interop.Tests.Managed;

namespace Post.Quic.Interop.Tests;

/// <summary>Our client with iroh's end point; tests/peers/iroh/README.md has what it can do.</summary>
[TestClass]
public sealed class IrohServerTests : IrohTest
{
    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public void Both_know_each_other_by_their_keys_and_streams_come_back_intact() => Run(async own =>
    {
        (PeerProcess peer, QuicPublicKey key, int port) = await StartIrohServerAsync();
        await using QuicConnection connection = await ConnectAsync(port, key, own);
        Assert.AreEqual(key, connection.RemotePublicKey);
        await peer.WaitForLineAsync("connected " + Hex(own.PublicKey), Cancel);
        for (int i = 0; i < 20; i++)
        {
            await EchoAsync(connection, 1 + (i * 5_000), QuicStreamType.Bidirectional);
        }

        await EchoAsync(connection, 30_000, QuicStreamType.Unidirectional);
        await connection.CloseAsync(7, "done", Cancel);
        StringAssert.Contains(await peer.WaitForLineAsync("closed ", Cancel), "done");
    });

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public void Datagrams_come_back() => Run(async own =>
    {
        (_, QuicPublicKey key, int port) = await StartIrohServerAsync();
        await using QuicConnection connection = await ConnectAsync(port, key, own);
        for (int i = 0; i < 20; i++)
        {
            byte[] sent = RandomNumberGenerator.GetBytes(1 + (i * 50));
            Assert.AreEqual(QuicDatagramResult.Queued, connection.TrySendDatagram(sent));
            ReadOnlyMemory<byte> received = await connection.ReceiveDatagramAsync(Cancel);
            CollectionAssert.AreEqual(sent, received.ToArray());
        }
    });

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public void A_server_with_another_key_is_refused() => Run(async own =>
    {
        (_, QuicPublicKey key, int port) = await StartIrohServerAsync();
        QuicException refused = await Assert.ThrowsExactlyAsync<QuicException>(async () => await ConnectAsync(port, own.PublicKey, own));
        Assert.AreEqual(QuicError.AuthenticationFailed, refused.QuicError);
        StringAssert.Contains(refused.Message, Convert.ToHexStringLower(key.GetHash()));
    });

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public void A_session_is_resumed() => Run(async own =>
    {
        (_, QuicPublicKey key, int port) = await StartIrohServerAsync();
        var tickets = Channel.CreateUnbounded<QuicSessionTicket>();
        await using (QuicConnection first = await ConnectAsync(port, key, own, plain => plain with { Events = new TicketEvents(tickets.Writer) }))
        {
            Assert.IsFalse(first.IsResumed);
            await EchoAsync(first, 1000, QuicStreamType.Bidirectional);
        }

        await using QuicConnection second = await ConnectAsync(
            port, key, own, plain => plain with { SessionTicket = tickets.Reader.TryRead(out QuicSessionTicket? ticket) ? ticket : null });
        Assert.IsTrue(second.IsResumed);
        Assert.AreEqual(key, second.RemotePublicKey);
        await EchoAsync(second, 1000, QuicStreamType.Bidirectional);
    });

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public void Early_data_comes_back() => Run(async own =>
    {
        (_, QuicPublicKey key, int port) = await StartIrohServerAsync();
        var tickets = Channel.CreateUnbounded<QuicSessionTicket>();
        await using (QuicConnection first = await ConnectAsync(port, key, own, plain => plain with { Events = new TicketEvents(tickets.Writer) }))
        {
            await EchoAsync(first, 1000, QuicStreamType.Bidirectional);
        }

        var notes = new ConnectionNotes();
        await using QuicConnection second = await ConnectAsync(
            port, key, own, plain => plain with { SessionTicket = tickets.Reader.TryRead(out QuicSessionTicket? ticket) ? ticket : null, EnableEarlyData = true, Events = notes });
        await EchoAsync(second, 1000, QuicStreamType.Bidirectional);
        Assert.IsTrue(await notes.EarlyData.WaitAsync(Cancel));
        Assert.AreEqual(key, second.RemotePublicKey);
    });

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public void Our_client_moves_to_another_address() => Run(async own =>
    {
        (PeerProcess peer, QuicPublicKey key, int port) = await StartIrohServerAsync();
        await using QuicConnection connection = await ConnectAsync(
            port, key, own, static plain => plain with { LocalEndPoint = new IPEndPoint(IPAddress.Loopback, 0) });
        await EchoAsync(connection, 100_000, QuicStreamType.Bidirectional);
        await connection.MigrateAsync(new IPEndPoint(IPAddress.Parse("127.0.0.3"), 0), Cancel);
        Assert.AreEqual(IPAddress.Parse("127.0.0.3"), connection.LocalEndPoint.Address);
        await EchoAsync(connection, 100_000, QuicStreamType.Bidirectional);
        Assert.IsFalse(peer.HasSaid("closed "));
    });

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public void Two_paths_of_one_connection_carry_data_and_one_of_them_goes_on_alone() => Run(async own =>
    {
        (PeerProcess peer, QuicPublicKey key, int port) = await StartIrohServerAsync();
        await using QuicConnection connection = await ConnectAsync(port, key, own, plain => plain with
        {
            LocalEndPoint = new IPEndPoint(IPAddress.Loopback, 0),
            MaxPaths = 4,
        });
        Assert.IsTrue(connection.IsMultipathNegotiated);
        QuicPath second = await connection.OpenPathAsync(new IPEndPoint(IPAddress.Parse("127.0.0.2"), 0), cancellationToken: Cancel);
        Assert.IsTrue(second.IsValidated);
        await peer.WaitForLineAsync($"path {second.LocalEndPoint}", Cancel);

        // Which path is the better one is not the matter here: what is bound to a path goes by it.
        foreach (long id in new[] { 0, second.PathId })
        {
            await EchoAsync(connection, 500_000, QuicStreamType.Bidirectional, new QuicPathBinding(QuicPathSet.Only(id)));
        }

        foreach (QuicPath path in connection.GetPaths())
        {
            TestContext.WriteLine(
                $"path {path.PathId} from {path.LocalEndPoint}: {path.BytesSent} bytes sent, {path.BytesReceived} received, {path.PacketsLost} lost");
            Assert.IsGreaterThanOrEqualTo(500_000, path.BytesSent);
            Assert.IsLessThan(100, path.PacketsLost);
        }

        Assert.HasCount(2, connection.GetPaths());
        await connection.ClosePathAsync(0, cancellationToken: Cancel);
        Assert.IsFalse(connection.GetPaths().Any(static path => path.PathId == 0));
        await EchoAsync(connection, 500_000, QuicStreamType.Bidirectional);

        // What comes back came by the other path until then: the peer chose the first one for all that it sends.
        QuicPath last = connection.GetPaths().Single();
        Assert.AreEqual(second.PathId, last.PathId);
        Assert.IsGreaterThanOrEqualTo(500_000, last.BytesReceived);
    });

    private async Task EchoAsync(QuicConnection connection, int size, QuicStreamType type, QuicPathBinding binding = default)
    {
        byte[] sent = RandomNumberGenerator.GetBytes(size);
        await using QuicStream stream = await connection.OpenOutboundStreamAsync(type, Cancel);
        stream.SetPaths(binding);
        Task writing = stream.WriteAsync(sent, completeWrites: true, Cancel).AsTask();
        byte[] received;
        if (type == QuicStreamType.Bidirectional)
        {
            received = await stream.ReadToEndAsync(Cancel);
        }
        else
        {
            await using QuicStream inbound = await connection.AcceptInboundStreamAsync(Cancel);
            received = await inbound.ReadToEndAsync(Cancel);
        }

        await writing;
        Assert.IsTrue(sent.AsSpan().SequenceEqual(received), $"{received.Length} of {size} bytes came back, or others.");
    }

    private sealed class TicketEvents(ChannelWriter<QuicSessionTicket> tickets) : QuicConnectionEvents
    {
        public override void OnSessionTicket(QuicSessionTicket ticket) => tickets.TryWrite(ticket);
    }
}
