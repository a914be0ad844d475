namespace Post.Quic.Engine.Tests.Endpoint;

/// <summary>What traffic and connections cost in memory, over real sockets. These look at the whole process, so they run alone.</summary>
[TestClass]
[DoNotParallelize]
public sealed class CostTests
{
    private const int Piece = 64 * 1024;

    /// <summary>Bytes of the two ends of a connection that does nothing.</summary>
    private const long MostOfIdle = 42 * 1024;

    public TestContext TestContext { get; set; } = null!;

    private CancellationToken Cancel => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public async Task Zero_bytes_are_allocated_per_packet_in_steady_state()
    {
        // Packets of the size that the Internet takes: there are many of them.
        await using LoopbackPair pair = await LoopbackPair.ConnectAsync(
            Cancel,
            client: options => options with { MaxUdpPayloadSize = 1452 },
            server: options => options with { MaxUdpPayloadSize = 1452 });
        await using QuicStream outbound = await pair.Client.OpenOutboundStreamAsync(QuicStreamType.Unidirectional, Cancel);
        byte[] piece = new byte[Piece];
        byte[] buffer = new byte[Piece];
        await outbound.WriteAsync(piece, Cancel);
        await using QuicStream inbound = await pair.Server.AcceptInboundStreamAsync(Cancel);
        await inbound.ReadExactlyAsync(buffer, Cancel);

        // Pools, windows and compiled code come to what they will be; on a busy machine that takes a few rounds. An object a
        // packet would show in each of them: the smallest has 24 bytes.
        double least = double.MaxValue;
        for (int round = 0; round < 10 && least >= 8; round++)
        {
            long packets = pair.Server.GetStatistics().PacketsReceived;
            long allocated = GC.GetTotalAllocatedBytes(precise: true);
            await TransferAsync(16 << 20);
            allocated = GC.GetTotalAllocatedBytes(precise: true) - allocated;
            packets = pair.Server.GetStatistics().PacketsReceived - packets;
            TestContext.WriteLine($"{allocated} bytes for {packets} packets");
            Assert.IsGreaterThan(11_000, packets);
            least = Math.Min(least, allocated / (double)packets);
        }

        Assert.IsLessThan(8.0, least);

        async Task TransferAsync(long size)
        {
            Task writing = WriteAsync(size);
            for (long left = size; left > 0;)
            {
                left -= await inbound.ReadAsync(buffer, Cancel);
            }

            await writing;
        }

        async Task WriteAsync(long size)
        {
            for (long left = size; left > 0; left -= Piece)
            {
                await outbound.WriteAsync(piece, Cancel);
            }
        }
    }

    [TestMethod]
    [Timeout(300_000, CooperativeCancellation = true)]
    public async Task Connections_in_turn_leave_no_memory_behind()
    {
        int count = (int)FullSize.Or(5_000, 200);
        await using QuicListener listener = await LoopbackPair.ListenAsync();
        await ConnectInTurnAsync(listener, 50);
        long before = await SettledMemoryAsync(long.MaxValue);

        await ConnectInTurnAsync(listener, count);

        // A connection that stayed would be 20 KiB, its socket's buffers not counted.
        long allowed = before + (count * 2048L);
        long after = await SettledMemoryAsync(allowed);
        TestContext.WriteLine($"{after - before} bytes more after {count} connections");
        Assert.IsLessThan(allowed, after);
    }

    [TestMethod]
    [Timeout(300_000, CooperativeCancellation = true)]
    public async Task Idle_connections_on_one_endpoint_cost_little()
    {
        int count = (int)FullSize.Or(10_000, 200);
        await using QuicListener listener = await LoopbackPair.ListenAsync(
            options => options with { IdleTimeout = TimeSpan.FromMinutes(10) });
        await using QuicEndpoint clients = QuicEndpoint.Open(
            new QuicEndpointOptions { LocalEndPoint = new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0) });
        var connections = new List<QuicConnection>();
        await ConnectAsync(20);
        long before = await SettledMemoryAsync(long.MaxValue);

        await ConnectAsync(count);
        long each = (await SettledMemoryAsync(before + (count * MostOfIdle)) - before) / count;

        TestContext.WriteLine($"{each} bytes for the two ends of an idle connection");
        Assert.IsLessThan(MostOfIdle, each);

        // Traffic leaves nothing behind.
        for (int i = 0; i < connections.Count; i += 2)
        {
            for (int streams = 0; streams < 50; streams++)
            {
                await using QuicStream outbound = await connections[i].OpenOutboundStreamAsync(QuicStreamType.Unidirectional, Cancel);
                await outbound.WriteAsync(new byte[2000], completeWrites: true, Cancel);
                await using QuicStream inbound = await connections[i + 1].AcceptInboundStreamAsync(Cancel);
                await inbound.ReadExactlyAsync(new byte[2000], Cancel);
            }
        }

        long after = (await SettledMemoryAsync(before + (count * MostOfIdle)) - before) / count;
        TestContext.WriteLine($"{after} bytes after each was busy");
        Assert.IsLessThan(MostOfIdle, after);
        foreach (QuicConnection connection in connections)
        {
            await connection.DisposeAsync();
        }

        async Task ConnectAsync(int number)
        {
            for (int i = 0; i < number; i++)
            {
                Task<QuicConnection> accepting = listener.AcceptConnectionAsync(Cancel).AsTask();
                connections.Add(await LoopbackPair.ConnectToAsync(
                    listener, Cancel, options => options with { Endpoint = clients, IdleTimeout = TimeSpan.FromMinutes(10) }));
                connections.Add(await accepting);
            }
        }
    }

    private async Task ConnectInTurnAsync(QuicListener listener, int count)
    {
        for (int i = 0; i < count; i++)
        {
            Task<QuicConnection> accepting = listener.AcceptConnectionAsync(Cancel).AsTask();
            await using QuicConnection client = await LoopbackPair.ConnectToAsync(listener, Cancel);
            await using QuicConnection server = await accepting;
        }
    }

    /// <summary>The heap once it is below the wanted size: ended connections stay for three probe timeouts. Or as it is after a while.</summary>
    private async Task<long> SettledMemoryAsync(long wanted)
    {
        for (int i = 0; ; i++)
        {
            await Task.Delay(i == 0 ? 500 : 250, Cancel);
            GC.Collect();
            GC.WaitForPendingFinalizers();
            GC.Collect();
            long memory = GC.GetTotalMemory(forceFullCollection: true);
            if (memory < wanted || i == 20)
            {
                return memory;
            }
        }
    }
}
