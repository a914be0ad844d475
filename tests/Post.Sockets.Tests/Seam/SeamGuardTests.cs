using System.Net;
using System.Reflection;
using Post.Sockets.Associations.Connections;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Seam;

/// <summary>The rule itself is tried by every world of this project (<see cref="PostWorld"/>); here, that the guard would see it broken.</summary>
[TestClass]
public sealed class SeamGuardTests
{
    [TestMethod]
    public void A_call_under_an_associations_lock_is_seen() => RunWith((connection, guard) =>
    {
        lock (connection.State.Owner.Gate)
        {
            _ = connection.Transport.GetStatistics();
        }

        StringAssert.StartsWith(guard.Violations.Single(), "Connection.GetStatistics");
    });

    [TestMethod]
    public void A_call_on_a_stream_under_the_lock_of_the_room_is_seen() => RunWith((connection, guard) =>
    {
        lock (connection.State.Outbox.Room.Gate)
        {
            connection.Control.Stream!.SetPriority(TransportPriority.Control);
        }

        StringAssert.StartsWith(guard.Violations.Single(), "Stream.SetPriority");
    });

    [TestMethod]
    public void An_event_under_the_transports_lock_is_seen()
    {
        var guard = new SeamGuard { IsTransportLocked = static () => true };

        new GuardedEvents(new Nesting(static () => { }), guard).OnEventsDrained();

        StringAssert.StartsWith(guard.Violations.Single(), "OnEventsDrained under the lock of the transport");
    }

    [TestMethod]
    public void An_event_inside_another_is_seen()
    {
        var guard = new SeamGuard();
        TransportEvents? events = null;
        events = new GuardedEvents(new Nesting(() => events!.OnHandshakeCompleted()), guard);

        events.OnEventsDrained();

        StringAssert.StartsWith(guard.Violations.Single(), "OnHandshakeCompleted while another event is under way");
    }

    [TestMethod]
    public void Ordinary_use_is_looked_at_and_keeps_the_rule() => RunWith((_, guard) =>
    {
        Assert.IsGreaterThan(10, guard.Calls);
        guard.AssertKept();
    });

    [TestMethod]
    [DataRow(typeof(GuardedTransport))]
    [DataRow(typeof(GuardedListener))]
    [DataRow(typeof(GuardedConnection))]
    [DataRow(typeof(GuardedStream))]
    [DataRow(typeof(GuardedEvents))]
    public void Nothing_of_the_seam_goes_around_the_guard(Type guarded)
    {
        var inherited = guarded.GetMethods(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance)
            .Where(method => method.IsVirtual && method.DeclaringType == guarded.BaseType)
            .Select(method => method.Name);

        Assert.IsEmpty(inherited, "the guard must override every member of the seam");
    }

    private static void RunWith(Action<PostConnection, SeamGuard> body)
    {
        var world = new PostWorld(link: PostWorld.Link(delay: 5));
        var guard = new SeamGuard();
        world.Run(async _ =>
        {
            var transport = new GuardedTransport(world.Network.CreateTransport(), guard);
            await using var listener = await Listener.ListenAsync(transport, Local.At(new DnsEndPoint("guarded", 1)));
            listener.Register<Accept>(accept => accept.Association.Register<Received>(static _ => { }));
            await using var association = await Association.AssociateAsync(transport, Local.Anonymous, Remote.Named("guarded", 1));
            await association.Send("x"u8).Completion;
            body(association.Core.Connection.Value!, guard);
        });
    }

    private sealed class Nesting(Action inside) : TransportEvents
    {
        public override void OnEventsDrained() => inside();
    }
}
