using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;

namespace Post.Quic.Engine.Tests.Endpoint;

[TestClass]
public sealed class RealSocketTests
{
    private const int Piece = 128 * 1024;

    public TestContext TestContext { get; set; } = null!;

    private CancellationToken Cancel => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(300_000, CooperativeCancellation = true)]
    public async Task Much_goes_both_ways_at_once_intact()
    {
        long size = FullSize.Or(1L << 30, 32L << 20);
        await using LoopbackPair pair = await LoopbackPair.ConnectAsync(Cancel);
        await using QuicStream outbound = await pair.Client.OpenOutboundStreamAsync(QuicStreamType.Bidirectional, Cancel);

        Task<byte[]> sentByClient = SendAsync(outbound, size, seed: 1);
        await using QuicStream inbound = await pair.Server.AcceptInboundStreamAsync(Cancel);
        Task<byte[]> sentByServer = SendAsync(inbound, size, seed: 2);
        Task<byte[]> receivedByServer = ReceiveAsync(inbound, size);
        Task<byte[]> receivedByClient = ReceiveAsync(outbound, size);

        CollectionAssert.AreEqual(await sentByClient, await receivedByServer);
        CollectionAssert.AreEqual(await sentByServer, await receivedByClient);
    }

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public async Task A_thousand_streams_are_open_at_once()
    {
        const int Count = 1000;
        await using LoopbackPair pair = await LoopbackPair.ConnectAsync(
            Cancel, server: options => options with { MaxInboundBidirectionalStreams = Count });
        Task serving = EchoAsync(pair.Server, Count);

        var streams = new QuicStream[Count];
        for (int i = 0; i < Count; i++)
        {
            streams[i] = await pair.Client.OpenOutboundStreamAsync(QuicStreamType.Bidirectional, Cancel);
            await streams[i].WriteAsync(Number(i), Cancel);
        }

        Assert.IsNull(pair.Client.TryOpenOutboundStream(QuicStreamType.Bidirectional), "All that the server allows are open.");
        foreach (QuicStream stream in streams)
        {
            stream.CompleteWrites();
        }

        for (int i = 0; i < Count; i++)
        {
            byte[] echo = new byte[sizeof(int)];
            await streams[i].ReadExactlyAsync(echo, Cancel);
            CollectionAssert.AreEqual(Number(i), echo);
            Assert.AreEqual(0, await streams[i].ReadAsync(new byte[1], Cancel));
            await streams[i].DisposeAsync();
        }

        await serving;
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task A_client_moves_between_local_addresses_under_its_streams()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Inconclusive("Only Linux has all of 127.0.0.0/8 on its loopback interface.");
        }

        await using LoopbackPair pair = await LoopbackPair.ConnectAsync(
            Cancel, client: options => options with { LocalEndPoint = new IPEndPoint(IPAddress.Parse("127.0.0.2"), 0) });
        Assert.AreEqual("127.0.0.2", pair.Server.RemoteEndPoint.Address.ToString());
        Task serving = EchoAsync(pair.Server, 1);
        await using QuicStream stream = await pair.Client.OpenOutboundStreamAsync(QuicStreamType.Bidirectional, Cancel);
        await ExchangeAsync(stream, 1);

        foreach (string address in (string[])["127.0.0.3", "127.0.0.4", "127.0.0.2"])
        {
            await pair.Client.MigrateAsync(new IPEndPoint(IPAddress.Parse(address), 0), Cancel);
            Assert.AreEqual(address, pair.Client.LocalEndPoint.Address.ToString());

            // The server follows once it has validated the path on its own, which may take one exchange more or less.
            do
            {
                await ExchangeAsync(stream, 2);
            }
            while (pair.Server.RemoteEndPoint.Address.ToString() != address);
        }

        stream.CompleteWrites();
        await serving;
    }

    private static byte[] Number(int number)
    {
        byte[] bytes = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, number);
        return bytes;
    }

    private async Task ExchangeAsync(QuicStream stream, int number)
    {
        byte[] echo = new byte[sizeof(int)];
        await stream.WriteAsync(Number(number), Cancel);
        await stream.ReadExactlyAsync(echo, Cancel);
        CollectionAssert.AreEqual(Number(number), echo);
    }

    private async Task EchoAsync(QuicConnection connection, int streams)
    {
        var echoes = new Task[streams];
        for (int i = 0; i < streams; i++)
        {
            echoes[i] = EchoAsync(await connection.AcceptInboundStreamAsync(Cancel));
        }

        await Task.WhenAll(echoes);
    }

    private async Task EchoAsync(QuicStream stream)
    {
        byte[] buffer = new byte[64];
        int count;
        while ((count = await stream.ReadAsync(buffer, Cancel)) > 0)
        {
            await stream.WriteAsync(buffer.AsMemory(0, count), Cancel);
        }

        stream.CompleteWrites();
        await stream.DisposeAsync();
    }

    /// <summary>Sends bytes that repeat nowhere, and returns their hash.</summary>
    private async Task<byte[]> SendAsync(QuicStream stream, long size, int seed)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] piece = new byte[Piece];
        new Random(seed).NextBytes(piece);
        for (long sent = 0; sent < size; sent += Piece)
        {
            BinaryPrimitives.WriteInt64LittleEndian(piece, sent);
            hash.AppendData(piece);
            await stream.WriteAsync(piece, completeWrites: sent + Piece >= size, Cancel);
        }

        return hash.GetHashAndReset();
    }

    private async Task<byte[]> ReceiveAsync(QuicStream stream, long size)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[Piece];
        long received = 0;
        int count;
        while ((count = await stream.ReadAsync(buffer, Cancel)) > 0)
        {
            hash.AppendData(buffer, 0, count);
            received += count;
        }

        Assert.AreEqual(size, received);
        return hash.GetHashAndReset();
    }
}
