using Post.Quic.Managed;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.Transports;

/// <summary>Whole streams of the managed engine through the seam: each event comes with the number that the sender gave.</summary>
[TestClass]
public sealed class WholeStreamTests
{
    public TestContext TestContext { get; set; } = null!;

    private CancellationToken Cancel => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_whole_stream_comes_as_one_event_and_is_acknowledged_by_its_number()
    {
        await using TransportPair pair = await ConnectAsync();
        pair.ServerEvents.TakesWholeStreams = true;
        Assert.AreEqual(TransportSendResult.Queued, pair.Client.TrySendStream("head"u8, "body"u8, default, 42));

        CollectionAssert.AreEqual("headbody"u8.ToArray(), await pair.ServerEvents.NextWholeAsync(Cancel));
        Assert.AreEqual("sent 42", await pair.ClientEvents.NextFateAsync(Cancel));
        Assert.AreEqual("acknowledged 42", await pair.ClientEvents.NextFateAsync(Cancel));
        pair.Client.ResetSentStream(42, 1);
        Assert.AreEqual(TransportSendResult.TooLarge, pair.Client.TrySendStream(new byte[1 << 20], default, default, 43));
        await pair.Client.CloseAsync(0, "over", Cancel);
        Assert.AreEqual(TransportSendResult.Unavailable, pair.Client.TrySendStream("late"u8, default, default, 44));
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task One_that_is_not_taken_comes_as_a_stream()
    {
        await using TransportPair pair = await ConnectAsync();
        byte[] body = new byte[10_000];
        Random.Shared.NextBytes(body);
        Assert.AreEqual(TransportSendResult.Queued, pair.Client.TrySendStream(default, body, default, 1));
        TransportStream stream = await pair.AcceptAsync(pair.Server, Cancel);
        CollectionAssert.AreEqual(body, await TransportPair.ReadAllAsync(stream, Cancel));
        await stream.DisposeAsync();
        Assert.AreEqual("sent 1", await pair.ClientEvents.NextFateAsync(Cancel));
        Assert.AreEqual("acknowledged 1", await pair.ClientEvents.NextFateAsync(Cancel));
    }

    private Task<TransportPair> ConnectAsync() =>
        TransportPair.ConnectAsync(new ManagedTransport(), new ManagedTransport(), null, null, null, null, Cancel);
}
