using System.Net;
using Post.Sockets.Protocol;
using Post.Sockets.Testing;
using Post.Sockets.Tests.Seam;

namespace Post.Sockets.Tests.Resumption;

/// <summary>Peers that want an association which is not theirs, or memory which is not theirs either.</summary>
[TestClass]
public sealed class HostileResumptionTests
{
    private static readonly UInt128 Id = new(0x0102030405060708, 0x090a0b0c0d0e0f10);

    [TestMethod]
    public void An_association_that_is_not_known_is_answered_with_a_close() => Run(async world =>
    {
        var stranger = await world.ConnectAsync();
        await stranger.SayHelloAsync(new HelloFrame { AssociationId = Id, Resumption = 1 });
        await world.DelayAsync(100);
        Assert.AreEqual(PostErrorCode.UnknownAssociation, stranger.CloseCode);
        Assert.IsNull(stranger.Hello);
        Assert.IsEmpty(world.Accepted, "the application hears nothing of it");
    });

    [TestMethod]
    public void A_known_id_is_of_no_use_to_another_identity()
    {
        using var owner = Identity.CreateSelfSigned("owner");
        using var thief = Identity.CreateSelfSigned("thief");
        Run(
            async world =>
            {
                var mine = await world.BeginAsync(Id, owner);
                mine.Connection.Lose(world);
                var theirs = await world.ConnectAsync(thief);
                await theirs.SayHelloAsync(new HelloFrame { AssociationId = Id, Resumption = 1 });
                await world.DelayAsync(100);
                Assert.AreEqual(PostErrorCode.UnknownAssociation, theirs.CloseCode, "told apart from an unknown id it would say that it is known");
                Assert.IsTrue(world.Accepted.Single().IsInterrupted);

                var again = await world.ConnectAsync(owner);
                await again.SayHelloAsync(new HelloFrame { AssociationId = Id, Resumption = 1 });
                await world.DelayAsync(100);
                Assert.IsNull(again.Closed);
                Assert.AreEqual(1, again.Hello!.Resumption);
                Assert.IsFalse(world.Accepted.Single().IsInterrupted);
            },
            new ListenerOptions { ClientTrust = PeerTrust.Pinned([KeyFingerprint.Of(owner), KeyFingerprint.Of(thief)]) });
    }

    [TestMethod]
    public void An_anonymous_peer_cannot_take_what_a_proven_one_has_begun()
    {
        // With the trust of this listener nobody is anonymous: so the identity is compared below the transport, as one would be forged.
        using var owner = Identity.CreateSelfSigned("owner");
        Run(async world =>
        {
            var mine = await world.BeginAsync(Id, null);
            mine.Connection.Lose(world);
            var second = await world.BeginAsync(Id, null, expectId: false);
            Assert.AreEqual(UInt128.Zero, second.Hello!.AssociationId, "an id that is taken stays with whom it belongs to");
            Assert.HasCount(2, world.Accepted);
        });
    }

    [TestMethod]
    public void A_newer_connection_takes_the_place_of_one_that_seems_alive() => Run(async world =>
    {
        var first = await world.BeginAsync(Id);
        var second = await world.ConnectAsync();
        await second.SayHelloAsync(new HelloFrame { AssociationId = Id, Resumption = 1 });
        await world.DelayAsync(100);
        Assert.AreEqual(PostErrorCode.Superseded, first.CloseCode);
        Assert.AreEqual(1, second.Hello!.Resumption);
        Assert.HasCount(1, world.Accepted);
        Assert.IsFalse(world.Accepted[0].IsInterrupted);
    });

    [TestMethod]
    [DataRow(1)]
    [DataRow(2)]
    public void A_resumption_that_was_overtaken_or_comes_twice_is_not_honoured(long late) => Run(async world =>
    {
        await world.BeginAsync(Id);
        var second = await world.ConnectAsync();
        await second.SayHelloAsync(new HelloFrame { AssociationId = Id, Resumption = 2 });
        await world.DelayAsync(100);
        var other = await world.ConnectAsync();
        await other.SayHelloAsync(new HelloFrame { AssociationId = Id, Resumption = late });
        await world.DelayAsync(100);
        Assert.AreEqual(PostErrorCode.Superseded, other.CloseCode);
        Assert.IsNull(second.Closed, "the newer one stays");
    });

    [TestMethod]
    public void A_hello_that_resumes_in_early_data_waits_for_the_handshake()
    {
        var early = new AssociationOptions { AllowEarlyData = true };
        Run(
            async world =>
            {
                var local = Local.Anonymous with { Sessions = new MemorySessionCache(world.Network.Clock) };
                var first = await world.BeginAsync(Id, local: local);
                world.Accepted[0].Register<Received>(_ => { });
                var replay = await world.ConnectAsync(local: local, early: true);
                Assert.IsFalse(replay.Connection.IsHandshakeCompleted, "this is early data");
                await replay.SayHelloAsync(new HelloFrame { AssociationId = Id, Resumption = 1 });

                // It arrives after 50 ms; the server's handshake is complete after 150. What it did in between would show after 100.
                await world.DelayAsync(130);
                Assert.IsNull(first.Closed, "nobody has proved to be there");
                Assert.IsNull(replay.Hello);
                await world.DelayAsync(200);
                Assert.AreEqual(PostErrorCode.Superseded, first.CloseCode);
                Assert.AreEqual(1, replay.Hello!.Resumption);
            },
            new ListenerOptions { Association = early },
            delay: 50);
    }

    [TestMethod]
    public void Ten_thousand_interrupted_associations_are_bounded_and_displace_themselves() => Run(
        async world =>
        {
            // One honest client loses its connection first; then somebody floods from one address.
            var honest = await world.BeginAsync(Id);
            honest.Connection.Lose(world);
            await world.DelayAsync(20);
            Assert.AreEqual(1, world.Listener.InterruptedCount);
            var flooder = Local.At(new IPEndPoint(IPAddress.Parse("10.9.9.9"), 0));
            for (var i = 1; i <= 10_000; i++)
            {
                var end = await world.ConnectAsync(local: flooder);
                await end.SayHelloAsync(new HelloFrame { AssociationId = new UInt128(7, (ulong)i) });
                await world.DelayAsync(5);
                end.Connection.Lose(world);
                Assert.IsLessThanOrEqualTo(100, world.Listener.InterruptedCount);
            }

            await world.DelayAsync(100);
            Assert.AreEqual(100, world.Listener.InterruptedCount);
            Assert.AreEqual(100, world.Listener.AssociationCount, "the others are over");
            var again = await world.ConnectAsync();
            await again.SayHelloAsync(new HelloFrame { AssociationId = Id, Resumption = 1 });
            await world.DelayAsync(100);
            Assert.IsNull(again.Closed, "who lost one association is not displaced by who lost ten thousand");
            Assert.AreEqual(99, world.Listener.InterruptedCount);
            await world.DelayAsync(700_000);
            Assert.AreEqual(0, world.Listener.InterruptedCount, "nor does anybody wait for ever");
        },
        new ListenerOptions { MaxInterrupted = 100, Association = new() { ResumptionTimeout = TimeSpan.FromMinutes(10), KeepAliveInterval = null } });

    [TestMethod]
    public void With_none_kept_a_lost_connection_ends_its_association() => Run(
        async world =>
        {
            var first = await world.BeginAsync(Id);
            first.Connection.Lose(world);
            await world.DelayAsync(20);
            Assert.AreEqual(0, world.Listener.AssociationCount);
        },
        new ListenerOptions { MaxInterrupted = 0 });

    [TestMethod]
    public void Ids_that_cannot_be_in_a_resuming_hello_close_it_and_harm_nobody() => Run(async world =>
    {
        var first = await world.BeginAsync(Id);
        first.Connection.Lose(world);
        var end = await world.ConnectAsync();
        await end.SayHelloAsync(new HelloFrame { AssociationId = Id, Resumption = 1, LowestId = 1L << 40 });
        await world.DelayAsync(100);
        Assert.AreEqual(PostErrorCode.IdError, end.CloseCode);
        Assert.IsTrue(world.Accepted[0].IsInterrupted);
    });

    [TestMethod]
    public void A_resumed_object_of_another_length_breaks_the_rules() => Run(
        async world =>
        {
            var first = await world.BeginAsync(Id);
            await first.SendAsync([0x01, 0x00, 0x08, 0x00, 0x05, 0x61], end: false);
            using var received = await world.Accepted[0].ReceiveAsync();
            first.Connection.Lose(world);
            var second = await world.ConnectAsync();
            await second.SayHelloAsync(new HelloFrame { AssociationId = Id, Resumption = 1 });
            await world.DelayAsync(50);
            await second.SendAsync([0x01, 0x00, 0x08, 0x00, 0x06, 0x61], end: false);
            await world.DelayAsync(50);
            Assert.AreEqual(PostErrorCode.LengthMismatch, second.CloseCode);
        },
        new ListenerOptions { Association = new() { Incremental = IncrementalDelivery.Always } });

    [TestMethod]
    public void Connections_that_never_say_hello_are_bounded_in_number_and_time() => Run(async world =>
    {
        var ends = new List<RawEnd>();
        for (var i = 0; i < 1100; i++)
        {
            ends.Add(await world.ConnectAsync());
        }

        await world.DelayAsync(50);
        Assert.HasCount(1100 - 1024, ends.Where(end => end.CloseCode == PostErrorCode.GoingAway).ToArray());
        await world.DelayAsync(11_000);
        Assert.HasCount(1024, ends.Where(end => end.CloseCode == PostErrorCode.MissingHello).ToArray());
    });

    private static void Run(Func<RawClients, Task> body, ListenerOptions? options = null, double delay = 1)
    {
        var network = new InMemoryNetwork(1, PostWorld.Link(delay: delay));
        var guard = new SeamGuard();
        network.Run(
            async () =>
            {
                var transport = new GuardedTransport(network.CreateTransport(), guard);
                var listener = await Listener.ListenAsync(transport, Local.At(new DnsEndPoint("server", 1)), options);
                var world = new RawClients(network, transport, listener, options ?? new());
                listener.Register<Accept>(accept => world.Accepted.Add(accept.Association));
                await body(world);
            },
            TimeSpan.FromHours(10));
        guard.AssertKept();
    }
}
