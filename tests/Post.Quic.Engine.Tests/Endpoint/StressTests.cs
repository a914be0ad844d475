using System.Collections.Concurrent;
using System.Net;

namespace Post.Quic.Engine.Tests.Endpoint;

/// <summary>Many threads that use one connection, or one endpoint, without any manners, over real sockets.</summary>
[TestClass]
public sealed class StressTests
{
    private static readonly TimeSpan Storm = TimeSpan.FromSeconds(2);

    public TestContext TestContext { get; set; } = null!;

    private CancellationToken Cancel => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task Every_stream_is_accepted_once_however_often_the_wait_is_canceled()
    {
        const int Streams = 600;
        int seed = Environment.TickCount;
        await using LoopbackPair pair = await LoopbackPair.ConnectAsync(Cancel);
        var accepted = new ConcurrentBag<long>();
        Task[] accepting = [.. Enumerable.Range(0, 4).Select(worker => Task.Run(
            async () =>
            {
                var random = new Random(seed + worker);
                while (accepted.Count < Streams)
                {
                    using var impatience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
                    impatience.CancelAfter(random.Next(3));
                    try
                    {
                        await using QuicStream stream = await pair.Server.AcceptInboundStreamAsync(impatience.Token);
                        accepted.Add(stream.Id);
                    }
                    catch (OperationCanceledException) when (!Cancel.IsCancellationRequested)
                    {
                    }
                }
            },
            Cancel))];
        for (int i = 0; i < Streams; i++)
        {
            await using QuicStream stream = await pair.Client.OpenOutboundStreamAsync(QuicStreamType.Unidirectional, Cancel);
            await stream.WriteAsync(new byte[] { 1 }, completeWrites: true, Cancel);
        }

        await Task.WhenAll(accepting);
        Assert.HasCount(Streams, accepted.Distinct().ToArray(), $"seed {seed}");
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task Reads_that_are_canceled_lose_no_byte()
    {
        int seed = Environment.TickCount;
        await using LoopbackPair pair = await LoopbackPair.ConnectAsync(Cancel);
        var random = new Random(seed);
        byte[] data = new byte[4_000_000];
        random.NextBytes(data);
        await using QuicStream outbound = await pair.Client.OpenOutboundStreamAsync(QuicStreamType.Unidirectional, Cancel);
        Task writing = Task.Run(
            async () =>
            {
                for (int at = 0; at < data.Length; at += 20_000)
                {
                    await outbound.WriteAsync(data.AsMemory(at, 20_000), at + 20_000 == data.Length, Cancel);
                    await Task.Yield();
                }
            },
            Cancel);
        await using QuicStream inbound = await pair.Server.AcceptInboundStreamAsync(Cancel);
        byte[] received = new byte[data.Length];
        int total = 0;
        int canceled = 0;
        while (!inbound.IsReadCompleted)
        {
            using var impatience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
            ValueTask<int> reading = inbound.ReadAsync(
                total < received.Length ? received.AsMemory(total, Math.Min(received.Length - total, 3_000)) : new byte[1], impatience.Token);
            if (random.Next(4) == 0)
            {
                await impatience.CancelAsync();
            }

            try
            {
                total += await reading;
            }
            catch (OperationCanceledException) when (!Cancel.IsCancellationRequested)
            {
                canceled++;
            }
        }

        await writing;
        Assert.AreEqual(data.Length, total, $"seed {seed}, {canceled} reads canceled");
        CollectionAssert.AreEqual(data, received, $"seed {seed}");
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task Connections_given_up_at_any_moment_leave_no_trace_on_either_endpoint()
    {
        int seed = Environment.TickCount;
        await using QuicEndpoint servers = QuicEndpoint.Open(new QuicEndpointOptions { LocalEndPoint = new IPEndPoint(IPAddress.Loopback, 0) });
        await using QuicEndpoint clients = QuicEndpoint.Open(new QuicEndpointOptions { LocalEndPoint = new IPEndPoint(IPAddress.Loopback, 0) });
        await using QuicListener listener = await LoopbackPair.ListenAsync(listen: options => options with { Endpoint = servers });
        using var storm = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        storm.CancelAfter(Storm);
        Task accepting = Task.Run(
            async () =>
            {
                var random = new Random(seed);
                try
                {
                    while (true)
                    {
                        QuicConnection accepted = await listener.AcceptConnectionAsync(storm.Token);
                        if (random.Next(2) == 0)
                        {
                            await accepted.DisposeAsync();
                        }
                    }
                }
                catch (OperationCanceledException)
                {
                }
            },
            Cancel);
        int[] connected = await Task.WhenAll(Enumerable.Range(1, 4).Select(
            worker => Task.Run(() => ConnectRudelyAsync(listener, clients, new Random(seed + worker), storm.Token), Cancel)));
        await accepting;
        Assert.IsGreaterThan(0, connected.Sum(), $"seed {seed}");

        // Closing and draining last three probe timeouts.
        for (int i = 0; i < 300 && (Left(servers) != 0 || Left(clients) != 0); i++)
        {
            await Task.Delay(50, Cancel);
        }

        Assert.AreEqual(0, Left(clients), $"seed {seed}");
        Assert.AreEqual(0, Left(servers), $"seed {seed}");
        Assert.AreEqual(0, servers.Host.Handshakes, $"seed {seed}");
    }

    private static int Left(QuicEndpoint endpoint) => endpoint.Host.Router.Connections.Distinct().Count();

    private static async Task<int> ConnectRudelyAsync(
        QuicListener listener, QuicEndpoint endpoint, Random random, CancellationToken storm)
    {
        int connected = 0;
        while (!storm.IsCancellationRequested)
        {
            using var impatience = new CancellationTokenSource();
            if (random.Next(2) == 0)
            {
                impatience.CancelAfter(random.Next(40));
            }

            try
            {
                await using QuicConnection connection = await LoopbackPair.ConnectToAsync(
                    listener, impatience.Token, options => options with { Endpoint = endpoint });
                connected++;
                if (random.Next(2) == 0)
                {
                    await using QuicStream stream = await connection.OpenOutboundStreamAsync(QuicStreamType.Bidirectional, impatience.Token);
                    await stream.WriteAsync(new byte[random.Next(10_000)], impatience.Token);
                }

                // The server's side must not wait for the idle timeout to learn of it, closed from here.
            }
            catch (Exception exception) when (exception is OperationCanceledException or QuicException)
            {
            }
        }

        return connected;
    }
}
