using System.Security.Cryptography;

namespace Post.Quic.Engine.Tests.Endpoint;

[TestClass]
public sealed class LoopbackTests
{
    public TestContext TestContext { get; set; } = null!;

    private CancellationToken Cancel => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Two_endpoints_shake_hands()
    {
        await using LoopbackPair pair = await LoopbackPair.ConnectAsync(Cancel);

        Assert.AreEqual(LoopbackPair.Protocol, pair.Client.NegotiatedApplicationProtocol);
        Assert.AreEqual(LoopbackPair.Protocol, pair.Server.NegotiatedApplicationProtocol);
        Assert.AreEqual("localhost", pair.Server.TargetHostName);
        Assert.IsNotNull(pair.Client.RemoteCertificate);
        Assert.AreEqual(pair.Client.LocalEndPoint.Port, pair.Server.RemoteEndPoint.Port);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    [DataRow(0)]
    [DataRow(1)]
    [DataRow(1200)]
    [DataRow(1_000_000)]
    [DataRow(20_000_000)]
    public async Task Bytes_go_both_ways_intact(int size)
    {
        await using LoopbackPair pair = await LoopbackPair.ConnectAsync(Cancel);
        byte[] sent = RandomNumberGenerator.GetBytes(size);

        await using QuicStream outbound = await pair.Client.OpenOutboundStreamAsync(QuicStreamType.Bidirectional, Cancel);
        Task writing = outbound.WriteAsync(sent, completeWrites: true, Cancel).AsTask();
        await using QuicStream inbound = await pair.Server.AcceptInboundStreamAsync(Cancel);
        byte[] received = await ReadAllAsync(inbound);
        await writing;
        Task echoing = inbound.WriteAsync(received, completeWrites: true, Cancel).AsTask();
        byte[] echoed = await ReadAllAsync(outbound);
        await echoing;

        CollectionAssert.AreEqual(sent, received);
        CollectionAssert.AreEqual(sent, echoed);
        await outbound.WritesClosed.WaitAsync(Cancel);
        await inbound.WritesClosed.WaitAsync(Cancel);
    }

    private async Task<byte[]> ReadAllAsync(QuicStream stream)
    {
        using var all = new MemoryStream();
        byte[] buffer = new byte[64 * 1024];
        int count;
        while ((count = await stream.ReadAsync(buffer, Cancel)) > 0)
        {
            all.Write(buffer, 0, count);
        }

        return all.ToArray();
    }
}
