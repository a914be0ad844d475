using System.IO.Pipelines;
using Post.Quic.Tests.Links;
using Post.Sockets;

namespace Post.Quic.Tests.EndToEnd;

/// <summary>Streams beside the objects.</summary>
[TestClass]
public sealed class StreamTests : EndToEndTests
{
    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task A_stream_carries_bytes_both_ways_and_each_direction_ends_by_itself(TestEngine client, TestEngine server)
    {
        await using PostPair pair = await ConnectAsync(client, server);
        byte[] bytes = Bytes(2_000_000);
        await using PostStream outbound = await pair.Client.OpenStreamAsync(new StreamProperties { Niceness = 5 }, Cancel);
        Task writing = WriteAllAsync(outbound, bytes);
        await using PostStream inbound = await pair.Server.AcceptStreamAsync(Cancel);

        byte[] there = await ReadAllAsync(inbound);
        await writing;
        await WriteAllAsync(inbound, bytes[..1000]);
        byte[] back = await ReadAllAsync(outbound);

        CollectionAssert.AreEqual(bytes, there);
        CollectionAssert.AreEqual(bytes[..1000], back);
        Assert.AreEqual(5, inbound.Niceness);
        Assert.AreEqual(outbound.Id, inbound.Id);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task Either_side_opens_streams_and_they_do_not_mix(TestEngine client, TestEngine server)
    {
        const int Count = 20;
        await using PostPair pair = await ConnectAsync(client, server);

        await Task.WhenAll(
            OpenAllAsync(pair.Client), AcceptAllAsync(pair.Server), OpenAllAsync(pair.Server), AcceptAllAsync(pair.Client));

        async Task OpenAllAsync(Association association) => await Task.WhenAll(Enumerable.Range(1, Count).Select(async number =>
        {
            await using PostStream stream = await association.OpenStreamAsync(cancellationToken: Cancel);
            await WriteAllAsync(stream, [.. Enumerable.Repeat((byte)number, number * 1000)]);
            CollectionAssert.AreEqual((byte[])[(byte)number], await ReadAllAsync(stream));
        }));

        async Task AcceptAllAsync(Association association)
        {
            var seen = new HashSet<byte>();
            for (int i = 0; i < Count; i++)
            {
                await using PostStream stream = await association.AcceptStreamAsync(Cancel);
                byte[] bytes = await ReadAllAsync(stream);
                Assert.HasCount(bytes[0] * 1000, bytes);
                Assert.IsTrue(Array.TrueForAll(bytes, one => one == bytes[0]), "Bytes of another stream.");
                Assert.IsTrue(seen.Add(bytes[0]), "A stream came twice.");
                await WriteAllAsync(stream, [bytes[0]]);
            }
        }
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task An_aborted_stream_fails_reads_and_writes_at_the_other_end_and_the_association_lives(
        TestEngine client, TestEngine server)
    {
        await using PostPair pair = await ConnectAsync(client, server);
        await using PostStream outbound = await pair.Client.OpenStreamAsync(cancellationToken: Cancel);
        await outbound.WriteAsync(Bytes(10), Cancel);
        await using PostStream inbound = await pair.Server.AcceptStreamAsync(Cancel);

        outbound.Abort();

        PostException read = await Assert.ThrowsExactlyAsync<PostException>(() => ReadAllAsync(inbound));
        PostException written = await Assert.ThrowsExactlyAsync<PostException>(async () =>
        {
            while (true)
            {
                await inbound.WriteAsync(Bytes(1000), Cancel);
            }
        });
        Assert.AreEqual(PostErrorReason.StreamEnded, read.Reason);
        Assert.AreEqual(PostErrorReason.StreamEnded, written.Reason);
        pair.Client.Send(Bytes(5));
        Assert.HasCount(5, await TakeAsync(pair.Server));
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task A_read_that_was_given_up_costs_the_stream_nothing(TestEngine client, TestEngine server)
    {
        await using PostPair pair = await ConnectAsync(client, server);
        await using PostStream outbound = await pair.Client.OpenStreamAsync(cancellationToken: Cancel);
        await using PostStream inbound = await pair.Server.AcceptStreamAsync(Cancel);

        // A read with a timeout, as applications have it.
        byte[] buffer = new byte[100];
        using (var giveUp = CancellationTokenSource.CreateLinkedTokenSource(Cancel))
        {
            giveUp.CancelAfter(20);
            await Assert.ThrowsAsync<OperationCanceledException>(() => inbound.ReadAsync(buffer, giveUp.Token).AsTask());
        }

        await outbound.WriteAsync(Bytes(10), Cancel);
        Assert.AreEqual(10, await inbound.ReadAsync(buffer, Cancel));

        // And the same by way of the pipe.
        ValueTask<ReadResult> reading = inbound.Input.ReadAsync(Cancel);
        inbound.Input.CancelPendingRead();
        Assert.IsTrue((await reading).IsCanceled);
        byte[] more = Bytes(100_000);
        Task writing = WriteAllAsync(outbound, more);
        using var all = new MemoryStream();
        await inbound.Input.CopyToAsync(all, Cancel);
        await writing;
        CollectionAssert.AreEqual(more, all.ToArray());
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task A_stream_whose_reader_does_not_read_holds_its_writer_back(TestEngine client, TestEngine server)
    {
        await using PostPair pair = await ConnectAsync(client, server);
        byte[] bytes = Bytes(16_000_000);
        await using PostStream outbound = await pair.Client.OpenStreamAsync(cancellationToken: Cancel);
        long taken = 0;
        Task writing = WriteAsync();
        await using PostStream inbound = await pair.Server.AcceptStreamAsync(Cancel);

        await UntilQuietAsync(() => Volatile.Read(ref taken));
        Assert.IsFalse(writing.IsCompleted, $"All {bytes.Length} bytes were taken though nobody reads.");
        byte[] received = await ReadAllAsync(inbound);
        await writing;

        Assert.IsTrue(bytes.AsSpan().SequenceEqual(received));

        async Task WriteAsync()
        {
            for (int at = 0; at < bytes.Length; at += 100_000)
            {
                await outbound.WriteAsync(bytes.AsMemory(at, 100_000), Cancel);
                Volatile.Write(ref taken, at);
            }

            await outbound.CompleteWritesAsync(Cancel);
        }
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task A_reserved_stream_flows_while_urgent_objects_fill_the_link(TestEngine client, TestEngine server)
    {
        // 8 Mbit/s are a million bytes a second, and an eighth of it is the stream's.
        await using PostPair pair = await ConnectAsync(
            client, server, new PairSetup { Link = new LinkShape { BitsPerSecond = 8_000_000 } });

        // The rate of the link must have been measured, or little of it could be reserved.
        pair.Client.Send(Bytes(500_000));
        await TakeAsync(pair.Server);
        var properties = new StreamProperties { Niceness = 200, Bandwidth = 1_000_000 };
        await using PostStream outbound = await pair.Client.OpenStreamAsync(properties, Cancel);
        Assert.AreEqual(1_000_000, outbound.Bandwidth);
        SentObject[] bulk =
        [
            .. Enumerable.Range(0, 4).Select(_ => pair.Client.Send(Bytes(1_000_000), new ObjectProperties { Niceness = 0 })),
        ];

        Task writing = WriteAllAsync(outbound, Bytes(100_000));
        await using PostStream inbound = await pair.Server.AcceptStreamAsync(Cancel);
        Assert.HasCount(100_000, await ReadAllAsync(inbound));
        await writing;

        // Without the reservation it would be the last of all to come.
        Assert.Contains(item => item.Receipt is null, bulk);
        for (int i = 0; i < bulk.Length; i++)
        {
            await TakeAsync(pair.Server);
        }
    }

    private async Task<byte[]> ReadAllAsync(PostStream stream)
    {
        using var all = new MemoryStream();
        await stream.CopyToAsync(all, Cancel);
        return all.ToArray();
    }

    private async Task WriteAllAsync(PostStream stream, byte[] bytes)
    {
        await stream.WriteAsync(bytes, Cancel);
        await stream.CompleteWritesAsync(Cancel);
    }
}
