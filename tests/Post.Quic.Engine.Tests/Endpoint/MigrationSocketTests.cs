using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using Post.Quic.Engine.Bounds;

namespace Post.Quic.Engine.Tests.Endpoint;

/// <summary>A client that moves gives its old sockets back, and loses nothing by it.</summary>
[TestClass]
public sealed class MigrationSocketTests
{
    /// <summary>The networks of a path: the one in use, the one that is tried, those that the server follows from; and the sockets of late packets.</summary>
    private const int Handful = Limits.MaxNetworks + Limits.MaxLeftSockets;

    /// <summary>Enough that sockets which are not given back are seen, however slow the machine.</summary>
    private const int FewestMoves = 4 * Handful;

    private const int MostMoves = 200;

    /// <summary>Milliseconds: far more than the busiest machine needs, so that only what never ends runs into it.</summary>
    private const int Hang = 300_000;

    /// <summary>
    /// A move takes a few round trips, and on a machine with much else to do each of them takes as long as it takes: after this, enough
    /// moves are enough.
    /// </summary>
    private static readonly TimeSpan TimeForMoves = TimeSpan.FromSeconds(15);

    public TestContext TestContext { get; set; } = null!;

    private CancellationToken Cancel => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(Hang, CooperativeCancellation = true)]
    public async Task Many_moves_need_a_handful_of_sockets_and_lose_nothing()
    {
        await using LoopbackPair pair = await LoopbackPair.ConnectAsync(Cancel, Patient, Patient);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        Task<byte[]> sent = SendUntilAsync(pair.Client, over.Token);
        Task<byte[]> received = ReceiveAsync(pair.Server);

        int most = 0;
        long began = Stopwatch.GetTimestamp();
        for (int i = 0; i < FewestMoves || (i < MostMoves && Stopwatch.GetElapsedTime(began) < TimeForMoves); i++)
        {
            await MoveAsync(pair.Client);
            most = Math.Max(most, pair.Client.Host.Sockets.Length);
        }

        await over.CancelAsync();
        CollectionAssert.AreEqual(await sent, await received.WaitAsync(Cancel));
        Assert.IsLessThanOrEqualTo(Handful, most);
        await UntilAsync(() => pair.Client.Host.Sockets.Length == 1, "the sockets that were left are still open");
    }

    [TestMethod]
    [Timeout(Hang, CooperativeCancellation = true)]
    public async Task A_shared_endpoint_keeps_its_own_socket_and_closes_what_a_connection_opened()
    {
        await using QuicListener listener = await LoopbackPair.ListenAsync(Patient);
        await using QuicEndpoint endpoint = QuicEndpoint.Open(new() { LocalEndPoint = new IPEndPoint(IPAddress.Loopback, 0) });
        QuicConnection moving = await LoopbackPair.ConnectToAsync(listener, Cancel, options => Patient(options) with { Endpoint = endpoint });
        await using QuicConnection staying = await LoopbackPair.ConnectToAsync(listener, Cancel, options => Patient(options) with { Endpoint = endpoint });
        await using QuicConnection movingServer = await listener.AcceptConnectionAsync(Cancel);
        await using QuicConnection stayingServer = await listener.AcceptConnectionAsync(Cancel);

        await MoveAsync(moving);
        await MoveAsync(moving);
        await UntilAsync(() => endpoint.Host.Sockets.Length == 2, "the endpoint's own and that of the last move");

        await moving.DisposeAsync();
        await UntilAsync(() => endpoint.Host.Sockets.Length == 1, "a connection that is over has no use for a socket");
        await using QuicStream stream = await staying.OpenOutboundStreamAsync(QuicStreamType.Unidirectional, Cancel);
        await stream.WriteAsync(new byte[1], completeWrites: true, Cancel);
        await stream.WritesClosed.WaitAsync(Cancel);
    }

    [TestMethod]
    [Timeout(Hang, CooperativeCancellation = true)]
    public async Task Moves_that_cannot_begin_leave_no_socket_behind()
    {
        await using LoopbackPair pair = await LoopbackPair.ConnectAsync(Cancel, Patient, Patient);
        await MoveAsync(pair.Client);
        int refused = 0;
        Task[] moves = [.. Enumerable.Range(0, 30).Select(async _ =>
        {
            try
            {
                await pair.Client.MigrateAsync(null, Cancel);
            }
            catch (Exception exception) when (exception is InvalidOperationException or QuicException)
            {
                Interlocked.Increment(ref refused);
            }
        })];
        await Task.WhenAll(moves);
        Assert.IsGreaterThan(0, refused, "the server has no connection ids for so many at once");
        await UntilAsync(() => pair.Client.Host.Sockets.Length == 1, "a move that did not come about keeps its socket");
    }

    [TestMethod]
    [Timeout(Hang, CooperativeCancellation = true)]
    public async Task Moves_between_addresses_of_one_port_leave_no_socket_behind()
    {
        SkipWhereLoopbackIsOneAddress();
        await using LoopbackPair pair = await LoopbackPair.ConnectAsync(
            Cancel, client => Patient(client) with { LocalEndPoint = new IPEndPoint(IPAddress.Loopback, 0) }, Patient);
        int port = pair.Client.LocalEndPoint.Port;
        for (int i = 2; i < 12; i++)
        {
            var next = new IPEndPoint(IPAddress.Parse($"127.0.0.{i}"), port);
            await MoveAsync(pair.Client, next);
            Assert.AreEqual(next, pair.Client.LocalEndPoint);
        }

        await UntilAsync(() => pair.Client.Host.Sockets.Length == 1, "the sockets that were left are still open");
    }

    [TestMethod]
    [Timeout(Hang, CooperativeCancellation = true)]
    public async Task Two_moves_at_once_each_come_to_their_own_end()
    {
        SkipWhereLoopbackIsOneAddress();
        await using LoopbackPair pair = await LoopbackPair.ConnectAsync(
            Cancel, client => Patient(client) with { LocalEndPoint = new IPEndPoint(IPAddress.Loopback, 0) }, Patient);
        int port = pair.Client.LocalEndPoint.Port;
        for (int i = 2; i < 12; i += 2)
        {
            IPEndPoint[] two = [new(IPAddress.Parse($"127.0.0.{i}"), port), new(IPAddress.Parse($"127.0.0.{i + 1}"), port)];
            await Task.WhenAll(two.Select(one => MoveAsync(pair.Client, one)));
            Assert.Contains(pair.Client.LocalEndPoint, two);
        }

        await UntilAsync(() => pair.Client.Host.Sockets.Length == 1, "the sockets that were left are still open");
    }

    [TestMethod]
    [Timeout(Hang, CooperativeCancellation = true)]
    public async Task A_client_on_no_address_of_its_own_moves_to_the_one_that_is_asked_for()
    {
        SkipWhereLoopbackIsOneAddress();
        await using LoopbackPair pair = await LoopbackPair.ConnectAsync(Cancel, Patient, Patient);
        var wanted = new IPEndPoint(IPAddress.Parse("127.0.0.7"), pair.Client.LocalEndPoint.Port);

        await MoveAsync(pair.Client, wanted);

        Assert.AreEqual(wanted, pair.Client.LocalEndPoint);
        Assert.AreEqual(1, pair.Client.Host.Sockets.Length);
        await using (QuicStream stream = await pair.Client.OpenOutboundStreamAsync(QuicStreamType.Unidirectional, Cancel))
        {
            await stream.WriteAsync(new byte[1], completeWrites: true, Cancel);
            await UntilAsync(() => pair.Server.RemoteEndPoint.Equals(wanted), "the server hears the client from another address");
        }

        await Assert.ThrowsExactlyAsync<System.Net.Sockets.SocketException>(
            () => pair.Client.MigrateAsync(new IPEndPoint(IPAddress.Parse("203.0.113.1"), wanted.Port), Cancel).AsTask());
    }

    private static void SkipWhereLoopbackIsOneAddress()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Inconclusive("Only on Linux is all of 127.0.0.0/8 of this machine.");
        }
    }

    /// <summary>Whose connections end when the test ends them, and not because nobody ran for a while.</summary>
    private static T Patient<T>(T options)
        where T : QuicConnectionOptions =>
        (T)(options with { HandshakeTimeout = Timeout.InfiniteTimeSpan, IdleTimeout = Timeout.InfiniteTimeSpan });

    private static async Task<byte[]> SendUntilAsync(QuicConnection client, CancellationToken over)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        QuicStream stream = await client.OpenOutboundStreamAsync(QuicStreamType.Unidirectional, CancellationToken.None);
        byte[] chunk = new byte[4_000];
        while (!over.IsCancellationRequested)
        {
            RandomNumberGenerator.Fill(chunk);
            hash.AppendData(chunk);
            await stream.WriteAsync(chunk, CancellationToken.None);
            await Task.Delay(1, CancellationToken.None);
        }

        stream.CompleteWrites();
        return hash.GetHashAndReset();
    }

    private async Task<byte[]> ReceiveAsync(QuicConnection server)
    {
        await using QuicStream stream = await server.AcceptInboundStreamAsync(Cancel);
        return await SHA256.HashDataAsync(stream, Cancel);
    }

    private async Task MoveAsync(QuicConnection client, IPEndPoint? local = null)
    {
        while (true)
        {
            try
            {
                await client.MigrateAsync(local, Cancel);
                return;
            }
            catch (InvalidOperationException)
            {
                // The server has not given out another connection id yet.
                await Task.Delay(1, Cancel);
            }
            catch (QuicException exception) when (exception.QuicError == QuicError.NoViablePath)
            {
                // Nobody ran for three probe timeouts, or all challenges of that time were lost: the old path stays.
            }
        }
    }

    private async Task UntilAsync(Func<bool> condition, string otherwise)
    {
        while (!condition())
        {
            Assert.IsFalse(Cancel.IsCancellationRequested, otherwise);
            await Task.Delay(5, CancellationToken.None);
        }
    }
}
