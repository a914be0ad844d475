using System.Net;
using Post.Sockets.Associations.Lifecycle;
using Post.Sockets.Protocol;
using Post.Sockets.Testing;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Resumption;

/// <summary>How the initiator comes back, seen from a server that a test plays.</summary>
[TestClass]
public sealed class ReconnectionTests
{
    [TestMethod]
    public void Nothing_but_hello_goes_before_the_server_has_resumed() => Run(async (world, client, first) =>
    {
        var sent = client.Send(new byte[10]);
        await world.DelayAsync(100);
        Assert.HasCount(1, first.Objects);
        var second = await world.LoseAndAcceptAsync(first);
        await world.DelayAsync(500);
        Assert.AreEqual(first.Hello!.AssociationId, second.Hello!.AssociationId);
        Assert.AreEqual(1, second.Hello.Resumption);
        Assert.IsEmpty(second.Objects);
        await second.SayHelloAsync(second.Hello with { LowestId = 0 });
        await world.DelayAsync(100);
        Assert.AreEqual(sent.Id, second.Objects.Single().Id, "with its old id");
        await second.SayReceiptAsync(ReceiptStatus.Delivered, sent.Id);
        Assert.AreEqual(ObjectOutcome.Acked, (await sent.Completion).Outcome);
    });

    [TestMethod]
    public void What_ended_meanwhile_is_told_by_lowest_id_and_abandon() => Run(async (world, client, first) =>
    {
        var sent = Enumerable.Range(0, 8).Select(_ => client.Send(new byte[10])).ToArray();
        await world.DelayAsync(100);
        await first.SayReceiptAsync(ReceiptStatus.Delivered, 0, 1);
        await world.DelayAsync(100);
        sent[4].Cancel();
        var second = await world.LoseAndAcceptAsync(first);
        sent[6].Cancel();
        await world.DelayAsync(100);
        Assert.AreEqual(2, second.Hello!.LowestId);
        await second.SayHelloAsync(second.Hello with { LowestId = 0 });
        await world.DelayAsync(100);
        CollectionAssert.AreEqual(
            new[] { (4L, 4L), (6L, 6L) }, second.Ids(ControlFrameType.Abandon).Select(ids => (ids.First, ids.Last)).ToArray());
        CollectionAssert.AreEquivalent(new long[] { 2, 3, 5, 7 }, second.Objects.Select(o => o.Id).ToArray());
        await second.SayReceiptAsync(ReceiptStatus.Delivered, 2, 3, 5, 7);
        await Task.WhenAll(sent.Select(item => item.Completion));
    });

    [TestMethod]
    public void Each_attempt_has_a_higher_number_and_the_pauses_grow() => Run(
        async (world, client, first) =>
        {
            client.Send(new byte[10]);
            var times = new List<double>();
            var numbers = new List<long>();
            first.Lose(world);
            for (var i = 0; i < 8; i++)
            {
                var end = await world.AcceptAsync();
                times.Add(world.World.Network.Clock.Elapsed.TotalSeconds);
                while (end.Hello is null)
                {
                    await world.DelayAsync(1);
                }

                numbers.Add(end.Hello.Resumption);
                end.Lose(world);
            }

            CollectionAssert.AreEqual(Enumerable.Range(1, 8).Select(i => (long)i).ToArray(), numbers);
            var pauses = times.Zip(times.Skip(1), (a, b) => b - a).ToArray();
            Assert.IsLessThan(0.3, pauses[0], "the second attempt comes soon");
            for (var i = 0; i < pauses.Length; i++)
            {
                var whole = Math.Min(5, 0.1 * Math.Pow(2, i)) + 0.05;
                Assert.IsLessThanOrEqualTo(whole, pauses[i], $"pause {i}");
                Assert.IsGreaterThanOrEqualTo((whole - 0.05) / 2, pauses[i], $"pause {i}");
            }
        });

    [TestMethod]
    [DataRow(nameof(PostErrorCode.UnknownAssociation), PostErrorReason.AssociationLost)]
    [DataRow(nameof(PostErrorCode.AssociationRefused), PostErrorReason.AssociationRefused)]
    [DataRow(nameof(PostErrorCode.Aborted), PostErrorReason.Aborted)]
    [DataRow(nameof(PostErrorCode.FrameEncoding), PostErrorReason.ProtocolViolation)]
    public void A_server_that_means_it_ends_the_association(string code, PostErrorReason reason) => Run(async (world, client, first) =>
    {
        var sent = client.Send(new byte[10]);
        await world.DelayAsync(100);
        var second = await world.LoseAndAcceptAsync(first);
        await second.Connection.CloseAsync((long)Enum.Parse<PostErrorCode>(code), "no", CancellationToken.None);
        await client.Completion;
        Assert.AreEqual(reason, client.Error!.Reason);
        Assert.AreEqual(reason, (await sent.Completion).Error!.Reason);
        Assert.IsEmpty(world.World.Network.Wires.Where(wire => wire.Client.RemoteEndPoint is DnsEndPoint { Host: "raw" }));
    });

    [TestMethod]
    [DataRow(nameof(PostErrorCode.GoingAway))]
    [DataRow(nameof(PostErrorCode.InternalError))]
    [DataRow(nameof(PostErrorCode.NoError))]
    [DataRow(nameof(PostErrorCode.MissingHello))]
    public void A_server_that_is_busy_is_asked_again(string code) => Run(async (world, client, first) =>
    {
        await world.DelayAsync(100);
        var second = await world.LoseAndAcceptAsync(first);
        await second.Connection.CloseAsync((long)Enum.Parse<PostErrorCode>(code), "later", CancellationToken.None);
        var third = await world.AcceptAsync();
        await world.DelayAsync(100);
        await third.SayHelloAsync(third.Hello!);
        await world.DelayAsync(100);
        Assert.IsFalse(client.IsInterrupted);
    });

    [TestMethod]
    public void A_server_whose_hello_does_not_come_is_asked_again() => Run(async (world, client, first) =>
    {
        await world.DelayAsync(100);
        var second = await world.LoseAndAcceptAsync(first);
        var third = await world.AcceptAsync();
        await world.DelayAsync(100);
        Assert.AreEqual(PostErrorCode.MissingHello, second.CloseCode);
        await third.SayHelloAsync(third.Hello!);
        await world.DelayAsync(100);
        Assert.IsFalse(client.IsInterrupted);
    });

    [TestMethod]
    public void A_server_that_begins_anew_instead_has_not_resumed() => Run(async (world, client, first) =>
    {
        var sent = client.Send(new byte[10]);
        await world.DelayAsync(100);
        var second = await world.LoseAndAcceptAsync(first);
        await second.SayHelloAsync(new HelloFrame());
        await client.Completion;
        Assert.AreEqual(PostErrorReason.AssociationLost, client.Error!.Reason);
        Assert.AreEqual(ObjectOutcome.Failed, (await sent.Completion).Outcome);
        await world.DelayAsync(100);
        Assert.IsEmpty(second.Objects, "ids that mean something else there must not be sent");
        Assert.AreEqual(PostErrorCode.UnknownAssociation, second.CloseCode);
    });

    [TestMethod]
    public void A_server_that_offers_no_resumption_is_not_asked() => Run(
        async (world, client, first) =>
        {
            first.Lose(world);
            await client.Completion;
            Assert.AreEqual(PostErrorReason.Transport, client.Error!.Reason);
        },
        offers: false);

    [TestMethod]
    public void Lost_in_the_middle_of_hello_it_still_comes_back() => Run(
        async (world, client, first) =>
        {
            // The server's HELLO never came; the server may know the association all the same.
            var sent = client.Send(new byte[10]);
            var second = await world.LoseAndAcceptAsync(first);
            await second.SayHelloAsync(second.Hello!);
            await world.DelayAsync(100);
            await second.SayReceiptAsync(ReceiptStatus.Delivered, sent.Id);
            Assert.AreEqual(ObjectOutcome.Acked, (await sent.Completion).Outcome);
        },
        saysHello: false);

    [TestMethod]
    public void Lost_before_anything_arrived_it_begins_again()
    {
        var network = new InMemoryNetwork(1, PostWorld.Link(delay: 20));
        network.Run(async () =>
        {
            var transport = network.CreateTransport();
            await using var listener = await Listener.ListenAsync(transport, Local.At(new DnsEndPoint("server", 1)));
            var accepted = 0;
            listener.Register<Accept>(accept =>
            {
                accepted++;
                accept.Association.Register<Received>(_ => { });
            });
            await using var client = await Association.AssociateAsync(transport, Local.Anonymous, Remote.Named("server", 1));
            network.Wires[0].Break();
            var canceled = client.Send("x"u8);
            canceled.Cancel();
            (await client.Send("y"u8).Completion).EnsureAcked();
            Assert.AreEqual(1, accepted);
            network.Wires[^1].Break();
            (await client.Send("z"u8).Completion).EnsureAcked();
            Assert.AreEqual(1, accepted, "from there on it is resumed");
        });
    }

    [TestMethod]
    public void Objects_and_datagrams_that_overtake_the_hello_wait_for_it() => Run(async (world, client, first) =>
    {
        var second = await world.LoseAndAcceptAsync(first);
        await second.SendAsync([0x01, 0x00, 0x00, 0x00, 0x61]);
        second.Connection.TrySendDatagram([0x01, 0x01, 0x00, 0x00, 0x62], TransportPriority.Control, 1);
        await world.DelayAsync(200);
        var receiving = client.ReceiveAsync().AsTask();
        await world.DelayAsync(200);
        Assert.IsFalse(receiving.IsCompleted);
        await second.SayHelloAsync(second.Hello!);
        using var one = await receiving;
        using var two = await client.ReceiveAsync();
        CollectionAssert.AreEquivalent(new long[] { 0, 1 }, new[] { one.Id, two.Id });
    });

    [TestMethod]
    public void Receipts_are_given_again_with_the_same_status() => Run(
        async (world, client, first) =>
        {
            client.Register<Received>(_ => { });
            await first.SendAsync([0x01, 0x00, 0x00, 0x00, 0x61]);
            await first.SendAsync([0x01, 0x01, 0x08, 0x00, 0x7f, 0xff, 0x61], end: false);
            await first.SendAsync([0x01, 0x02, 0x00, 0x00, 0x61]);
            await world.DelayAsync(200);
            var second = await world.LoseAndAcceptAsync(first);
            await second.SayHelloAsync(second.Hello! with { LowestId = 0 });
            await world.DelayAsync(200);
            await second.SendAsync([0x01, 0x02, 0x00, 0x00, 0x61]);
            await world.DelayAsync(200);
            CollectionAssert.AreEquivalent(
                new[] { (0L, 0L, 0L), (0L, 2L, 2L), ((long)ReceiptStatus.TooLarge, 1L, 1L), (0L, 2L, 2L) }, second.Ids(ControlFrameType.Receipt).ToArray());
        },
        options: new() { MaxWholeObjectSize = 1000 });

    [TestMethod]
    public void Pauses_are_none_at_first_and_then_jittered()
    {
        var first = Enumerable.Range(0, 100).Select(seed => new ReconnectBackoff(new Random(seed))).ToArray();
        Assert.IsTrue(first.All(pauses => pauses.Next() == TimeSpan.Zero));
        var second = first.Select(pauses => pauses.Next().TotalMilliseconds).ToArray();
        Assert.IsTrue(second.All(pause => pause is >= 50 and <= 100));
        Assert.IsGreaterThan(90, second.Distinct().Count(), "a thousand clients do not return in step");
        first[0].Reset();
        Assert.AreEqual(TimeSpan.Zero, first[0].Next());
    }

    private static void Run(
        Func<RawServer, Association, RawEnd, Task> body, bool offers = true, bool saysHello = true, AssociationOptions? options = null) =>
        new PostWorld(link: PostWorld.Link(10_000_000, 10)).Run(async world =>
        {
            var transport = world.CreateTransport();
            var server = new RawServer(world, await transport.ListenAsync(
                new TransportListenRequest { Local = Local.At(new DnsEndPoint("raw", 1)) }, CancellationToken.None));
            var accepting = server.AcceptAsync();
            var client = await Association.AssociateAsync(transport, Local.Anonymous, Remote.Named("raw", 1), options);
            var first = await accepting;
            await world.DelayAsync(50);
            if (saysHello)
            {
                await first.SayHelloAsync(new HelloFrame
                {
                    AssociationId = offers ? first.Hello!.AssociationId : UInt128.Zero,
                });
                await world.DelayAsync(50);
            }

            await body(server, client, first);
        });
}
