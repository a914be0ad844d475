using System.Net;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Associations;

[TestClass]
public sealed class ClosingTests
{
    [TestMethod]
    public void Close_waits_until_every_accepted_object_has_its_end() => new PostWorld(2, PostWorld.Link(2_000_000, 20, loss: 0.05)).Run(async world =>
    {
        var got = 0;
        PostException? closed = new(PostErrorReason.Transport, "not raised");
        world.Server.Register<Received>(_ => got++);
        world.Server.Register<Closed>(c => closed = c.Error);
        var sent = Enumerable.Range(0, 50).Select(_ => world.Client.Send(new byte[5000])).ToArray();
        await world.Client.CloseAsync();
        Assert.AreEqual(50, got);
        Assert.IsTrue(sent.All(item => item.Receipt!.IsAcked));
        Assert.IsNull(world.Client.Error);
        await world.Server.Completion;
        await world.DelayAsync(1);
        Assert.IsNull(closed);
        var error = Assert.ThrowsExactly<PostException>(() => world.Client.Send("x"u8));
        Assert.AreEqual(PostErrorReason.AssociationEnded, error.Reason);
    });

    [TestMethod]
    public void Close_right_after_delivery_still_brings_the_receipt_home() => new PostWorld(link: PostWorld.Link(delay: 50)).Run(async world =>
    {
        var sent = world.Client.Send("x"u8);
        (await world.Server.ReceiveAsync()).Dispose();
        await world.Server.CloseAsync();
        Assert.AreEqual(ObjectOutcome.Acked, (await sent.Completion).Outcome);
    });

    [TestMethod]
    public void Both_sides_may_close_at_once() => new PostWorld(link: PostWorld.Link(delay: 50)).Run(async world =>
    {
        await Task.WhenAll(world.Client.CloseAsync(), world.Server.CloseAsync());
        Assert.IsNull(world.Client.Error);
        Assert.IsNull(world.Server.Error);
    });

    [TestMethod]
    public void A_close_that_cannot_drain_gives_up_after_its_timeout() => new PostWorld(link: PostWorld.Link(delay: 5))
    {
        ClientOptions = new() { DrainTimeout = TimeSpan.FromSeconds(3) },
    }.Run(async world =>
    {
        // Nobody takes it at the other side.
        var sent = world.Client.Send("x"u8);
        var start = world.Network.Clock.Elapsed;
        await world.Client.CloseAsync();
        Assert.AreEqual(3, (world.Network.Clock.Elapsed - start).TotalSeconds, 0.5);
        Assert.AreEqual(ObjectOutcome.Failed, (await sent.Completion).Outcome);
    });

    [TestMethod]
    public void Abort_fails_what_is_pending_on_both_sides() => new PostWorld(link: PostWorld.Link(1_000_000, 10)).Run(async world =>
    {
        var ours = world.Client.Send(new byte[1_000_000]);
        var theirs = world.Server.Send(new byte[1_000_000]);
        await world.DelayAsync(100);
        world.Client.Abort();
        Assert.AreEqual(PostErrorReason.Aborted, (await ours.Completion).Error!.Reason);
        Assert.AreEqual(PostErrorReason.Aborted, (await theirs.Completion).Error!.Reason);
        await world.Server.Completion;
        Assert.AreEqual(PostErrorReason.Aborted, world.Server.Error!.Reason);
        await Assert.ThrowsExactlyAsync<PostException>(() => world.Server.ReceiveAsync().AsTask());
    });

    [TestMethod]
    public void Without_resumption_a_connection_that_breaks_fails_objects_reads_and_the_association() => new PostWorld(link: PostWorld.Link(1_000_000, 10))
    {
        ClientOptions = new() { ResumptionTimeout = TimeSpan.Zero },
    }.Run(async world =>
    {
        var sent = world.Client.Send(new byte[1_000_000]);
        var stream = await world.Client.OpenStreamAsync();
        var reading = stream.ReadAsync(new byte[10]).AsTask();
        var receiving = world.Client.ReceiveAsync().AsTask();
        await world.DelayAsync(50);
        world.Wire.Break();
        Assert.AreEqual(ObjectOutcome.Failed, (await sent.Completion).Outcome);
        Assert.AreEqual(PostErrorReason.Transport, (await Assert.ThrowsExactlyAsync<PostException>(() => reading)).Reason);
        Assert.AreEqual(PostErrorReason.Transport, (await Assert.ThrowsExactlyAsync<PostException>(() => receiving)).Reason);
        await world.Client.Completion;
        Assert.AreEqual(TransportErrorReason.ConnectionReset, ((TransportException)world.Client.Error!.InnerException!).Reason);
    });

    [TestMethod]
    public void What_was_whole_before_the_close_can_still_be_taken() => new PostWorld(link: PostWorld.Link(delay: 5)).Run(async world =>
    {
        world.Client.Send("x"u8);
        await world.DelayAsync(50);
        world.Client.Abort();
        await world.Server.Completion;
        using var received = await world.Server.ReceiveAsync();
        Assert.AreEqual(1, received.Payload.Length);
        await Assert.ThrowsExactlyAsync<PostException>(() => world.Server.ReceiveAsync().AsTask());
    });

    [TestMethod]
    public void A_listener_can_refuse_and_the_initiator_is_told() => new PostWorld(link: PostWorld.Link(delay: 5)).Run(async world =>
    {
        var transport = world.CreateTransport();
        await using var listener = await Listener.ListenAsync(transport, Local.At(new DnsEndPoint("door", 1)));
        listener.Register<Accept>(accept => accept.Refuse());
        try
        {
            var association = await Association.AssociateAsync(transport, Local.Anonymous, Remote.Named("door", 1));
            await association.Completion;
            Assert.AreEqual(PostErrorReason.AssociationRefused, association.Error!.Reason);
        }
        catch (PostException exception)
        {
            Assert.AreEqual(PostErrorReason.AssociationRefused, exception.Reason);
        }
    });

    [TestMethod]
    public void A_handler_of_accept_registers_before_anything_is_delivered() => new PostWorld(link: PostWorld.Link(delay: 5)).Run(async world =>
    {
        var transport = world.CreateTransport();
        await using var listener = await Listener.ListenAsync(transport, Local.At(new DnsEndPoint("door", 1)));
        var got = 0;
        listener.Register<Accept>(accept => accept.Association.Register<Received>(_ => got++));
        await using var association = await Association.AssociateAsync(transport, Local.Anonymous, Remote.Named("door", 1));
        await association.Send("x"u8).Completion;
        Assert.AreEqual(1, got);
        Assert.AreEqual(1, listener.AssociationCount);
    });

    [TestMethod]
    public void Nobody_there_is_a_clear_error() => new PostWorld(link: PostWorld.Link(delay: 5)).Run(async world =>
    {
        var error = await Assert.ThrowsExactlyAsync<PostException>(
            () => Association.AssociateAsync(world.CreateTransport(), Local.Anonymous, Remote.Named("nobody", 1)).AsTask());
        Assert.AreEqual(PostErrorReason.Transport, error.Reason);
    });

    [TestMethod]
    public void Events_end_with_the_association() => new PostWorld(link: PostWorld.Link(delay: 5)).Run(async world =>
    {
        world.Server.Register<Received>(_ => { });
        var acked = 0;
        var reading = ReadAsync();
        await world.Client.Send("x"u8).Completion;
        await world.Client.CloseAsync();
        await reading;
        Assert.AreEqual(1, acked);

        async Task ReadAsync()
        {
            await foreach (var _ in world.Client.EventsAsync<Acked>())
            {
                acked++;
            }
        }
    });
}
