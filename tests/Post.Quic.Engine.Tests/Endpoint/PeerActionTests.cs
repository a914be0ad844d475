namespace Post.Quic.Engine.Tests.Endpoint;

/// <summary>What the peer did reaches whoever waits for it, and whoever comes later.</summary>
[TestClass]
public sealed class PeerActionTests
{
    public TestContext TestContext { get; set; } = null!;

    private CancellationToken Cancel => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_reset_ends_a_read_that_waits_and_the_other_direction_goes_on()
    {
        await using LoopbackPair pair = await LoopbackPair.ConnectAsync(Cancel);
        await using QuicStream outbound = await pair.Client.OpenOutboundStreamAsync(QuicStreamType.Bidirectional, Cancel);
        await outbound.WriteAsync(new byte[] { 1 }, Cancel);
        await using QuicStream inbound = await pair.Server.AcceptInboundStreamAsync(Cancel);
        Assert.AreEqual(1, await inbound.ReadAsync(new byte[10], Cancel));
        Task<int> waiting = inbound.ReadAsync(new byte[10], Cancel).AsTask();
        Assert.IsFalse(waiting.IsCompleted);

        outbound.Abort(QuicAbortDirection.Write, 7);
        QuicException reset = await Assert.ThrowsExactlyAsync<QuicException>(() => waiting);
        await inbound.WriteAsync(new byte[] { 2, 3 }, completeWrites: true, Cancel);

        Assert.AreEqual(7, reset.ApplicationErrorCode);
        Assert.AreEqual(2, await outbound.ReadAsync(new byte[10], Cancel));
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_stop_that_comes_before_the_stream_is_accepted_is_heard_afterwards()
    {
        await using LoopbackPair pair = await LoopbackPair.ConnectAsync(Cancel);
        await using QuicStream outbound = await pair.Client.OpenOutboundStreamAsync(QuicStreamType.Bidirectional, Cancel);
        outbound.Abort(QuicAbortDirection.Read, 7);
        await outbound.WriteAsync(new byte[] { 1 }, completeWrites: true, Cancel);
        await outbound.WritesClosed.WaitAsync(Cancel);

        await using QuicStream inbound = await pair.Server.AcceptInboundStreamAsync(Cancel);

        QuicException stopped = await Assert.ThrowsExactlyAsync<QuicException>(() => inbound.WritesClosed.WaitAsync(Cancel));
        Assert.AreEqual(7, stopped.ApplicationErrorCode);
        Assert.AreEqual(1, await inbound.ReadAsync(new byte[10], Cancel));
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task An_update_of_the_keys_counts_once_on_either_side()
    {
        await using LoopbackPair pair = await LoopbackPair.ConnectAsync(Cancel);
        await SendAsync(pair.Client, pair.Server);
        await SendAsync(pair.Server, pair.Client);

        Assert.IsTrue(pair.Client.TryUpdateKeys());
        await SendAsync(pair.Client, pair.Server);
        await SendAsync(pair.Server, pair.Client);

        Assert.AreEqual(1, pair.Client.GetStatistics().KeyUpdates);
        Assert.AreEqual(1, pair.Server.GetStatistics().KeyUpdates);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Whoever_asks_for_the_end_of_a_stream_while_the_connection_closes_hears_of_it()
    {
        const int Rounds = 20;
        const int Streams = 100;
        for (int round = 0; round < Rounds; round++)
        {
            await using LoopbackPair pair = await LoopbackPair.ConnectAsync(Cancel);
            QuicStream[] streams = [.. Enumerable.Range(0, Streams).Select(
                _ => pair.Client.TryOpenOutboundStream(QuicStreamType.Bidirectional)!)];
            using var start = new Barrier(2);
            Task<Task[]> asking = Task.Run(
                () =>
                {
                    start.SignalAndWait(Cancel);
                    return Array.ConvertAll(streams, stream => Task.WhenAll(stream.WritesClosed, stream.ReadsClosed));
                },
                Cancel);
            start.SignalAndWait(Cancel);
            await pair.Client.CloseAsync(3, cancellationToken: Cancel);

            foreach (Task end in await asking)
            {
                await Assert.ThrowsExactlyAsync<QuicException>(() => end.WaitAsync(Cancel));
            }
        }
    }

    private async Task SendAsync(QuicConnection from, QuicConnection to)
    {
        await using QuicStream outbound = await from.OpenOutboundStreamAsync(QuicStreamType.Unidirectional, Cancel);
        await outbound.WriteAsync(new byte[] { 1 }, completeWrites: true, Cancel);
        await using QuicStream inbound = await to.AcceptInboundStreamAsync(Cancel);
        Assert.AreEqual(1, await inbound.ReadAsync(new byte[10], Cancel));
        await outbound.WritesClosed.WaitAsync(Cancel);
    }
}
