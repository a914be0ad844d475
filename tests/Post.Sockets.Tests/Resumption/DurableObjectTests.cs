using System.Security.Cryptography;

namespace Post.Sockets.Tests.Resumption;

/// <summary>Objects with durable ids, which go on after a restart of either side from what the receiver's application has.</summary>
[TestClass]
public sealed class DurableObjectTests
{
    private const int Length = 500_000;

    private static readonly byte[] Bytes = PostWorld.Bytes(Length);

    private static readonly ObjectProperties Durable = new() { DurableId = SHA256.HashData(Bytes), Metadata = new byte[] { 1, 2, 3 } };

    /// <summary>What an object can come from.</summary>
    public enum Source
    {
        Memory,
        Sequence,
        Seekable,
        Opened,
        OpenedWithoutLength,
        OnceOnly,
    }

    [TestMethod]
    [DataRow(Source.Memory, true)]
    [DataRow(Source.Memory, false)]
    [DataRow(Source.Sequence, true)]
    [DataRow(Source.Seekable, true)]
    [DataRow(Source.Seekable, false)]
    [DataRow(Source.Opened, true)]
    [DataRow(Source.Opened, false)]
    [DataRow(Source.OpenedWithoutLength, true)]
    [DataRow(Source.OnceOnly, true)]
    public void A_durable_object_goes_on_after_a_restart_from_what_the_receiver_has(Source source, bool killServer) => DurableWorld.Run(new(link: PostWorld.Link(4_000_000, 20)), async world =>
    {
        await world.StartServerAsync();
        await world.StartClientAsync();
        var first = Send(world, source);
        await world.DelayAsync(900);
        Assert.AreEqual(0, first.Offset);
        if (killServer)
        {
            await world.KillServerAsync();
            await world.StartServerAsync();
            await world.Client.Completion;
            Assert.AreEqual(ObjectOutcome.Failed, first.Receipt!.Outcome);
        }
        else
        {
            world.KillClient();
            await world.DelayAsync(10_000);
        }

        var kept = world.Kept.Single().Value.Length;
        Assert.IsGreaterThan(100_000, kept);
        Assert.IsLessThan(Length, kept);
        await world.StartClientAsync();
        var before = world.Network.Wires.Single().Client.GetStatistics().BytesSent;
        var second = Send(world, source);
        (await second.Completion).EnsureAcked();
        Assert.AreEqual(kept, second.Offset);
        Assert.AreEqual(Length, second.BytesSent);
        var moved = world.Network.Wires.Single().Client.GetStatistics().BytesSent - before;
        Assert.IsLessThan((Length - kept) * 1.15, (double)moved!);
        await world.DelayAsync(100);
        CollectionAssert.AreEqual(new[] { 0, kept }, world.Offsets);
        CollectionAssert.AreEqual(Bytes, world.Kept.Single().Value.ToArray());
        Assert.AreEqual(1, world.Whole.Single().Value);
    });

    [TestMethod]
    [DataRow(0)]
    [DataRow(1)]
    [DataRow(Length - 1)]
    [DataRow(Length)]
    public void An_object_begins_wherever_the_receiver_says(int offset) => DurableWorld.Run(new(), async world =>
    {
        await world.StartServerAsync(keeps: false);
        await world.StartClientAsync();
        foreach (var source in Enum.GetValues<Source>())
        {
            var sent = Send(world, source);
            using var received = await world.Server.ReceiveAsync();
            Assert.IsTrue(received.CanResume);
            Assert.AreEqual(source is Source.OpenedWithoutLength or Source.OnceOnly ? null : Length, received.Length);
            CollectionAssert.AreEqual(Durable.DurableId.ToArray(), received.DurableId.ToArray());
            CollectionAssert.AreEqual(Durable.Metadata.ToArray(), received.Metadata.ToArray());
            await world.DelayAsync(1000);
            Assert.AreEqual(0, sent.BytesSent, "no payload goes before the receiver has said where to begin");
            received.ResumeFrom(offset);
            Assert.IsFalse(received.CanResume);
            Assert.AreEqual(offset, received.Offset);
            using var all = new MemoryStream();
            await received.AsStream().CopyToAsync(all);
            CollectionAssert.AreEqual(Bytes[offset..], all.ToArray(), source.ToString());
            Assert.IsTrue((await sent.Completion).IsAcked);
            Assert.AreEqual(offset, sent.Offset);
        }
    });

    [TestMethod]
    [DataRow(IncrementalDelivery.Never)]
    [DataRow(IncrementalDelivery.WhenLarge)]
    public void Who_says_nothing_gets_the_object_from_its_beginning(IncrementalDelivery delivery) => DurableWorld.Run(
        new() { ServerOptions = new() { Incremental = delivery } }, async world =>
    {
        await world.StartServerAsync(keeps: false);
        await world.StartClientAsync();
        foreach (var size in new[] { 0, 1, 100_000 })
        {
            var sent = world.Client.Send(Bytes.AsMemory(0, size), Durable);
            using var received = await world.Server.ReceiveAsync();
            Assert.AreEqual(delivery != IncrementalDelivery.Never, received.IsIncremental);
            Assert.AreEqual(received.IsIncremental, received.CanResume);
            using var all = new MemoryStream();
            await received.AsStream().CopyToAsync(all);
            Assert.ThrowsExactly<InvalidOperationException>(() => received.ResumeFrom(0));
            CollectionAssert.AreEqual(Bytes[..size], all.ToArray());
            Assert.AreEqual(0, received.Offset);
            (await sent.Completion).EnsureAcked();
        }
    });

    [TestMethod]
    public void An_offset_beyond_the_length_is_refused_on_the_spot() => DurableWorld.Run(new(), async world =>
    {
        await world.StartServerAsync(keeps: false);
        await world.StartClientAsync();
        var sent = world.Client.Send(Bytes, Durable);
        using var received = await world.Server.ReceiveAsync();
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => received.ResumeFrom(Length + 1));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => received.ResumeFrom(-1));
        received.ResumeFrom(Length);
        (await sent.Completion).EnsureAcked();
    });

    [TestMethod]
    [DataRow(Source.OpenedWithoutLength)]
    [DataRow(Source.OnceOnly)]
    public void A_source_that_is_shorter_than_what_the_receiver_has_fails_with_its_object(Source source) => DurableWorld.Run(new(), async world =>
    {
        await world.StartServerAsync(keeps: false);
        await world.StartClientAsync();
        var sent = Send(world, source);
        using var received = await world.Server.ReceiveAsync();
        received.ResumeFrom(Length + 1);
        var receipt = await sent.Completion;
        Assert.AreEqual(ObjectOutcomeReason.SourceFailed, receipt.Reason);
        await Assert.ThrowsExactlyAsync<PostException>(() => received.AsStream().CopyToAsync(Stream.Null));
    });

    [TestMethod]
    public void A_durable_object_that_waits_for_its_receiver_is_canceled_and_expires_like_any_other() => DurableWorld.Run(new(link: PostWorld.Link(delay: 20)), async world =>
    {
        await world.StartServerAsync(keeps: false);
        await world.StartClientAsync();
        var canceled = world.Client.Send(Bytes, Durable);
        var expiring = world.Client.Send(Bytes, Durable with { Lifetime = TimeSpan.FromSeconds(2) });
        var dependent = world.Client.Send("x"u8, new() { Antecedents = [canceled] });
        var refused = world.Client.Send(Bytes, Durable);
        using var first = await world.Server.ReceiveAsync();
        using var second = await world.Server.ReceiveAsync();
        var third = await world.Server.ReceiveAsync();
        canceled.Cancel();
        third.Dispose();
        Assert.AreEqual(ObjectOutcome.Canceled, (await canceled.Completion).Outcome);
        Assert.AreEqual(ObjectOutcomeReason.AntecedentExpired, (await dependent.Completion).Reason);
        Assert.AreEqual(ObjectOutcomeReason.Refused, (await refused.Completion).Reason);
        Assert.AreEqual(ObjectOutcome.Expired, (await expiring.Completion).Outcome);
        await world.DelayAsync(100);
        Assert.IsFalse(first.CanResume);
        first.ResumeFrom(10);
        await Assert.ThrowsExactlyAsync<PostException>(() => first.AsStream().CopyToAsync(Stream.Null));
        await Assert.ThrowsExactlyAsync<PostException>(() => second.AsStream().CopyToAsync(Stream.Null));
        Assert.AreEqual(0, world.Client.PendingObjects);
        Assert.AreEqual(0, world.Server.HeldBytes);
    });

    /// <summary>When the receiver's application says where the object begins.</summary>
    public enum Moment
    {
        Before,
        AsTheConnectionIsLost,
        Between,
        After,
    }

    [TestMethod]
    [DataRow(Moment.Before)]
    [DataRow(Moment.AsTheConnectionIsLost)]
    [DataRow(Moment.Between)]
    [DataRow(Moment.After)]
    public void An_answer_outlives_the_connection_on_which_it_was_asked_for(Moment moment) => DurableWorld.Run(
        new(link: PostWorld.Link(4_000_000, 20)) { ClientOptions = new(), ServerOptions = new() { Incremental = IncrementalDelivery.Always } }, async world =>
    {
        const int Offset = 100_000;
        await world.StartServerAsync(keeps: false);
        await world.StartClientAsync();
        foreach (var source in new[] { Source.Memory, Source.Seekable, Source.Opened, Source.OpenedWithoutLength })
        {
            var sent = Send(world, source);
            using var received = await world.Server.ReceiveAsync();
            using var all = new MemoryStream();
            var reading = Task.CompletedTask;
            if (moment == Moment.Before)
            {
                received.ResumeFrom(Offset);
                reading = received.AsStream().CopyToAsync(all);
                await world.DelayAsync(500);
            }

            if (moment == Moment.AsTheConnectionIsLost)
            {
                received.ResumeFrom(Offset);
            }

            world.Network.IsUp = false;
            world.Lose();
            await world.DelayAsync(300);
            if (moment == Moment.Between)
            {
                received.ResumeFrom(Offset);
            }

            Assert.AreEqual(moment == Moment.After, received.CanResume);
            world.Network.IsUp = true;
            await world.DelayAsync(6000);
            if (moment == Moment.After)
            {
                Assert.AreEqual(0, sent.BytesSent, "it is asked again");
                received.ResumeFrom(Offset);
            }

            await reading;
            await received.AsStream().CopyToAsync(all);
            Assert.IsTrue(all.ToArray().AsSpan().SequenceEqual(Bytes.AsSpan(Offset)), source.ToString());
            Assert.IsTrue((await sent.Completion).IsAcked);
            Assert.AreEqual(Offset, sent.Offset);
            Assert.AreEqual(Offset, received.Offset);
        }
    });

    [TestMethod]
    public void A_durable_key_tells_who_sends_and_what() => DurableWorld.Run(new(), async world =>
    {
        using var one = Identity.CreateSelfSigned("one");
        using var two = Identity.CreateSelfSigned("two");
        var keys = new List<string>();
        await using var listener = await Listener.ListenAsync(
            world.CreateTransport(),
            Local.At(new System.Net.DnsEndPoint("server", 1)),
            new() { ClientTrust = PeerTrust.Pinned([KeyFingerprint.Of(one), KeyFingerprint.Of(two)]), Association = world.ServerOptions });
        foreach (var (who, what) in new[] { (one, 1), (one, 2), (two, 1), (one, 1) })
        {
            var accepting = listener.AcceptAsync().AsTask();
            await world.StartClientAsync(who);
            await using var server = (await accepting)!;
            var sent = world.Client.Send(Bytes, Durable with { DurableId = new[] { (byte)what } });
            using var received = await server.ReceiveAsync();
            keys.Add(received.DurableKey!);
            await received.AsStream().CopyToAsync(Stream.Null);
            await sent.Completion;
            await world.Client.DisposeAsync();
        }

        Assert.AreEqual(keys[0], keys[3], "the same peer and id");
        Assert.HasCount(3, keys.Distinct());
        Assert.IsTrue(keys.TrueForAll(static key => key.Length == 64 && key.All(char.IsAsciiHexDigitLower)));
    });

    [TestMethod]
    public void Few_of_the_objects_that_wait_to_be_sent_are_open() => DurableWorld.Run(new(link: PostWorld.Link(50_000_000, 200)), async world =>
    {
        await world.StartServerAsync();
        await world.StartClientAsync();
        var open = 0;
        var most = 0;
        var sent = Enumerable.Range(0, 200).Select(_ => world.Client.Send(
            (offset, _) =>
            {
                most = Math.Max(most, ++open);
                return ValueTask.FromResult<Stream>(new Closing(new MemoryStream(Bytes, (int)offset, 10_000 - (int)offset), () => open--));
            },
            10_000,
            new() { Niceness = 7 })).ToArray();
        foreach (var item in sent)
        {
            await item.Completion;
        }

        Assert.AreEqual(0, open);
        Assert.IsLessThanOrEqualTo(32, most);
    });

    private static SentObject Send(DurableWorld world, Source source) => source switch
    {
        Source.Memory => world.Client.Send(Bytes, Durable),
        Source.Sequence => world.Client.Send(Pieces(), Durable),
        Source.Seekable => world.Client.Send(new MemoryStream(Bytes), Durable),
        Source.OnceOnly => world.Client.Send(new Closing(new MemoryStream(Bytes), static () => { }), Durable),
        _ => world.Client.Send(OpenAsync, source == Source.Opened ? Length : null, Durable),
    };

    private static ValueTask<Stream> OpenAsync(long offset, CancellationToken cancellationToken) =>
        ValueTask.FromResult<Stream>(new MemoryStream(Bytes, (int)offset, (int)(Length - offset)));

    private static System.Buffers.ReadOnlySequence<byte> Pieces()
    {
        var first = new Piece(Bytes.AsMemory(0, 1000), 0, null);
        var second = new Piece(Bytes.AsMemory(1000, 100_000), 1000, first);
        var third = new Piece(Bytes.AsMemory(101_000), 101_000, second);
        return new(first, 0, third, third.Memory.Length);
    }

    private sealed class Piece : System.Buffers.ReadOnlySequenceSegment<byte>
    {
        public Piece(ReadOnlyMemory<byte> memory, long index, Piece? before)
        {
            Memory = memory;
            RunningIndex = index;
            before?.Next = this;
        }
    }

    /// <summary>A stream that can only be read, and says when it is closed.</summary>
    private sealed class Closing(Stream inner, Action closed) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Flush() => throw new NotSupportedException();

        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => inner.ReadAsync(buffer, cancellationToken);

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            closed();
            base.Dispose(disposing);
        }
    }
}
