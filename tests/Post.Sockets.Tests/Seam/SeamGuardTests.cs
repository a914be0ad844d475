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
    public void A_call_under_an_associations_lock_is_seen() => RunWith((carrier, guard) =>
    {
        lock (carrier.Core!.Gate)
        {
            _ = carrier.Connection.GetStatistics();
        }

        StringAssert.StartsWith(guard.Violations.Single(), "Connection.GetStatistics");
    });

    [TestMethod]
    public void A_call_under_a_carriers_lock_is_seen() => RunWith((carrier, guard) =>
    {
        lock (carrier.Gate)
        {
            _ = carrier.Connection.Capabilities;
        }

        StringAssert.StartsWith(guard.Violations.Single(), "Connection.Capabilities");
    });

    [TestMethod]
    public void A_call_on_a_stream_under_the_lock_is_seen() => RunWith((carrier, guard) =>
    {
        lock (carrier.Core!.Gate)
        {
            carrier.Control.Stream!.SetPriority(TransportPriority.Control);
        }

        StringAssert.StartsWith(guard.Violations.Single(), "Stream.SetPriority");
    });

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

    private static void RunWith(Action<Carrier, SeamGuard> body)
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
            body(association.Core.Carrier!, guard);
        });
    }
}
