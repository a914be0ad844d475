using Post.Sockets.Associations.Connections;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Objects;

/// <summary>What becomes of an object whose datagram the transport calls overdue (the in-memory one never does).</summary>
[TestClass]
public sealed class OverdueDatagramTests
{
    private static readonly ObjectProperties Perishable = new() { Lifetime = TimeSpan.FromMilliseconds(500) };

    [TestMethod]
    public void It_is_sent_again_once_and_not_again_when_the_loss_is_certain() => Run(async world =>
    {
        var before = Sent(world);
        var item = world.Client.Send("now"u8, Perishable);
        await world.DelayAsync(10);
        Assert.AreEqual(before + 1, Sent(world));
        Assert.IsFalse(world.LastDatagram.IsRepair);
        Tell(world, item, TransportDatagramState.Overdue);
        await world.DelayAsync(10);
        Assert.AreEqual(before + 2, Sent(world));
        Assert.IsTrue(world.LastDatagram.IsRepair);
        Tell(world, item, TransportDatagramState.Overdue);
        Tell(world, item, TransportDatagramState.Lost);
        await world.DelayAsync(10);
        Assert.AreEqual(before + 2, Sent(world));

        // The second one is lost as well.
        Tell(world, item, TransportDatagramState.Lost);
        await world.DelayAsync(10);
        Assert.AreEqual(before + 3, Sent(world));
        (await item.Completion).EnsureAcked();
    });

    [TestMethod]
    public void It_is_not_sent_again_once_one_has_arrived() => Run(async world =>
    {
        var before = Sent(world);
        var item = world.Client.Send("now"u8, Perishable);
        await world.DelayAsync(10);
        Tell(world, item, TransportDatagramState.Acknowledged);
        Tell(world, item, TransportDatagramState.Overdue);
        Tell(world, item, TransportDatagramState.Lost);
        await world.DelayAsync(10);
        Assert.AreEqual(before + 1, Sent(world));
        (await item.Completion).EnsureAcked();
    });

    [TestMethod]
    public void What_is_to_be_sent_once_only_waits_for_certainty() => Run(async world =>
    {
        var before = Sent(world);
        var item = world.Client.Send("now"u8, Perishable with { Retransmit = false });
        await world.DelayAsync(10);
        Tell(world, item, TransportDatagramState.Overdue);
        await world.DelayAsync(10);
        Assert.AreEqual(before + 1, Sent(world));
        (await item.Completion).EnsureAcked();
    });

    private static void Run(Func<PostWorld, Task> body) => new PostWorld(link: PostWorld.Link(0, 50)).Run(async world =>
    {
        world.Server.Register<Received>(_ => { });
        (await world.Client.Send("warm"u8).Completion).EnsureAcked();
        await world.DelayAsync(200);
        await body(world);
    });

    // Nothing else leaves within the round trip in which a test looks.
    private static long Sent(PostWorld world) => world.Client.Statistics.PacketsSent!.Value;

    private static void Tell(PostWorld world, SentObject item, TransportDatagramState state)
    {
        var connection = world.Client.Core.Connection.Value!;
        new ConnectionEvents(connection).OnDatagramState(item.Id, state);
    }
}
