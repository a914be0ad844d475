using System.Net;
using Post.Sockets.Protocol;
using Post.Sockets.Testing;
using Post.Sockets.Tests.Seam;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Resumption;

/// <summary>Peers that lie about offsets, or do not know them: each lie has its code, nothing grows, and who knows nothing begins anew.</summary>
[TestClass]
public sealed class HostileOffsetTests
{
    private const HelloFeatures All = HelloFeatures.DatagramObjects | HelloFeatures.PostStreams | HelloFeatures.Offsets;

    private static readonly UInt128 Id = new(3, 4);

    [TestMethod]
    [DataRow(0, 30_000, nameof(PostErrorCode.NoError), "what it has")]
    [DataRow(0, 0, nameof(PostErrorCode.NoError), "nothing but the header")]
    [DataRow(0, 200_000, nameof(PostErrorCode.NoError), "all that was sent")]
    [DataRow(0, 200_001, nameof(PostErrorCode.OffsetError), "a byte more than there is")]
    [DataRow(1, 0, nameof(PostErrorCode.OffsetError), "what was never begun")]
    [DataRow(2, 0, nameof(PostErrorCode.NoError), "what has ended meanwhile")]
    [DataRow(3, 0, nameof(PostErrorCode.IdError), "what was never given out")]
    [DataRow(5, 5, nameof(PostErrorCode.IdError), "what was never given out")]
    public void A_client_can_hold_only_what_was_sent_to_it(int id, int position, string code, string what) => RunClients(async world =>
    {
        var first = await world.BeginAsync(Id, features: All);
        var server = world.Accepted[0];
        var sent = server.Send(new byte[200_000]);
        await world.DelayAsync(200);
        Assert.IsTrue(first.Objects.Single().IsWhole, "it has gone, and waits for its receipt");
        first.Connection.Lose(world);
        await world.DelayAsync(10);
        server.Send(new byte[10]);
        server.Send(new byte[10]).Cancel();
        var second = await world.ConnectAsync();
        await second.SayHelloAsync(new HelloFrame
        {
            AssociationId = Id,
            Resumption = 1,
            Features = All,
            Held = HeldObjects.Of([new HeldObject(id, position)]),
        });
        await world.DelayAsync(200);
        var expected = Enum.Parse<PostErrorCode>(code);
        if (expected != PostErrorCode.NoError)
        {
            Assert.AreEqual(expected, second.CloseCode, what);
            Assert.IsTrue(server.IsInterrupted, "it still waits");
            return;
        }

        Assert.IsNull(second.Closed, what);
        var copy = second.Objects.Single(o => o.Id == 0);
        var header = copy.Header(out var length);
        Assert.AreEqual(id == 0 ? position : -1, header.Offset);
        Assert.AreEqual(200_000, header.PayloadLength);
        Assert.AreEqual(200_000 - (id == 0 ? position : 0), copy.Bytes.Count - length);
        Assert.IsTrue(copy.IsWhole);
        await second.SayReceiptAsync(ReceiptStatus.Delivered, 0);
        Assert.IsTrue((await sent.Completion).IsAcked);
    });

    [TestMethod]
    public void A_server_that_lies_about_what_it_holds_ends_the_association() => RunServer(All, async (world, client, first) =>
    {
        var sent = client.Send(new byte[1000]);
        await world.DelayAsync(100);
        var second = await world.LoseAndAcceptAsync(first);
        await second.SayHelloAsync(second.Hello! with { LowestId = 0, Held = HeldObjects.Of([new HeldObject(0, 1001)]) });
        await client.Completion;
        Assert.AreEqual(PostErrorReason.ProtocolViolation, client.Error!.Reason);
        await world.DelayAsync(50);
        Assert.AreEqual(PostErrorCode.OffsetError, second.CloseCode);
        Assert.AreEqual(ObjectOutcome.Failed, (await sent.Completion).Outcome);
    });

    [TestMethod]
    [DataRow(5, nameof(PostErrorCode.NoError), 10, "what is here is skipped")]
    [DataRow(7, nameof(PostErrorCode.NoError), 10, "exactly behind what is here")]
    [DataRow(8, nameof(PostErrorCode.OffsetError), 0, "a gap of one byte")]
    [DataRow(-1, nameof(PostErrorCode.NoError), 10, "who begins at the beginning")]
    [DataRow(5, nameof(PostErrorCode.LengthMismatch), 11, "a byte too many")]
    [DataRow(5, nameof(PostErrorCode.LengthMismatch), 9, "a byte too few")]
    public void The_next_copy_leaves_no_gap(int offset, string code, int end, string what)
    {
        foreach (var delivery in new[] { IncrementalDelivery.Always, IncrementalDelivery.Never })
        {
            RunClients(
                async world =>
                {
                    byte[] bytes = [.. Enumerable.Range(0, 20).Select(i => (byte)i)];
                    var first = await world.BeginAsync(Id, features: All);
                    await first.SendAsync(Object(0, 10, -1, bytes[..7]), end: false);
                    await world.DelayAsync(50);
                    first.Connection.Lose(world);
                    var second = await world.ConnectAsync();
                    await second.SayHelloAsync(new HelloFrame { AssociationId = Id, Resumption = 1, Features = All });
                    await world.DelayAsync(50);
                    Assert.AreEqual("0@7", second.Hello!.Held.ToString());
                    await second.SendAsync(Object(0, 10, offset, bytes[Math.Max(offset, 0)..Math.Max(end, 10)][..Math.Max(0, end - Math.Max(offset, 0))]));
                    await world.DelayAsync(100);
                    var expected = Enum.Parse<PostErrorCode>(code);
                    Assert.AreEqual(expected, second.CloseCode ?? PostErrorCode.NoError, what);
                    if (expected == PostErrorCode.NoError)
                    {
                        using var received = await world.Accepted[0].ReceiveAsync();
                        using var all = new MemoryStream();
                        await received.AsStream().CopyToAsync(all);
                        CollectionAssert.AreEqual(bytes[..10], all.ToArray(), what);
                    }
                },
                new() { Association = new() { Incremental = delivery } });
        }
    }

    [TestMethod]
    public void An_offset_of_an_object_that_nobody_holds_breaks_the_rules() => RunClients(async world =>
    {
        var end = await world.BeginAsync(Id, features: All);
        await end.SendAsync(Object(0, 10, 0, new byte[10]));
        await world.DelayAsync(50);
        Assert.IsNull(end.Closed, "0 is where it begins");
        await end.SendAsync(Object(1, 10, 1, new byte[9]));
        await world.DelayAsync(50);
        Assert.AreEqual(PostErrorCode.OffsetError, end.CloseCode);
    });

    [TestMethod]
    [DataRow(true, false, "payload before the answer")]
    [DataRow(false, true, "an end before the answer")]
    public void A_sender_waits_for_the_answer(bool payload, bool ends, string what) => RunClients(
        async world =>
        {
            foreach (var together in new[] { true, false })
            {
                var id = new UInt128(9, together ? 1UL : 2UL);
                var end = await world.BeginAsync(id, features: All);
                var header = Object(0, 10, -1, together && payload ? [1] : [], durable: [1, 2]);
                var stream = await end.SendAsync(header, end: together && ends);
                await world.DelayAsync(50);
                if (!together)
                {
                    Assert.IsNull(end.Closed);
                    await stream.WriteAsync(payload ? new byte[1] : [], ends, CancellationToken.None);
                    await world.DelayAsync(50);
                }

                Assert.AreEqual(PostErrorCode.OffsetError, end.CloseCode, what);
                Assert.AreEqual(PostErrorReason.ProtocolViolation, world.Accepted[^1].Error!.Reason);
            }
        },
        new() { Association = new() { Incremental = IncrementalDelivery.Always } });

    [TestMethod]
    public void Who_asks_again_hears_how_far_the_object_has_come() => RunClients(
        async world =>
        {
            var first = await world.BeginAsync(Id, features: All);
            var stream = await first.SendAsync(Object(0, 100, -1, [], durable: [1]), end: false);
            using var received = await world.Accepted[0].ReceiveAsync();
            received.ResumeFrom(40);
            await world.DelayAsync(50);
            CollectionAssert.AreEqual(new[] { new StartAtFrame(0, 40) }, first.Starts.ToArray());
            await stream.WriteAsync(new byte[25], false, CancellationToken.None);
            await world.DelayAsync(50);
            first.Connection.Lose(world);
            var second = await world.ConnectAsync();
            await second.SayHelloAsync(new HelloFrame { AssociationId = Id, Resumption = 1, Features = All });
            await world.DelayAsync(50);
            stream = await second.SendAsync(Object(0, 100, -1, [], durable: [1]), end: false);
            await world.DelayAsync(50);
            CollectionAssert.AreEqual(new[] { new StartAtFrame(0, 65) }, second.Starts.ToArray());
            await stream.WriteAsync(new byte[35], true, CancellationToken.None);
            using var all = new MemoryStream();
            await received.AsStream().CopyToAsync(all);
            Assert.AreEqual(60, all.Length);
            await world.DelayAsync(50);
            Assert.IsNull(second.Closed);
        },
        new() { Association = new() { Incremental = IncrementalDelivery.Always } });

    [TestMethod]
    public void Datagrams_have_neither_offsets_nor_durable_ids() => RunClients(async world =>
    {
        foreach (var bytes in new[] { Object(0, 1, 0, [1]), Object(0, 1, -1, [1], durable: [1]) })
        {
            var end = await world.BeginAsync(new UInt128(9, (ulong)bytes.Length), features: All);
            Assert.AreEqual(TransportDatagramResult.Queued, end.Connection.TrySendDatagram(bytes, TransportPriority.Control, 0));
            await world.DelayAsync(50);
            Assert.AreEqual(PostErrorCode.HeaderEncoding, end.CloseCode, Convert.ToHexString(bytes));
        }
    });

    [TestMethod]
    [DataRow(0, 10, nameof(PostErrorCode.NoError), "the whole length")]
    [DataRow(0, 11, nameof(PostErrorCode.OffsetError), "beyond the length")]
    [DataRow(1, 0, nameof(PostErrorCode.OffsetError), "an object that did not ask")]
    [DataRow(2, 0, nameof(PostErrorCode.NoError), "one that has ended")]
    [DataRow(3, 0, nameof(PostErrorCode.IdError), "one that was never given out")]
    public void A_receiver_answers_what_was_asked(int id, int offset, string code, string what) => RunServer(All, async (world, client, first) =>
    {
        var durable = client.Send(new byte[10], new() { DurableId = new byte[] { 7 } });
        client.Send(new byte[10]);
        client.Send(new byte[10]).Cancel();
        await world.DelayAsync(100);
        Assert.IsFalse(first.Objects.Single(o => o.Id == 0).IsWhole);
        await first.SayAsync(buffer => new StartAtFrame(id, offset).Write(buffer));
        await world.DelayAsync(100);
        var expected = Enum.Parse<PostErrorCode>(code);
        Assert.AreEqual(expected, first.CloseCode ?? PostErrorCode.NoError, what);
        if (expected == PostErrorCode.NoError && id == 0)
        {
            Assert.IsTrue(first.Objects.Single(o => o.Id == 0).IsWhole);
            Assert.AreEqual(offset, durable.Offset);
            await first.SayAsync(buffer => new StartAtFrame(id, offset).Write(buffer));
            await world.DelayAsync(100);
            Assert.AreEqual(PostErrorCode.OffsetError, first.CloseCode, "it was asked once");
        }
    });

    [TestMethod]
    public void A_receiver_that_does_not_answer_holds_few_streams_and_nobody_else_up() => RunServer(All, async (world, client, first) =>
    {
        var silent = Enumerable.Range(0, 1000).Select(i => client.Send(
            new byte[10], new() { DurableId = new byte[] { 7 }, Lifetime = i % 2 == 0 ? TimeSpan.FromSeconds(5) : Timeout.InfiniteTimeSpan })).ToArray();
        await world.DelayAsync(500);
        Assert.HasCount(32, first.Objects);
        var other = client.Send(new byte[10]);
        await world.DelayAsync(200);
        Assert.IsTrue(first.Objects.Single(o => o.Id == other.Id).IsWhole);
        await first.SayAsync(buffer => new StartAtFrame(first.Objects[1].Id, 0).Write(buffer));
        await world.DelayAsync(200);
        Assert.HasCount(34, first.Objects, "each that goes on lets another one ask");
        await world.DelayAsync(6000);
        Assert.AreEqual(500, silent.Count(item => item.Receipt?.Outcome == ObjectOutcome.Expired));
        Assert.HasCount(32, first.Objects.Where(o => !o.IsWhole && !o.IsReset).ToArray());
    });

    [TestMethod]
    public void To_a_peer_that_does_not_know_offsets_everything_begins_at_its_beginning() => RunServer(
        HelloFeatures.DatagramObjects,
        async (world, client, first) =>
        {
            var durable = client.Send(new byte[100_000], new() { DurableId = new byte[] { 7 } });
            await world.DelayAsync(200);
            var (id, bytes) = (first.Objects.Single().Id, first.Objects.Single().Bytes);
            Assert.AreEqual(durable.Id, id);
            Assert.HasCount(100_000 + 9, bytes, "a plain header, and all of the payload at once");

            // Part of an object of the peer's is here; it hears nothing of that.
            await first.SendAsync(Object(0, 10, -1, new byte[5]), end: false);
            await world.DelayAsync(50);
            Assert.IsGreaterThan(0, client.HeldBytes);
            var second = await world.LoseAndAcceptAsync(first);
            Assert.AreEqual(0, second.Hello!.Held.Count);
            Assert.AreEqual(0, client.HeldBytes, "what could not go on is not kept");
            await second.SayHelloAsync(second.Hello with { LowestId = 0, Features = HelloFeatures.DatagramObjects });
            await world.DelayAsync(200);
            Assert.HasCount(100_000 + 9, second.Objects.Single().Bytes);
            await second.SendAsync(Object(0, 10, -1, new byte[10]));
            using var received = await client.ReceiveAsync();
            Assert.AreEqual(10, received.Payload.Length);
        });

    [TestMethod]
    public void A_durable_object_waits_for_hello_before_it_is_known_how_it_may_go() => RunServer(
        null,
        async (world, client, first) =>
        {
            client.Send(new byte[10], new() { DurableId = new byte[] { 7 } });
            client.Send(new byte[10]);
            await world.DelayAsync(500);
            Assert.AreEqual(1, first.Objects.Single().Id);
            await first.SayHelloAsync(new HelloFrame { Features = All });
            await world.DelayAsync(100);
            Assert.IsFalse(first.Objects.Single(o => o.Id == 0).Header(out _).DurableId.IsEmpty);
        });

    [TestMethod]
    public void So_many_unfinished_objects_are_kept_and_told_and_no_more() => RunClients(async world =>
    {
        var first = await world.BeginAsync(Id, features: All);
        for (var i = 0; i < ProtocolLimits.MaxHeldObjects + 3; i++)
        {
            await first.SendAsync(Object(i, 2000, -1, new byte[1000 - i]), end: false);
        }

        await world.DelayAsync(500);
        first.Connection.Lose(world);
        await world.DelayAsync(50);

        // Each has one piece of memory for the 2000 bytes that it promises.
        Assert.AreEqual(ProtocolLimits.MaxHeldObjects * (2048 + 512), world.Accepted[0].HeldBytes);
        var second = await world.ConnectAsync();
        await second.SayHelloAsync(new HelloFrame { AssociationId = Id, Resumption = 1, Features = All });
        await world.DelayAsync(50);
        Assert.AreEqual(ProtocolLimits.MaxHeldObjects, second.Hello!.Held.Count);
        Assert.IsTrue(second.Hello.Held.All.ToArray().All(one => one.Position == 1000 - one.Id && one.Id < ProtocolLimits.MaxHeldObjects));
        for (var i = 0; i < ProtocolLimits.MaxHeldObjects + 3; i++)
        {
            var offset = i < ProtocolLimits.MaxHeldObjects ? 1000 - i : -1;
            await second.SendAsync(Object(i, 2000, offset, new byte[2000 - Math.Max(offset, 0)]));
        }

        for (var i = 0; i < ProtocolLimits.MaxHeldObjects + 3; i++)
        {
            using var received = await world.Accepted[0].ReceiveAsync();
            Assert.AreEqual(2000, received.Payload.Length);
        }

        Assert.AreEqual(0, world.Accepted[0].HeldBytes);
    });

    [TestMethod]
    public void All_interrupted_associations_together_hold_a_bounded_number_of_bytes() => RunClients(
        async world =>
        {
            var flooder = Local.At(new IPEndPoint(IPAddress.Parse("10.9.9.9"), 0));
            for (var i = 0; i < 10; i++)
            {
                var end = await world.BeginAsync(new UInt128(5, (ulong)i + 1), local: flooder, features: All);
                await end.SendAsync(Object(0, 40_000, -1, new byte[30_000]), end: false);
                await world.DelayAsync(100);
                end.Connection.Lose(world);
                await world.DelayAsync(10);
            }

            Assert.AreEqual(10, world.Listener.InterruptedCount);
            Assert.AreEqual(1, world.Accepted.Count(one => one.HeldBytes > 0), "half of the room is for others");
            var honest = await world.BeginAsync(Id, features: All);
            await honest.SendAsync(Object(0, 40_000, -1, new byte[30_000]), end: false);
            await world.DelayAsync(100);
            honest.Connection.Lose(world);
            await world.DelayAsync(10);
            Assert.IsGreaterThan(30_000, world.Accepted[^1].HeldBytes);

            // What comes back gives its room back.
            var again = await world.ConnectAsync(local: flooder);
            await again.SayHelloAsync(new HelloFrame { AssociationId = new UInt128(5, 1), Resumption = 1, Features = All });
            await world.DelayAsync(50);
            Assert.AreEqual("0@30000", again.Hello!.Held.ToString());
            again.Connection.Lose(world);
            await world.DelayAsync(10);
            Assert.IsGreaterThan(30_000, world.Accepted[0].HeldBytes);
        },
        new() { MaxInterruptedBytes = 90_000, Association = new() { ResumptionTimeout = TimeSpan.FromMinutes(10) } });

    [TestMethod]
    [DataRow(0L)]
    [DataRow(29_999L)]
    [DataRow(59_999L)]
    [DataRow(60_000L)]
    public void What_does_not_fit_into_the_room_of_the_listener_comes_again(long room) => RunClients(
        async world =>
        {
            var first = await world.BeginAsync(Id, features: All);
            await first.SendAsync(Object(0, 40_000, -1, new byte[30_000]), end: false);
            await world.DelayAsync(100);
            first.Connection.Lose(world);
            var second = await world.ConnectAsync();
            await second.SayHelloAsync(new HelloFrame { AssociationId = Id, Resumption = 1, Features = All });
            await world.DelayAsync(50);
            Assert.AreEqual(room >= 60_000 ? "0@30000" : string.Empty, second.Hello!.Held.ToString(), "one peer has half");
            await second.SendAsync(Object(0, 40_000, room >= 60_000 ? 30_000 : -1, new byte[room >= 60_000 ? 10_000 : 40_000]));
            using var received = await world.Accepted[0].ReceiveAsync();
            Assert.AreEqual(40_000, received.Payload.Length);
        },
        new() { MaxInterruptedBytes = room });

    private static byte[] Object(long id, long length, long offset, byte[] payload, byte[]? durable = null)
    {
        var header = new ObjectHeader { Id = id, PayloadLength = length, Offset = offset, DurableId = durable };
        var bytes = new byte[header.Length() + payload.Length];
        payload.CopyTo(bytes, header.Write(bytes));
        return bytes;
    }

    private static void RunServer(HelloFeatures? features, Func<RawServer, Association, RawEnd, Task> body) =>
        new PostWorld(link: PostWorld.Link(10_000_000, 10)).Run(async world =>
        {
            var transport = world.CreateTransport();
            var server = new RawServer(world, await transport.ListenAsync(
                new TransportListenRequest { Local = Local.At(new DnsEndPoint("raw", 1)) }, CancellationToken.None));
            var accepting = server.AcceptAsync();
            var client = await Association.AssociateAsync(transport, Local.Anonymous, Remote.Named("raw", 1));
            var first = await accepting;
            await world.DelayAsync(50);
            if (features is { } known)
            {
                await first.SayHelloAsync(new HelloFrame { AssociationId = first.Hello!.AssociationId, Features = known });
                await world.DelayAsync(50);
            }

            await body(server, client, first);
        });

    private static void RunClients(Func<RawClients, Task> body, ListenerOptions? options = null)
    {
        var network = new InMemoryNetwork(1, PostWorld.Link(delay: 1));
        var guard = new SeamGuard();
        network.Run(async () =>
        {
            var transport = new GuardedTransport(network.CreateTransport(), guard);
            var listener = await Listener.ListenAsync(transport, Local.At(new DnsEndPoint("server", 1)), options);
            var world = new RawClients(network, transport, listener, options ?? new());
            listener.Register<Accept>(accept => world.Accepted.Add(accept.Association));
            await body(world);
        });
        guard.AssertKept();
    }
}
