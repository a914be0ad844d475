using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Recovery;

namespace Post.Quic.Engine.Tests.Recovery;

/// <summary>Loss recovery and congestion control over a modelled bottleneck, in virtual time.</summary>
[TestClass]
public sealed class LinkModelTests
{
    private const long Second = 1_000_000;

    [TestMethod]
    [DataRow("cubic")]
    [DataRow("newreno")]
    public void A_path_of_100_Mbit_is_filled(string algorithm)
    {
        for (int seed = 1; seed <= 3; seed++)
        {
            using LinkModel link = Link(seed, algorithm);
            link.RunUntil(5 * Second);
            Assert.IsFalse(link.Error.IsError, $"{link.Error}, seed {seed}");
            Assert.IsGreaterThan(0.8, Utilisation(link, 5), $"seed {seed}");
        }
    }

    [TestMethod]
    public void Slow_start_ends_before_the_queue_overflows()
    {
        // RFC 9406: five rounds of slowed growth still treble the window, so that a queue must be deep to be spared
        // altogether; a shallow one overflows by less.
        foreach ((int depth, int most) in new[] { (8, 0), (2, 500) })
        {
            using LinkModel gentle = Link(3, "cubic");
            gentle.Queue *= depth;
            gentle.RunUntil(3 * Second);
            Assert.IsFalse(gentle.Path.Congestion.InSlowStart);
            Assert.IsLessThanOrEqualTo(most, gentle.QueueDrops);
            Assert.IsGreaterThan(0.8, Utilisation(gentle, 3));

            using LinkModel rough = Link(3, "newreno");
            rough.Queue *= depth;
            rough.RunUntil(3 * Second);
            Assert.IsGreaterThan(1_000, rough.QueueDrops);
        }
    }

    [TestMethod]
    public void Losses_of_two_and_ten_percent_are_survived()
    {
        // What Reno's response function allows: 1.2 / sqrt(loss) datagrams a round trip are 1.6 % and 0.7 % of the link.
        foreach ((double loss, double least) in new[] { (0.02, 0.012), (0.1, 0.003) })
        {
            for (int seed = 1; seed <= 10; seed++)
            {
                using LinkModel link = Link(seed, "cubic");
                link.Loss = loss;
                link.RunUntil(10 * Second);
                Assert.IsFalse(link.Error.IsError, $"{link.Error}, seed {seed}");
                Assert.IsGreaterThan(least, Utilisation(link, 10), $"loss {loss}, seed {seed}");
                Assert.AreEqual(
                    link.Path.BytesInFlight,
                    (long)link.Recovery.Application.Sent.OutstandingCount * link.Size,
                    $"seed {seed}");
            }
        }
    }

    [TestMethod]
    public void Every_packet_that_left_the_flight_was_told_once()
    {
        using LinkModel link = Link(11, "cubic");
        link.Loss = 0.05;
        link.RunUntil(5 * Second);
        SentPackets sent = link.Recovery.Application.Sent;
        int pending = 0;
        for (ulong number = sent.First; number < sent.End; number++)
        {
            pending += sent[number].State == SentPacketState.Outstanding ? sent[number].FrameCount : 0;
        }

        Assert.AreEqual(link.Path.PacketsSent, (ulong)(link.FramesAcked + link.FramesLost + pending));
        Assert.IsGreaterThan(10, link.FramesLost);
    }

    [TestMethod]
    public void Reordering_is_learned_and_no_longer_taken_for_loss()
    {
        using LinkModel link = Link(5, "cubic");
        link.Jitter = 1_000;
        link.RunUntil(3 * Second);
        ulong early = link.Path.PacketsLost;
        link.RunUntil(12 * Second);
        Assert.IsGreaterThan(DefaultThreshold, link.Path.PacketThreshold);
        Assert.IsGreaterThan(0UL, link.Path.PacketsSpuriouslyLost);
        Assert.IsGreaterThan(0.5, Utilisation(link, 12), $"{early} early, {link.Path.PacketsLost} in all");
    }

    [TestMethod]
    public void Marks_keep_the_queue_short_without_a_single_drop()
    {
        using LinkModel link = Link(9, "cubic");
        link.MarkAbove = link.Queue / 4;
        link.RunUntil(10 * Second);
        Assert.AreEqual(EcnState.Capable, link.Path.Ecn.State);
        Assert.AreEqual(0, link.QueueDrops);
        Assert.IsGreaterThan(1, link.Path.Congestion.CongestionEvents);
        Assert.IsGreaterThan(0.8, Utilisation(link, 10));
    }

    [TestMethod]
    public void A_satellite_path_of_750_ms_is_filled_in_time()
    {
        using LinkModel link = Link(2, "cubic");
        link.Rate = 2_500_000;
        link.RoundTrip = 750_000;
        link.Queue = 1_000_000;
        link.RunUntil(30 * Second);
        Assert.IsGreaterThan(0.5, Utilisation(link, 30));
    }

    [TestMethod]
    public void After_a_blackhole_sending_goes_on()
    {
        using LinkModel link = Link(4, "cubic");
        link.RunUntil(2 * Second);
        link.Loss = 1;
        link.RunUntil(7 * Second);
        link.Loss = 0;
        ulong before = link.BytesReceived;
        link.RunUntil(16 * Second);
        Assert.IsGreaterThan(before + 10_000_000, link.BytesReceived);
        Assert.AreEqual(1, link.Path.Congestion.PersistentCongestionEvents);
    }

    [TestMethod]
    public void Ten_gigabits_on_loopback_are_limited_by_the_link_and_not_by_pacing()
    {
        // A micro-model: 50 us there and back, datagrams of 1472 and of 65,507 bytes.
        foreach (int size in new[] { 1_472, 65_507 })
        {
            using var link = new LinkModel(1, size: size)
            {
                Rate = 1_250_000_000,
                RoundTrip = 50,
                Queue = 4_000_000,
            };
            link.RunUntil(Second / 20);
            Assert.IsFalse(link.Error.IsError, $"{link.Error}");
            Assert.IsGreaterThan(0.9, Utilisation(link, 0.05), $"datagrams of {size}");
        }
    }

    [TestMethod]
    public void A_driver_with_a_clock_of_a_millisecond_still_fills_a_gigabit()
    {
        using LinkModel link = Link(6, "cubic");
        link.Rate = 125_000_000;
        link.RoundTrip = 20_000;
        link.Queue = 2_500_000;
        link.RunUntil(3 * Second, tick: 1_000);
        Assert.IsGreaterThan(0.85, Utilisation(link, 3));
    }

    [TestMethod]
    public void The_measured_bandwidth_is_that_of_the_link()
    {
        using LinkModel link = Link(8, "cubic");
        link.RunUntil(5 * Second);
        Assert.AreEqual(link.Rate, link.Path.EstimatedBandwidth, link.Rate * 0.1);
    }

    /// <summary>
    /// RFC 9438 section 4.3: beside Reno on a path where Reno does well, CUBIC takes about as much as Reno. So does one whose application has more
    /// to send than its share; and one that has less gets it, and leaves the rest.
    /// </summary>
    [TestMethod]
    [DataRow(double.PositiveInfinity, 0.5, DisplayName = "an endless one")]
    [DataRow(1.0, 0.5, DisplayName = "one that could use all of it")]
    [DataRow(0.3, 0.3, DisplayName = "one that uses less than its share")]
    public void A_flow_takes_its_share_beside_Reno(double offered, double share)
    {
        const double Rate = 1_250_000;
        double ours = 0;
        double all = 0;
        for (int seed = 1; seed <= 5; seed++)
        {
            var bottleneck = new Bottleneck { Rate = Rate, Queue = 62_500 };
            using var reno = new LinkModel(seed, new NewRenoController(1200), bottleneck: bottleneck);
            using var cubic = new LinkModel(seed + 100, new CubicController(1200), bottleneck: bottleneck) { Offered = offered * Rate };
            reno.Loss = cubic.Loss = 0.002;
            for (long now = Second / 1000; now <= 60 * Second; now += Second / 1000)
            {
                reno.RunUntil(now);
                cubic.RunUntil(now);
            }

            ours += cubic.BytesReceived;
            all += cubic.BytesReceived + reno.BytesReceived;
        }

        Assert.IsGreaterThan(0.8, all / (5 * 60 * Rate));
        Assert.AreEqual(share, ours / (5 * 60 * Rate), 0.1);
    }

    private static int DefaultThreshold => 3;

    private static LinkModel Link(int seed, string algorithm) =>
        new(seed, algorithm == "cubic" ? new CubicController(1200) : new NewRenoController(1200));

    private static double Utilisation(LinkModel link, double seconds) => link.BytesReceived / (link.Rate * seconds);
}
