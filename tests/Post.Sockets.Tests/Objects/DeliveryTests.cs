using System.Buffers;
using System.IO.Pipelines;
using System.Text;

namespace Post.Sockets.Tests.Objects;

[TestClass]
public sealed class DeliveryTests
{
    [TestMethod]
    public void A_handler_is_waited_for_in_whatever_form_it_is_written() => new PostWorld(link: PostWorld.Link(2_000_000, 10))
    {
        ServerOptions = new() { Incremental = IncrementalDelivery.Always, ReceiptLevel = ReceiptLevel.Processed },
    }.Run(async world =>
    {
        foreach (var register in new Func<IDisposable>[]
        {
            () => world.Server.Register<Received>(r => r.Object.AsStream().CopyToAsync(Stream.Null)),
            () => world.Server.Register<Received>(async r => await r.Object.AsStream().CopyToAsync(Stream.Null)),
            () => world.Server.Register<Received>(r => new ValueTask(r.Object.AsStream().CopyToAsync(Stream.Null))),
        })
        {
            using var registration = register();
            Assert.AreEqual(ObjectOutcomeReason.Processed, (await world.Client.Send(new byte[100_000]).Completion).Reason);
        }
    });

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void A_file_that_grows_while_it_is_sent_arrives_as_it_was(bool opened) => new PostWorld(link: PostWorld.Link(2_000_000, 10)).Run(async world =>
    {
        foreach (var size in new[] { 0, 1, 65_535, 65_536, 65_537, 200_000 })
        {
            var file = new MemoryStream();
            file.Write(PostWorld.Bytes(size));
            file.Position = 0;
            var sent = opened
                ? world.Client.Send((offset, _) => ValueTask.FromResult<Stream>(new MemoryStream(file.ToArray()) { Position = offset }), size)
                : world.Client.Send(file, leaveOpen: true);
            file.SetLength(size + 100_000);
            using var received = await world.Server.ReceiveAsync();
            CollectionAssert.AreEqual(PostWorld.Bytes(size), received.ToArray());
            Assert.IsTrue((await sent.Completion).IsAcked);
        }
    });

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void A_file_that_shrinks_while_it_is_sent_lets_its_object_fail(bool opened) => new PostWorld(link: PostWorld.Link(2_000_000, 10)).Run(async world =>
    {
        foreach (var size in new[] { 1, 65_536, 200_000 })
        {
            var file = new MemoryStream();
            file.Write(PostWorld.Bytes(size));
            file.Position = 0;

            // An idle association would have read it before Send returns.
            world.Client.Send(new byte[500_000], new() { Niceness = 0 });
            var sent = opened
                ? world.Client.Send((offset, _) => ValueTask.FromResult<Stream>(new MemoryStream(file.ToArray()) { Position = offset }), size)
                : world.Client.Send(file, leaveOpen: true);
            file.SetLength(size - 1);
            Assert.AreEqual(ObjectOutcomeReason.SourceFailed, (await sent.Completion).Reason);
        }
    });

    [TestMethod]
    public void An_object_arrives_whole_and_its_sender_learns_of_it() => new PostWorld(link: PostWorld.Link(delay: 10)).Run(async world =>
    {
        var sent = world.Client.Send("hello"u8);
        using var received = await world.Server.ReceiveAsync();
        Assert.AreEqual("hello", Encoding.UTF8.GetString(received.Payload));
        Assert.AreEqual(0, received.Id);
        Assert.AreEqual(ObjectProperties.DefaultNiceness, received.Niceness);
        Assert.AreEqual(Timeout.InfiniteTimeSpan, received.RemainingLifetime);
        var receipt = await sent.Completion;
        Assert.AreEqual(ObjectOutcome.Acked, receipt.Outcome);
        Assert.AreEqual(ObjectOutcomeReason.Delivered, receipt.Reason);
        Assert.AreEqual(SentObjectState.Completed, sent.State);
        Assert.AreSame(receipt, receipt.EnsureAcked());
    });

    [TestMethod]
    [DataRow(0)]
    [DataRow(1)]
    [DataRow(4000)]
    [DataRow(16 * 1024)]
    [DataRow(16 * 1024 + 1)]
    [DataRow(200_000)]
    [DataRow(3_000_000)]
    public void Objects_of_every_size_keep_their_bytes_and_boundaries(int size) => new PostWorld(link: PostWorld.Link(100_000_000, 5, loss: 0.02)).Run(async world =>
    {
        var bytes = PostWorld.Bytes(size);
        var first = world.Client.Send(bytes);
        var second = world.Client.Send(new byte[] { 7 });
        var seen = new Dictionary<long, byte[]>();
        for (var i = 0; i < 2; i++)
        {
            using var received = await world.Server.ReceiveAsync();
            seen.Add(received.Id, received.ToArray());
        }

        CollectionAssert.AreEqual(bytes, seen[0]);
        CollectionAssert.AreEqual(new byte[] { 7 }, seen[1]);
        (await first.Completion).EnsureAcked();
        (await second.Completion).EnsureAcked();
        Assert.AreEqual(size, first.BytesSent);
    });

    [TestMethod]
    public void All_sources_of_an_object_give_the_same_bytes() => new PostWorld(link: PostWorld.Link(delay: 1)).Run(async world =>
    {
        var bytes = PostWorld.Bytes(150_000);
        var sequence = Split(bytes, 999);
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0, useSynchronizationContext: false));
        await pipe.Writer.WriteAsync(bytes);
        await pipe.Writer.CompleteAsync();
        var writer = world.Client.Compose(new() { Metadata = new byte[] { 1, 2 } });
        var handles = new[]
        {
            world.Client.Send(bytes.AsSpan()), world.Client.Send(bytes), world.Client.Send(sequence),
            world.Client.Send(new MemoryStream(bytes)), world.Client.Send(pipe.Reader), writer.Object,
        };
        for (var offset = 0; offset < bytes.Length; offset += 10_000)
        {
            await writer.WriteAsync(bytes.AsMemory(offset, 10_000));
            await world.DelayAsync(1);
        }

        await writer.CompleteAsync();
        for (var i = 0; i < handles.Length; i++)
        {
            using var received = await world.Server.ReceiveAsync();
            CollectionAssert.AreEqual(bytes, received.ToArray(), $"object {received.Id}");
        }

        foreach (var handle in handles)
        {
            (await handle.Completion).EnsureAcked();
        }
    });

    [TestMethod]
    public void A_source_that_fails_fails_its_object_and_the_receiver_sees_nothing() => new PostWorld(link: PostWorld.Link(delay: 1)).Run(async world =>
    {
        var writer = world.Client.Compose();
        await writer.WriteAsync(new byte[1000]);
        await world.DelayAsync(20);
        await writer.CompleteAsync(new InvalidDataException("broken"));
        var receipt = await writer.Object.Completion;
        Assert.AreEqual(ObjectOutcome.Failed, receipt.Outcome);
        Assert.AreEqual(ObjectOutcomeReason.SourceFailed, receipt.Reason);
        Assert.AreEqual(PostErrorReason.SourceFailed, receipt.Error!.Reason);
        var next = world.Client.Send("next"u8);
        using var received = await world.Server.ReceiveAsync();
        Assert.AreEqual(next.Id, received.Id);
    });

    [TestMethod]
    public void A_stream_shorter_than_it_said_fails_its_object() => new PostWorld(link: PostWorld.Link(delay: 1)).Run(async world =>
    {
        var sent = world.Client.Send(new LyingStream(new byte[100_000], 200_000));
        Assert.AreEqual(ObjectOutcomeReason.SourceFailed, (await sent.Completion).Reason);
    });

    [TestMethod]
    public void Metadata_and_niceness_travel_with_the_object() => new PostWorld(link: PostWorld.Link(delay: 1)).Run(async world =>
    {
        world.Client.Send("x"u8, new() { Metadata = "name=x"u8.ToArray(), Niceness = 7, Lifetime = TimeSpan.FromSeconds(5) });
        using var received = await world.Server.ReceiveAsync();
        Assert.AreEqual("name=x", Encoding.UTF8.GetString(received.Metadata.Span));
        Assert.AreEqual(7, received.Niceness);
        Assert.IsTrue(received.RemainingLifetime is { TotalSeconds: > 4.9 and <= 5 }, received.RemainingLifetime.ToString());
    });

    [TestMethod]
    public void Handlers_get_objects_and_events_tell_of_their_ends() => new PostWorld(link: PostWorld.Link(delay: 1)).Run(async world =>
    {
        var got = new List<string>();
        var acked = new List<long>();
        var ended = new List<ObjectOutcome>();
        world.Server.Register<Received>(r => got.Add(Encoding.UTF8.GetString(r.Object.Payload)));
        world.Client.Register<Acked>(a => acked.Add(a.Object.Id));
        world.Client.Register<ObjectCompleted>(e => ended.Add(e.Receipt.Outcome));
        await world.Client.Send("a"u8).Completion;
        await world.Client.Send("b"u8).Completion;
        await world.DelayAsync(10);
        CollectionAssert.AreEqual(new[] { "a", "b" }, got);
        CollectionAssert.AreEqual(new long[] { 0, 1 }, acked);
        CollectionAssert.AreEqual(new[] { ObjectOutcome.Acked, ObjectOutcome.Acked }, ended);
    });

    [TestMethod]
    public void What_a_handler_throws_is_raised_once_and_nothing_stops() => new PostWorld(link: PostWorld.Link(delay: 1)).Run(async world =>
    {
        var failures = new List<Exception>();
        var seen = 0;
        world.Server.Register<HandlerFailed>(f => failures.Add(f.Exception));
        world.Server.Register<Received>(_ => ++seen == 1 ? throw new InvalidOperationException("mine") : default(ValueTask));
        await world.Client.Send("a"u8).Completion;
        await world.Client.Send("b"u8).Completion;
        await world.DelayAsync(10);
        Assert.AreEqual(2, seen);
        Assert.AreEqual("mine", failures.Single().Message);
    });

    [TestMethod]
    public void Receipts_can_wait_for_processing() => new PostWorld(link: PostWorld.Link(delay: 1))
    {
        ServerOptions = new() { ReceiptLevel = ReceiptLevel.Processed },
    }.Run(async world =>
    {
        var sent = world.Client.Send("a"u8);
        var received = await world.Server.ReceiveAsync();
        await world.DelayAsync(500);
        Assert.AreEqual(SentObjectState.TransportAcknowledged, sent.State, "delivered, but not processed");
        received.MarkProcessed();
        received.Dispose();
        Assert.AreEqual(ObjectOutcomeReason.Processed, (await sent.Completion).Reason);

        var unwanted = world.Client.Send("b"u8);
        (await world.Server.ReceiveAsync()).Dispose();
        Assert.AreEqual(ObjectOutcome.Rejected, (await unwanted.Completion).Outcome);
    });

    [TestMethod]
    public void A_handler_that_fails_rejects_where_receipts_wait_for_processing() => new PostWorld(link: PostWorld.Link(delay: 1))
    {
        ServerOptions = new() { ReceiptLevel = ReceiptLevel.Processed },
    }.Run(async world =>
    {
        var count = 0;
        world.Server.Register<Received>(async _ =>
        {
            await world.DelayAsync(50);
            if (++count == 2)
            {
                throw new InvalidOperationException();
            }
        });
        Assert.AreEqual(ObjectOutcomeReason.Processed, (await world.Client.Send("a"u8).Completion).Reason);
        Assert.AreEqual(ObjectOutcomeReason.Refused, (await world.Client.Send("b"u8).Completion).Reason);
    });

    [TestMethod]
    public void What_is_too_large_is_rejected_with_its_reason() => new PostWorld(link: PostWorld.Link(delay: 1))
    {
        ServerOptions = new() { MaxWholeObjectSize = 10_000, ReceiveBudget = 100_000 },
    }.Run(async world =>
    {
        world.Server.Register<Received>(_ => { });
        await world.Client.Send("warm"u8).Completion;
        Assert.AreEqual(ObjectOutcomeReason.TooLarge, (await world.Client.Send(new byte[10_001]).Completion).Reason);
        var fits = world.Client.Send(new byte[10_000]);
        var writer = world.Client.Compose();
        _ = writer.WriteAsync(new byte[50_000]).AsTask();
        Assert.AreEqual(ObjectOutcomeReason.TooLarge, (await writer.Object.Completion).Reason);
        (await fits.Completion).EnsureAcked();
    });

    [TestMethod]
    public void An_incremental_object_can_be_read_while_it_arrives() => new PostWorld(link: PostWorld.Link(10_000_000, 5))
    {
        ServerOptions = new() { Incremental = IncrementalDelivery.WhenLarge, MaxWholeObjectSize = 100_000, ReceiveBudget = 1_000_000 },
    }.Run(async world =>
    {
        var bytes = PostWorld.Bytes(5_000_000);
        var sent = world.Client.Send(bytes);
        using var received = await world.Server.ReceiveAsync();
        Assert.IsTrue(received.IsIncremental);
        Assert.AreEqual(bytes.Length, received.Length);
        Assert.IsLessThan(1000, world.Network.Clock.Elapsed.TotalMilliseconds, "the object takes four seconds to arrive");
        using var all = new MemoryStream();
        await received.AsStream().CopyToAsync(all);
        CollectionAssert.AreEqual(bytes, all.ToArray());
        (await sent.Completion).EnsureAcked();
    });

    [TestMethod]
    public void An_incremental_object_that_expires_breaks_off_with_an_error() => new PostWorld(link: PostWorld.Link(1_000_000, 5))
    {
        ServerOptions = new() { Incremental = IncrementalDelivery.Always },
    }.Run(async world =>
    {
        // Nobody knows how long it is, or it would not be begun.
        var sent = world.Client.Send(
            PipeReader.Create(new ReadOnlySequence<byte>(new byte[1_000_000])), new() { Lifetime = TimeSpan.FromSeconds(2) });
        using var received = await world.Server.ReceiveAsync();
        var error = await Assert.ThrowsExactlyAsync<PostException>(() => received.AsStream().CopyToAsync(Stream.Null));
        Assert.AreEqual(PostErrorReason.ObjectExpired, error.Reason);
        Assert.AreEqual(ObjectOutcome.Expired, (await sent.Completion).Outcome);
    });

    [TestMethod]
    public void An_incremental_object_that_nobody_reads_to_the_end_is_rejected() => new PostWorld(link: PostWorld.Link(10_000_000, 5))
    {
        ServerOptions = new() { Incremental = IncrementalDelivery.Always },
    }.Run(async world =>
    {
        var sent = world.Client.Send(new byte[5_000_000]);
        (await world.Server.ReceiveAsync()).Dispose();
        Assert.AreEqual(ObjectOutcomeReason.Refused, (await sent.Completion).Reason);
    });

    private static ReadOnlySequence<byte> Split(byte[] bytes, int size)
    {
        Segment? first = null;
        Segment? last = null;
        for (var offset = 0; offset < bytes.Length; offset += size)
        {
            last = new Segment(bytes.AsMemory(offset, Math.Min(size, bytes.Length - offset)), last, offset);
            first ??= last;

            // Empty segments are legal, and easily got wrong.
            last = new Segment(default, last, offset + Math.Min(size, bytes.Length - offset));
        }

        return new ReadOnlySequence<byte>(first!, 0, last!, 0);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, Segment? before, long index)
        {
            Memory = memory;
            RunningIndex = index;
            before?.Next = this;
        }
    }

    private sealed class LyingStream(byte[] bytes, long length) : MemoryStream(bytes)
    {
        public override long Length => length;
    }
}
