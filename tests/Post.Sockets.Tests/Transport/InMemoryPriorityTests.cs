using Post.Sockets.Testing;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Transport;

/// <summary>Who is served first on a link that is too small for all.</summary>
[TestClass]
public sealed class InMemoryPriorityTests
{
    private static readonly InMemoryLinkOptions Slow = new() { BitsPerSecond = 1_000_000, Delay = TimeSpan.FromMilliseconds(20) };

    [TestMethod]
    public void Streams_are_served_by_class_then_deadline_then_order()
    {
        var world = new TransportWorld(link: Slow);
        world.Run(async () =>
        {
            // The link takes some of the first at once; the others stand in line.
            TransportStream first = world.Post(new byte[5000], niceness: 9);
            TransportStream late = world.Post(new byte[5000], niceness: 1, deadline: 900);
            TransportStream second = world.Post(new byte[5000], niceness: 1, order: 2);
            TransportStream early = world.Post(new byte[5000], niceness: 1, deadline: 800);
            TransportStream before = world.Post(new byte[5000], niceness: 1, order: 1);
            TransportStream urgent = world.Post(new byte[5000], niceness: 0);
            TransportStream control = world.Client.TryOpenStream(TransportStreamKind.Unidirectional, TransportPriority.Control)!;
            _ = control.WriteAsync(new byte[5000], true, CancellationToken.None).AsTask();
            await world.DelayAsync(2000);
            TransportStream[] expected = [control, urgent, early, late, before, second, first];
            CollectionAssert.AreEqual(expected, world.ClientEvents.Acknowledged);
        });
    }

    [TestMethod]
    public void A_large_stream_holds_up_an_urgent_one_by_no_more_than_two_packets()
    {
        var world = new TransportWorld(link: Slow);
        world.Run(async () =>
        {
            world.Post(new byte[10_000_000], niceness: 5);
            TransportStream bulk = await world.Server.AcceptStreamAsync(CancellationToken.None);
            Task reading = TransportWorld.ReadAllAsync(bulk);
            await world.DelayAsync(1000);
            TimeSpan start = world.Network.Clock.Elapsed;
            world.Post(new byte[1000]);
            await world.AcceptAllAsync();
            double milliseconds = (world.Network.Clock.Elapsed - start).TotalMilliseconds;

            // 20 ms under way, and at 1.2 KB = 9.6 ms a packet: two in front of it, itself in a third.
            Assert.IsLessThan(20 + (3 * 9.6) + 1, milliseconds);
            Assert.IsFalse(reading.IsCompleted);
        });
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void Equals_that_share_progress_together_and_others_one_after_the_other(bool share)
    {
        var world = new TransportWorld(link: Slow);
        world.Run(async () =>
        {
            world.Post(new byte[100_000], incremental: share, order: 1);
            world.Post(new byte[100_000], incremental: share, order: 2);
            TransportStream one = await world.Server.AcceptStreamAsync(CancellationToken.None);
            Task<TimeSpan> first = FinishAsync(one);
            Task<TimeSpan> second = FinishAsync(await world.Server.AcceptStreamAsync(CancellationToken.None));
            TimeSpan apart = (await first) - (await second);

            async Task<TimeSpan> FinishAsync(TransportStream stream)
            {
                await TransportWorld.ReadAllAsync(stream);
                return world.Network.Clock.Elapsed;
            }

            Assert.AreEqual(share, apart.Duration() < TimeSpan.FromMilliseconds(40), $"{apart}");
        });
    }

    [TestMethod]
    public void Without_priorities_all_take_turns()
    {
        var world = new TransportWorld(link: Slow, capabilities: InMemoryNetwork.DefaultCapabilities & ~TransportCapabilities.Priorities);
        world.Run(async () =>
        {
            TransportStream bulk = world.Post(new byte[50_000], niceness: 9);
            TransportStream urgent = world.Post(new byte[50_000], niceness: 0);
            await world.DelayAsync(5000);
            TransportStream[] inOrderOfOpening = [bulk, urgent];
            CollectionAssert.AreEqual(inOrderOfOpening, world.ClientEvents.Acknowledged);
        });
    }

    [TestMethod]
    public void A_changed_priority_holds_for_what_is_still_to_be_sent()
    {
        var world = new TransportWorld(link: Slow);
        world.Run(async () =>
        {
            TransportStream one = world.Post(new byte[50_000], niceness: 3);
            TransportStream other = world.Post(new byte[50_000], niceness: 4);
            await world.DelayAsync(100);
            other.SetPriority(new TransportPriority(0, TransportPriority.NoDeadline, false, 0));
            await world.DelayAsync(2000);
            TransportStream[] expected = [other, one];
            CollectionAssert.AreEqual(expected, world.ClientEvents.Acknowledged);
        });
    }

    [TestMethod]
    public void Datagrams_and_streams_stand_in_one_line()
    {
        var world = new TransportWorld(link: Slow);
        world.Run(async () =>
        {
            world.Post(new byte[20_000], niceness: 2);
            var nice = new TransportPriority(3, TransportPriority.NoDeadline, false, 0);
            var urgent = new TransportPriority(1, TransportPriority.NoDeadline, false, 0);
            world.Client.TrySendDatagram(new byte[500], nice, 3);
            world.Client.TrySendDatagram(new byte[500], urgent, 1);
            await world.DelayAsync(50);
            Assert.AreEqual((1L, TransportDatagramState.Sent), world.ClientEvents.DatagramStates[0]);
            Assert.IsFalse(world.ClientEvents.DatagramStates.Exists(one => one.Token == 3));
            await world.DelayAsync(1000);
            string order = world.ClientEvents.Text;
            Assert.IsGreaterThan(order.IndexOf("datagram 1 Acknowledged", StringComparison.Ordinal), order.IndexOf("acknowledged 2", StringComparison.Ordinal));
            Assert.IsGreaterThan(order.IndexOf("acknowledged 2", StringComparison.Ordinal), order.IndexOf("datagram 3 Acknowledged", StringComparison.Ordinal));
        });
    }
}
