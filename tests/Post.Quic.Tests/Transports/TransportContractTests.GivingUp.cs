using System.Security.Cryptography;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.Transports;

/// <summary>What becomes of streams and connections when somebody cancels, gives back or closes.</summary>
public abstract partial class TransportContractTests
{
    /// <summary>So little that writes of <see cref="MoreThanFits"/> come to wait until the peer reads.</summary>
    private static readonly TransportOptions Narrow = new() { StreamReceiveWindow = 65536, ConnectionReceiveWindow = 1 << 20 };

    private const int MoreThanFits = 2_000_000;

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_canceled_read_loses_nothing_and_the_stream_can_be_read_again()
    {
        await using TransportPair pair = await PairAsync();
        TransportStream outbound = await pair.Client.OpenStreamAsync(TransportStreamKind.Bidirectional, Ordinary, Cancel);
        await outbound.WriteAsync(new byte[] { 1 }, endOfStream: false, Cancel);
        TransportStream inbound = await pair.AcceptAsync(pair.Server, Cancel);
        byte[] buffer = new byte[100];
        Assert.AreEqual(1, (await inbound.ReadAsync(buffer, Cancel)).Count);

        for (byte round = 2; round < 12; round++)
        {
            using var giveUp = new CancellationTokenSource();
            Task<TransportReadResult> reading = inbound.ReadAsync(buffer, giveUp.Token).AsTask();
            await giveUp.CancelAsync();
            OperationCanceledException canceled = await Assert.ThrowsAsync<OperationCanceledException>(() => reading);
            Assert.AreEqual(giveUp.Token, canceled.CancellationToken);

            await outbound.WriteAsync(new[] { round }, endOfStream: false, Cancel);
            TransportReadResult read = await inbound.ReadAsync(buffer, round % 2 == 0 ? Cancel : CancellationToken.None);
            Assert.IsFalse(read.IsReset, $"The stream was reset with code {read.ResetCode}.");
            Assert.AreEqual(1, read.Count);
            Assert.AreEqual(round, buffer[0]);
        }

        // Nor does the peer hear of it: the other direction goes on, and this one to its end.
        await inbound.WriteAsync(new byte[] { 99 }, endOfStream: true, Cancel);
        CollectionAssert.AreEqual(new byte[] { 99 }, await ReadAllAsync(outbound));
        await outbound.WriteAsync(ReadOnlyMemory<byte>.Empty, endOfStream: true, Cancel);
        Assert.IsEmpty(await ReadAllAsync(inbound));
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Reads_canceled_while_bytes_arrive_lose_none_of_them()
    {
        const int Size = 300_000;
        await using TransportPair pair = await PairAsync();
        byte[] sent = RandomNumberGenerator.GetBytes(Size);
        TransportStream outbound = await pair.Client.OpenStreamAsync(TransportStreamKind.Unidirectional, Ordinary, Cancel);
        // The last piece waits for a canceled read: where everything is there before the first read, none would be canceled.
        var someCanceled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task writing = WriteInPiecesAsync();
        TransportStream inbound = await pair.AcceptAsync(pair.Server, Cancel);

        using var all = new MemoryStream();
        byte[] buffer = new byte[4096];
        while (true)
        {
            using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
            try
            {
                ValueTask<TransportReadResult> reading = inbound.ReadAsync(buffer, giveUp.Token);
                await Task.Yield();
                await giveUp.CancelAsync();
                TransportReadResult result = await reading;
                Assert.IsFalse(result.IsReset, $"The stream was reset with code {result.ResetCode} after {all.Length} bytes.");
                all.Write(buffer, 0, result.Count);
                if (result.IsCompleted)
                {
                    break;
                }
            }
            catch (OperationCanceledException) when (!Cancel.IsCancellationRequested)
            {
                someCanceled.TrySetResult();
            }
        }

        await writing;
        CollectionAssert.AreEqual(sent, all.ToArray());

        async Task WriteInPiecesAsync()
        {
            for (int at = 0, size = 1; at < Size; at += size, size = 1 + (size * 7 % 3001))
            {
                size = Math.Min(size, Size - at);
                if (at + size == Size)
                {
                    await someCanceled.Task.WaitAsync(Cancel);
                }

                await outbound.WriteAsync(sent.AsMemory(at, size), endOfStream: at + size == Size, Cancel);
            }
        }
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_canceled_write_resets_its_stream_and_nothing_else()
    {
        await using TransportPair pair = await PairAsync(limits: Narrow);
        TransportStream outbound = await pair.Client.OpenStreamAsync(TransportStreamKind.Bidirectional, Ordinary, Cancel);
        using var giveUp = new CancellationTokenSource();
        Task<TransportWriteResult> writing = await WriteUntilStuckAsync(outbound, giveUp.Token);
        TransportStream inbound = await pair.AcceptAsync(pair.Server, Cancel);

        await giveUp.CancelAsync();

        await Assert.ThrowsAsync<OperationCanceledException>(() => writing);
        Assert.IsTrue((await ReadToEndAsync(inbound)).IsReset);
        await inbound.WriteAsync(new byte[] { 7 }, endOfStream: true, Cancel);
        CollectionAssert.AreEqual(new byte[] { 7 }, await ReadAllAsync(outbound));
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Canceled_opens_use_up_no_permission()
    {
        const int Permitted = 2;
        await using TransportPair pair = await PairAsync(limits: new TransportOptions { MaxInboundUnidirectionalStreams = Permitted });
        for (int round = 0; round < 3; round++)
        {
            var open = new List<TransportStream>();
            for (int i = 0; i < Permitted; i++)
            {
                open.Add(await pair.Client.OpenStreamAsync(TransportStreamKind.Unidirectional, Ordinary, Cancel));
                await open[i].WriteAsync(new byte[] { 1 }, endOfStream: false, Cancel);
            }

            for (int i = 0; i < Permitted + 1; i++)
            {
                using var giveUp = new CancellationTokenSource();
                Task<TransportStream> opening = pair.Client.OpenStreamAsync(TransportStreamKind.Unidirectional, Ordinary, giveUp.Token).AsTask();
                await giveUp.CancelAsync();
                await Assert.ThrowsAsync<OperationCanceledException>(() => opening);
            }

            foreach (TransportStream outbound in open)
            {
                await outbound.WriteAsync(new byte[] { 2 }, endOfStream: true, Cancel);
                await outbound.DisposeAsync();
            }

            // A transport may have told the peer of an open that was canceled, as of a stream that was reset.
            for (int arrived = 0; arrived < Permitted;)
            {
                TransportStream inbound = await pair.AcceptAsync(pair.Server, Cancel);
                TransportReadResult end = await ReadToEndAsync(inbound);
                arrived += end.IsReset ? 0 : 1;
                await inbound.DisposeAsync();
            }
        }
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_canceled_accept_loses_no_stream()
    {
        await using TransportPair pair = await PairAsync();
        for (byte round = 0; round < 10; round++)
        {
            using var giveUp = new CancellationTokenSource();
            Task<TransportStream> accepting = pair.AcceptAsync(pair.Server, giveUp.Token).AsTask();
            TransportStream outbound = await pair.Client.OpenStreamAsync(TransportStreamKind.Unidirectional, Ordinary, Cancel);
            await giveUp.CancelAsync();
            TransportStream? early = null;
            try
            {
                early = await accepting;
            }
            catch (OperationCanceledException)
            {
                // As asked; but the stream may have been quicker.
            }

            await outbound.WriteAsync(new[] { round }, endOfStream: true, Cancel);
            TransportStream inbound = early ?? await pair.AcceptAsync(pair.Server, Cancel);
            CollectionAssert.AreEqual(new[] { round }, await ReadAllAsync(inbound));
            await inbound.DisposeAsync();
        }
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_stream_given_back_unfinished_is_reset_and_stopped_with_code_0()
    {
        await using TransportPair pair = await PairAsync();
        TransportStream outbound = await pair.Client.OpenStreamAsync(TransportStreamKind.Bidirectional, Ordinary, Cancel);
        await outbound.WriteAsync(new byte[10], endOfStream: false, Cancel);
        TransportStream inbound = await pair.AcceptAsync(pair.Server, Cancel);
        await inbound.WriteAsync(new byte[10], endOfStream: false, Cancel);

        await outbound.DisposeAsync();

        TransportReadResult end = await ReadToEndAsync(inbound);
        Assert.IsTrue(end.IsReset, "It ended in order, though its writer had not ended it.");
        Assert.AreEqual(0, end.ResetCode);
        Assert.AreEqual(0, await pair.ServerEvents.NextStoppedAsync(Cancel));
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Giving_a_finished_stream_back_waits_for_nobody_and_it_is_delivered()
    {
        await using TransportPair pair = await PairAsync();
        byte[] sent = RandomNumberGenerator.GetBytes(10_000);
        TransportStream outbound = await pair.Client.OpenStreamAsync(TransportStreamKind.Unidirectional, Ordinary, Cancel);
        await outbound.WriteAsync(sent, endOfStream: false, Cancel);
        await outbound.WriteAsync(ReadOnlyMemory<byte>.Empty, endOfStream: true, Cancel);

        // Nobody reads yet.
        ValueTask givingBack = outbound.DisposeAsync();
        Assert.IsTrue(givingBack.IsCompleted, "It waited.");
        await givingBack;

        CollectionAssert.AreEqual(sent, await ReadAllAsync(await pair.AcceptAsync(pair.Server, Cancel)));
        Assert.AreSame(outbound, await pair.ClientEvents.NextAcknowledgedAsync(Cancel));
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_write_and_a_read_under_way_end_with_their_stream_when_it_is_given_back()
    {
        await using TransportPair pair = await PairAsync(limits: Narrow);
        TransportStream outbound = await pair.Client.OpenStreamAsync(TransportStreamKind.Bidirectional, Ordinary, Cancel);
        Task<TransportWriteResult> writing = await WriteUntilStuckAsync(outbound, Cancel);
        Task<TransportReadResult> reading = outbound.ReadAsync(new byte[10], Cancel).AsTask();
        TransportStream inbound = await pair.AcceptAsync(pair.Server, Cancel);

        await outbound.DisposeAsync();

        Assert.IsTrue(await FailsAsync(async () => (await writing).IsStopped));
        Assert.IsTrue(await FailsAsync(async () => (await reading).IsReset));
        Assert.IsTrue((await ReadToEndAsync(inbound)).IsReset);
        Assert.IsFalse(pair.ClientEvents.ClosedAsync(Cancel).IsCompleted, "The connection was taken to be closed.");
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_stream_that_is_used_after_it_was_given_back_fails_alone()
    {
        await using TransportPair pair = await PairAsync();
        TransportStream outbound = await pair.Client.OpenStreamAsync(TransportStreamKind.Bidirectional, Ordinary, Cancel);
        await outbound.WriteAsync(new byte[10], endOfStream: false, Cancel);
        await outbound.DisposeAsync();

        Assert.IsTrue(await FailsAsync(async () => (await outbound.WriteAsync(new byte[1], false, Cancel)).IsStopped));
        Assert.IsTrue(await FailsAsync(async () => (await outbound.ReadAsync(new byte[1], Cancel)).IsReset));
        outbound.Reset(1);
        outbound.StopReading(1);
        outbound.SetPriority(Ordinary with { Niceness = 1 });
        await outbound.DisposeAsync();

        TransportStream next = await pair.Client.OpenStreamAsync(TransportStreamKind.Unidirectional, Ordinary, Cancel);
        await next.WriteAsync(new byte[] { 5 }, endOfStream: true, Cancel);
        await ReadToEndAsync(await pair.AcceptAsync(pair.Server, Cancel));
        CollectionAssert.AreEqual(new byte[] { 5 }, await ReadAllAsync(await pair.AcceptAsync(pair.Server, Cancel)));
        Assert.IsFalse(pair.ClientEvents.ClosedAsync(Cancel).IsCompleted, "The connection was taken to be closed.");
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    [DataRow(true)]
    [DataRow(false)]
    public async Task A_local_close_is_what_everything_under_way_ends_with(bool closes)
    {
        await using TransportPair pair = await PairAsync(limits: Narrow);
        TransportStream stream = await pair.Client.OpenStreamAsync(TransportStreamKind.Bidirectional, Ordinary, Cancel);
        Task writing = await WriteUntilStuckAsync(stream, Cancel);
        Task reading = stream.ReadAsync(new byte[10], Cancel).AsTask();
        Task uncanceled = (await pair.Client.OpenStreamAsync(TransportStreamKind.Bidirectional, Ordinary, Cancel))
            .ReadAsync(new byte[10], CancellationToken.None).AsTask();
        Task accepting = pair.AcceptAsync(pair.Client, Cancel).AsTask();
        await pair.AcceptAsync(pair.Server, Cancel);

        if (closes)
        {
            await pair.Client.CloseAsync(0x42, "over", Cancel);
        }
        else
        {
            await pair.Client.DisposeAsync();
        }

        foreach (Task underWay in (Task[])[writing, reading, uncanceled, accepting])
        {
            TransportException ended = await Assert.ThrowsExactlyAsync<TransportException>(() => underWay);
            Assert.AreEqual(TransportErrorReason.ClosedLocally, ended.Reason);
        }

        Assert.AreEqual(TransportErrorReason.ClosedLocally, (await pair.ClientEvents.ClosedAsync(Cancel)).Reason);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_connection_closed_before_anybody_listened_says_so_to_who_comes()
    {
        await using TransportPair pair = await PairAsync();
        (TransportConnection client, TransportConnection server) = await pair.ConnectAgainAsync(Cancel);
        var events = new RecordedEvents();

        await client.CloseAsync(3, "over", Cancel);
        client.Start(events);

        Assert.AreEqual(TransportErrorReason.ClosedLocally, (await events.ClosedAsync(Cancel)).Reason);
        await client.DisposeAsync();
        await server.DisposeAsync();
    }

    private async Task<TransportReadResult> ReadToEndAsync(TransportStream stream)
    {
        byte[] buffer = new byte[32 * 1024];
        while (true)
        {
            TransportReadResult result = await stream.ReadAsync(buffer, Cancel);
            if (result.IsReset || result.IsCompleted)
            {
                return result;
            }
        }
    }

    /// <summary>A write that waits for the peer to read.</summary>
    private async Task<Task<TransportWriteResult>> WriteUntilStuckAsync(TransportStream stream, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task<TransportWriteResult> writing = stream.WriteAsync(new byte[MoreThanFits], endOfStream: false, cancellationToken).AsTask();
            if (await Task.WhenAny(writing, Task.Delay(300, Cancel)) != writing)
            {
                return writing;
            }
        }
    }

    /// <summary>Whether something says that it failed, as a value or as an exception.</summary>
    private static async Task<bool> FailsAsync(Func<Task<bool>> attempt)
    {
        try
        {
            return await attempt();
        }
        catch (Exception exception) when (exception is TransportException or InvalidOperationException)
        {
            return true;
        }
    }
}
