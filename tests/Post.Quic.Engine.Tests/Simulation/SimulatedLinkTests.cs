using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Congestion;

namespace Post.Quic.Engine.Tests.Simulation;

/// <summary>Links of the simulated network keep to themselves.</summary>
[TestClass]
public sealed class SimulatedLinkTests
{
    private static readonly NetworkAddress First = NetworkAddress.FromIPv4(0x0a000001, 50000);
    private static readonly NetworkAddress Second = NetworkAddress.FromIPv4(0x0a000101, 50001);
    private static readonly NetworkAddress Server = NetworkAddress.FromIPv4(0x0a0000fe, 443);

    [TestMethod]
    public void Each_link_has_its_own_rate_and_delay()
    {
        var network = new SimulatedNetwork(1);
        network.AddLink(First, new LinkConditions { Delay = 5_000, Bandwidth = 1_000_000 });
        network.AddLink(Second, new LinkConditions { Delay = 50_000, Bandwidth = 100_000 });
        for (int i = 0; i < 10; i++)
        {
            network.SendFromClient(First, Server, EcnCodepoint.NotEct, new byte[1000], 0);
            network.SendFromClient(Second, Server, EcnCodepoint.NotEct, new byte[1000], 0);
        }

        CollectionAssert.AreEqual(Enumerable.Range(1, 10).Select(i => 5_000L + (i * 1_000)).ToArray(), Arrivals(network, First));
        for (int i = 0; i < 3; i++)
        {
            network.SendFromServer(Server, Second, EcnCodepoint.NotEct, new byte[1000], 1_000_000);
        }

        CollectionAssert.AreEqual(new long[] { 1_060_000, 1_070_000, 1_080_000 }, Arrivals(network, Server));
    }

    [TestMethod]
    public void A_dead_link_swallows_what_is_under_way_and_a_revived_one_carries_again()
    {
        var network = new SimulatedNetwork(1);
        SimulatedLink link = network.AddLink(Second, new LinkConditions { Delay = 5_000 });
        network.SendFromClient(Second, Server, EcnCodepoint.NotEct, new byte[10], 0);
        link.IsDead = true;
        network.SendFromClient(Second, Server, EcnCodepoint.NotEct, new byte[10], 1_000);
        network.SendFromClient(First, Server, EcnCodepoint.NotEct, new byte[10], 1_000);
        Assert.HasCount(0, Arrivals(network, Second, 20_000));
        Assert.AreEqual(2, network.Dropped);
        Assert.AreEqual(1, network.Delivered);
        link.IsDead = false;
        network.SendFromClient(Second, Server, EcnCodepoint.NotEct, new byte[10], 30_000);
        Assert.HasCount(1, Arrivals(network, Second));
        Assert.AreEqual(10, link.BytesUp);
    }

    [TestMethod]
    public void A_nat_before_one_link_leaves_the_others_as_they_are()
    {
        var network = new SimulatedNetwork(1);
        NetworkAddress before = network.Translate(Second);
        network.Rebind(First, 0x0a00ffff);
        Assert.AreEqual(before, network.Translate(Second));
        Assert.AreNotEqual(First, network.Translate(First));
        network.SendFromServer(Server, network.Translate(First), EcnCodepoint.NotEct, new byte[10], 0);
        Assert.IsTrue(network.TryDeliver(100_000, out SimulatedDatagram datagram));
        Assert.AreEqual(First, datagram.To);
        network.SendFromServer(Server, First, EcnCodepoint.NotEct, new byte[10], 0);
        Assert.IsFalse(network.TryDeliver(200_000, out _), "the old address leads nowhere");
    }

    private static long[] Arrivals(SimulatedNetwork network, NetworkAddress from, long until = long.MaxValue)
    {
        var arrivals = new List<long>();
        for (long next = network.NextDelivery; next != long.MaxValue && next <= until; next = network.NextDelivery)
        {
            if (network.TryDeliver(next, out SimulatedDatagram datagram) && datagram.From == from)
            {
                arrivals.Add(next);
            }
        }

        return [.. arrivals];
    }
}
