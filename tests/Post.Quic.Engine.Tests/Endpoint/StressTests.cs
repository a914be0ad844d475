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
    public async Task Streams_that_are_canceled_aborted_and_disposed_at_any_moment_leave_nothing_behind()
    {
        int seed = Environment.TickCount;
        await using LoopbackPair pair = await LoopbackPair.ConnectAsync(Cancel);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var polite = new ConcurrentDictionary<long, bool>();
        Task serving = ServeRudelyAsync(pair.Server, polite, seed, stop.Token);
        using var storm = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        storm.CancelAfter(Storm);
        int[] opened = await Task.WhenAll(Enumerable.Range(1, 8).Select(
            worker => Task.Run(() => UseRudelyAsync(pair.Client, new Random(seed + worker), storm.Token), Cancel)));

        // Far more streams than may be open at once: the credit of each came back, and the connection still works.
        Assert.IsGreaterThan(100, opened.Sum(), $"seed {seed}");
        for (int i = 0; i < 150; i++)
        {
            await EchoAsync(pair.Client, polite, [1, 2, 3, (byte)i], seed);
        }

        await stop.CancelAsync();
        await serving;
    }

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

    private static async Task<int> UseRudelyAsync(QuicConnection connection, Random random, CancellationToken storm)
    {
        int opened = 0;
        byte[] buffer = new byte[50_000];
        while (!storm.IsCancellationRequested)
        {
            try
            {
                using var impatience = CancellationTokenSource.CreateLinkedTokenSource(storm);
                QuicStreamType type = random.Next(2) == 0 ? QuicStreamType.Bidirectional : QuicStreamType.Unidirectional;
                await using QuicStream stream = await connection.OpenOutboundStreamAsync(type, storm);
                opened++;
                if (random.Next(2) == 0)
                {
                    impatience.CancelAfter(random.Next(10));
                }

                ValueTask writing = stream.WriteAsync(buffer.AsMemory(0, random.Next(buffer.Length)), random.Next(2) == 0, impatience.Token);
                switch (random.Next(5))
                {
                    case 0:
                        stream.Abort(QuicAbortDirection.Write, 7);
                        break;
                    case 1:
                        await stream.DisposeAsync();
                        break;
                    case 2:
                        stream.SetPriority(new QuicPriority(random.Next(3)));
                        break;
                    default:
                        break;
                }

                await writing;
                if (stream.CanRead)
                {
                    ValueTask<int> reading = stream.ReadAsync(buffer, impatience.Token);
                    if (random.Next(3) == 0)
                    {
                        stream.Abort(QuicAbortDirection.Both, 8);
                    }
                    else
                    {
                        impatience.CancelAfter(random.Next(5));
                    }

                    await reading;
                }
            }
            catch (Exception exception) when (IsFairGame(exception))
            {
            }
        }

        return opened;
    }

    private static async Task ServeRudelyAsync(
        QuicConnection connection, ConcurrentDictionary<long, bool> polite, int seed, CancellationToken stop)
    {
        var answering = new List<Task>();
        try
        {
            for (int i = 0; ; i++)
            {
                QuicStream stream = await connection.AcceptInboundStreamAsync(stop);
                var random = new Random(seed + i);
                answering.RemoveAll(task => task.IsCompletedSuccessfully);
                answering.Add(Task.Run(() => polite.ContainsKey(stream.Id) ? AnswerAsync(stream, stop) : AnswerRudelyAsync(stream, random, stop), CancellationToken.None));
            }
        }
        catch (OperationCanceledException)
        {
        }

        await Task.WhenAll(answering);
    }

    private static async Task AnswerAsync(QuicStream stream, CancellationToken stop)
    {
        await using (stream)
        {
            byte[] buffer = new byte[100];
            int count = await stream.ReadAsync(buffer, stop);
            await stream.WriteAsync(buffer.AsMemory(0, count), completeWrites: true, stop);
        }
    }

    private static async Task AnswerRudelyAsync(QuicStream stream, Random random, CancellationToken stop)
    {
        await using (stream)
        {
            try
            {
                byte[] buffer = new byte[8_000];
                int count;
                while ((count = await stream.ReadAsync(buffer, stop)) != 0)
                {
                    if (random.Next(20) == 0)
                    {
                        stream.Abort(QuicAbortDirection.Read, 9);
                    }

                    if (stream.CanWrite && random.Next(3) == 0)
                    {
                        await stream.WriteAsync(buffer.AsMemory(0, count), stop);
                    }
                }
            }
            catch (Exception exception) when (IsFairGame(exception))
            {
            }
        }
    }

    private static bool IsFairGame(Exception exception) => exception
        is OperationCanceledException
        or ObjectDisposedException
        or QuicException { QuicError: QuicError.StreamAborted or QuicError.OperationAborted };

    private async Task EchoAsync(QuicConnection client, ConcurrentDictionary<long, bool> polite, byte[] data, int seed)
    {
        await using QuicStream stream = await client.OpenOutboundStreamAsync(QuicStreamType.Bidirectional, Cancel);
        polite[stream.Id] = true;
        await stream.WriteAsync(data, completeWrites: true, Cancel);
        byte[] echoed = new byte[data.Length];
        await stream.ReadExactlyAsync(echoed, Cancel);
        CollectionAssert.AreEqual(data, echoed, $"seed {seed}");
    }
}
