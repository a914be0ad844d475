using Post.Quic.Engine.Recovery;

namespace Post.Quic.Engine.Tests.Recovery;

/// <summary>Finding the datagram size (RFC 8899, RFC 9000 section 14.3).</summary>
[TestClass]
public sealed class MtuDiscoveryTests
{
    private const long Second = 1_000_000;

    [TestMethod]
    [DataRow(65_507, DisplayName = "loopback, IPv4")]
    [DataRow(65_488, DisplayName = "loopback, IPv6")]
    [DataRow(8_972, DisplayName = "jumbo frames")]
    [DataRow(1_472, DisplayName = "Ethernet")]
    public void A_limit_that_is_true_is_found_with_one_probe(int limit)
    {
        var mtu = new MtuDiscovery(limit);
        Assert.AreEqual(1, Search(mtu, limit, 0));
        Assert.AreEqual(limit, mtu.Current);
        Assert.AreEqual(0, mtu.NextProbe(1000 * Second), "There is nothing more to find.");
    }

    [TestMethod]
    [DataRow(1_472, DisplayName = "Ethernet behind a jumbo interface")]
    [DataRow(1_452, DisplayName = "IPv6")]
    [DataRow(1_232, DisplayName = "IPv6's minimum")]
    public void A_usual_size_is_found_with_few_probes(int truth)
    {
        var mtu = new MtuDiscovery(8_972);
        int probes = Search(mtu, truth, 0);
        Assert.AreEqual(truth, mtu.Current);
        Assert.IsLessThanOrEqualTo(13, probes);
    }

    [TestMethod]
    public void Every_size_is_found_up_to_the_resolution_and_none_is_used_that_does_not_work()
    {
        for (int truth = 1200; truth <= 65_527; truth += 97)
        {
            var mtu = new MtuDiscovery(65_527);
            int probes = Search(mtu, truth, 0);
            Assert.IsLessThanOrEqualTo(truth, mtu.Current);

            // Right above a usual size nothing is searched for: less than the resolution is to be won.
            Assert.IsGreaterThan(truth - 17, mtu.Current, $"{truth}");
            Assert.IsLessThanOrEqualTo(60, probes, $"{truth}");
        }
    }

    [TestMethod]
    public void A_size_is_given_up_after_three_probes()
    {
        // RFC 8899 section 5.1.2.
        var mtu = new MtuDiscovery(9_000);
        Lose(mtu, 9_000);
        for (int i = 0; i < 3; i++)
        {
            Lose(mtu, 1_232);
        }

        Assert.AreEqual(1_216, mtu.NextProbe(0), "One probe just above what works.");
        mtu.OnProbeSent();
        Assert.AreEqual(0, mtu.NextProbe(0), "One probe at a time.");
    }

    [TestMethod]
    public void Two_unlucky_losses_cost_no_size()
    {
        var mtu = new MtuDiscovery(1_300);
        Lose(mtu, 1_300);
        Lose(mtu, 1_232);
        Lose(mtu, 1_232);
        mtu.OnProbeSent();
        mtu.OnProbeAcked(1_232, 0);
        Assert.AreEqual(1_232, mtu.Current);
        Assert.AreEqual(1_280, mtu.NextProbe(0));
    }

    [TestMethod]
    public void The_search_begins_again_after_ten_minutes()
    {
        // RFC 8899 section 5.1.1: PMTU_RAISE_TIMER.
        var mtu = new MtuDiscovery(8_972);
        Search(mtu, 1_472, 0);
        Assert.AreEqual(600 * Second, mtu.NextTimeout);
        Assert.AreEqual(0, mtu.NextProbe((600 * Second) - 1));
        Assert.AreEqual(8_972, mtu.NextProbe(600 * Second));
    }

    [TestMethod]
    public void Large_datagrams_that_vanish_at_three_times_while_small_ones_arrive_are_a_black_hole()
    {
        // RFC 8899 section 4.3.
        var mtu = new MtuDiscovery(1_472);
        Search(mtu, 1_472, 0);
        long now = Second;
        mtu.OnPacketAcked(1_472, now);
        for (int i = 0; i < 3; i++)
        {
            Assert.IsFalse(mtu.DetectBlackHole(now));
            long sent = now + 10;
            now += 1000;
            mtu.OnPacketAcked(60, sent + 100);
            mtu.OnPacketLost(1_472, sent, now);
            mtu.OnPacketLost(1_472, sent + 1, now);
        }

        Assert.IsTrue(mtu.DetectBlackHole(now));
        Assert.AreEqual(MtuDiscovery.BaseSize, mtu.Current);
        Assert.AreEqual(1, mtu.BlackHoles);
        Assert.AreEqual(0, mtu.NextProbe(now));
        Assert.AreEqual(now + (10 * Second), mtu.NextTimeout);
        Assert.AreEqual(1_472, mtu.NextProbe(mtu.NextTimeout));
    }

    /// <summary>A VPN comes up, say: its interface refuses what the one before took, and nothing would go out any more.</summary>
    [TestMethod]
    public void An_interface_that_refuses_the_present_size_brings_it_down_at_once()
    {
        var mtu = new MtuDiscovery(1_472);
        Search(mtu, 1_472, 0);
        mtu.OnRefused(1_200, Second);
        Assert.AreEqual(1_472, mtu.Current, "What is not large is refused for another reason.");
        mtu.OnRefused(1_472, Second);
        Assert.AreEqual(MtuDiscovery.BaseSize, mtu.Current);
        Assert.AreEqual(1_472, mtu.NextProbe(mtu.NextTimeout));
    }

    [TestMethod]
    public void Congestion_that_lets_newer_large_datagrams_through_is_no_black_hole()
    {
        var mtu = new MtuDiscovery(1_472);
        Search(mtu, 1_472, 0);
        long now = Second;
        for (int i = 0; i < 100; i++)
        {
            now += 1000;
            mtu.OnPacketAcked(1_472, now + 20);
            mtu.OnPacketAcked(60, now + 30);
            mtu.OnPacketLost(1_472, now, now + 50);
            Assert.IsFalse(mtu.DetectBlackHole(now + 50));
        }
    }

    [TestMethod]
    public void Losses_of_small_datagrams_say_nothing()
    {
        var mtu = new MtuDiscovery(1_472);
        Search(mtu, 1_472, 0);
        for (long now = 1000; now < 100_000; now += 1000)
        {
            mtu.OnPacketAcked(60, now + 1);
            mtu.OnPacketLost(1_200, now, now);
            Assert.IsFalse(mtu.DetectBlackHole(now));
        }
    }

    [TestMethod]
    public void A_lowered_limit_holds_at_once_and_a_disabled_search_keeps_the_base()
    {
        var mtu = new MtuDiscovery(8_972);
        Search(mtu, 8_972, 0);
        mtu.SetLimit(1_400);
        Assert.AreEqual(1_400, mtu.Current);
        Assert.AreEqual(0, mtu.NextProbe(0));
        mtu.SetLimit(1_000);
        Assert.AreEqual(MtuDiscovery.BaseSize, mtu.Current);

        var disabled = new MtuDiscovery(8_972, enabled: false);
        Assert.AreEqual(0, disabled.NextProbe(0));
        disabled.SetLimit(1_472);
        Assert.AreEqual(0, disabled.NextProbe(1000 * Second));
        Assert.AreEqual(MtuDiscovery.BaseSize, disabled.Current);
    }

    private static void Lose(MtuDiscovery mtu, int expected)
    {
        Assert.AreEqual(expected, mtu.NextProbe(0));
        mtu.OnProbeSent();
        mtu.OnProbeLost(expected, 0);
    }

    /// <summary>Probes until the search rests; returns the number of probes.</summary>
    private static int Search(MtuDiscovery mtu, int truth, long now)
    {
        int probes = 0;
        while (mtu.NextProbe(now) is int size and not 0)
        {
            probes++;
            Assert.IsLessThan(200, probes, "The search does not end.");
            mtu.OnProbeSent();
            if (size <= truth)
            {
                mtu.OnProbeAcked(size, now);
            }
            else
            {
                mtu.OnProbeLost(size, now);
            }
        }

        return probes;
    }
}
