using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Congestion.Bbr;
using Post.Quic.Engine.Tests.Crypto;

namespace Post.Quic.Engine.Tests.Congestion.Bbr;

/// <summary>The rules of BBR's model, each against figures worked out by hand.</summary>
[TestClass]
public sealed class BbrModelTests
{
    private const long Second = 1_000_000;

    [TestMethod]
    public void A_round_trip_ends_with_a_packet_that_was_sent_after_it_began()
    {
        var rounds = default(BbrRounds);
        rounds.OnAcked(Delivery(prior: 0, total: 1_000));
        Assert.AreEqual((true, 1L), (rounds.IsStart, rounds.Count));
        rounds.OnAcked(Delivery(prior: 999, total: 2_000));
        Assert.AreEqual((false, 1L), (rounds.IsStart, rounds.Count));
        rounds.OnAcked(Delivery(prior: 1_000, total: 3_000));
        Assert.AreEqual((true, 2L), (rounds.IsStart, rounds.Count));
        rounds.Begin(5_000);
        rounds.OnAcked(Delivery(prior: 4_999, total: 6_000));
        Assert.IsFalse(rounds.IsStart);
    }

    [TestMethod]
    public void The_bandwidth_is_the_most_of_two_cycles()
    {
        var bandwidth = default(MaxBandwidth);
        bandwidth.Add(new DeliverySample { Rate = 100 });
        bandwidth.Add(new DeliverySample { Rate = 90 });
        bandwidth.Advance();
        bandwidth.Add(new DeliverySample { Rate = 50 });
        Assert.AreEqual(100L, bandwidth.Value);
        bandwidth.Advance();
        Assert.AreEqual(50L, bandwidth.Value);

        // A cycle in which nothing was measured takes nothing away.
        bandwidth.Advance();
        Assert.AreEqual(50L, bandwidth.Value);
    }

    [TestMethod]
    public void What_the_application_limits_counts_only_upwards()
    {
        var bandwidth = default(MaxBandwidth);
        bandwidth.Add(new DeliverySample { Rate = 100 });
        bandwidth.Advance();
        bandwidth.Add(new DeliverySample { Rate = 99, IsAppLimited = true });
        bandwidth.Advance();
        Assert.AreEqual(100L, bandwidth.Value);
        bandwidth.Add(new DeliverySample { Rate = 120, IsAppLimited = true });
        Assert.AreEqual(120L, bandwidth.Value);
    }

    [TestMethod]
    public void A_pipe_is_full_after_three_round_trips_with_less_than_a_quarter_more()
    {
        var pipe = default(FullPipe);
        pipe.Check(new DeliverySample { Rate = 100 }, isRoundStart: true);
        pipe.Check(new DeliverySample { Rate = 125 }, isRoundStart: true);
        pipe.Check(new DeliverySample { Rate = 156 }, isRoundStart: true);
        pipe.Check(new DeliverySample { Rate = 156 }, isRoundStart: true);
        pipe.Check(new DeliverySample { Rate = 156 }, isRoundStart: false);
        pipe.Check(new DeliverySample { Rate = 156, IsAppLimited = true }, isRoundStart: true);
        Assert.IsFalse(pipe.IsNow);
        pipe.Check(new DeliverySample { Rate = 100 }, isRoundStart: true);
        Assert.IsTrue(pipe.IsNow);
        Assert.IsTrue(pipe.WasReached);
        pipe.Reset();
        Assert.IsFalse(pipe.IsNow);
        Assert.IsTrue(pipe.WasReached);
    }

    [TestMethod]
    public void The_largest_of_a_window_is_found_as_a_list_would_find_it()
    {
        var random = new Random(1);
        for (int run = 0; run < 200; run++)
        {
            var maximum = default(WindowedMaximum);
            List<(long Value, long Time)> all = [];
            long length = random.Next(1, 20);
            long time = 100;
            for (int i = 0; i < 100; i++)
            {
                time += random.Next(0, 4);
                long value = random.Next(1, 1_000);
                maximum.Add(value, time, length);
                all.Add((value, time));

                // Three samples stand for all: never more than the largest of the window, and never less than the newest.
                long largest = all.Where(entry => time - entry.Time <= length).Max(entry => entry.Value);
                Assert.IsLessThanOrEqualTo(largest, maximum.Value);
                Assert.IsGreaterThanOrEqualTo(value, maximum.Value);
                Assert.Contains(maximum.Value, all.Where(entry => time - entry.Time <= length).Select(entry => entry.Value));
            }
        }
    }

    [TestMethod]
    public void What_is_acknowledged_beyond_the_bandwidth_makes_the_window_larger()
    {
        var aggregation = default(AckAggregation);
        aggregation.Begin(0);
        aggregation.OnAcked(Ack(now: 10_000, acked: 30_000), bandwidth: 1_000_000, window: 100_000, round: 1, length: 10);
        Assert.AreEqual(30_000L, aggregation.Extra);

        // 5 ms later 5000 bytes are expected: 30,000 more make 55,000 extra.
        aggregation.OnAcked(Ack(now: 15_000, acked: 30_000), bandwidth: 1_000_000, window: 100_000, round: 1, length: 10);
        Assert.AreEqual(55_000L, aggregation.Extra);

        // After 60 ms nothing is left of it, and counting begins anew.
        aggregation.OnAcked(Ack(now: 70_000, acked: 1_000), bandwidth: 1_000_000, window: 100_000, round: 2, length: 10);
        Assert.AreEqual(55_000L, aggregation.Extra);
        aggregation.OnAcked(Ack(now: 71_000, acked: 3_000), bandwidth: 1_000_000, window: 100_000, round: 13, length: 10);
        Assert.AreEqual(3_000L, aggregation.Extra);
    }

    [TestMethod]
    public void Extra_acknowledgements_are_no_more_than_the_window()
    {
        var aggregation = default(AckAggregation);
        aggregation.OnAcked(Ack(now: 0, acked: 30_000), bandwidth: 1_000_000, window: 20_000, round: 1, length: 1);
        Assert.AreEqual(20_000L, aggregation.Extra);
    }

    [TestMethod]
    public void The_minimum_holds_for_ten_seconds_and_is_looked_for_after_five()
    {
        var minimum = new MinimumRtt(MinimumRtt.Unknown, 0);
        minimum.OnAcked(Ack(now: 1 * Second, rtt: 50_000));
        minimum.OnAcked(Ack(now: 2 * Second, rtt: 60_000));
        Assert.AreEqual((50_000L, false), (minimum.Value, minimum.IsDue));
        minimum.OnAcked(Ack(now: 6 * Second, rtt: 60_000));
        Assert.IsFalse(minimum.IsDue);
        minimum.OnAcked(Ack(now: (6 * Second) + 1, rtt: 60_000));
        Assert.AreEqual((50_000L, true), (minimum.Value, minimum.IsDue));
        minimum.OnAcked(Ack(now: 11 * Second, rtt: 70_000));
        Assert.AreEqual(50_000L, minimum.Value);
        minimum.OnAcked(Ack(now: (11 * Second) + 1, rtt: 70_000));
        Assert.AreEqual(60_000L, minimum.Value);
        minimum.OnAcked(Ack(now: 12 * Second, rtt: 40_000));
        Assert.AreEqual(40_000L, minimum.Value);
    }

    [TestMethod]
    public void Losses_bring_the_bounds_to_what_was_delivered_but_by_three_tenths_at_most()
    {
        var model = new ShortTermModel();
        model.OnLoss(Loss(1, total: 10_000));
        model.OnAcked(new DeliverySample { Rate = 500, Delivered = 800, PriorDelivered = 9_999, TotalDelivered = 11_000 });
        model.Adapt(isAccelerating: false, 1_000, 2_000);
        Assert.AreEqual(BbrModel.Unlimited, model.Bandwidth);

        model.OnAcked(new DeliverySample { Rate = 900, Delivered = 700, PriorDelivered = 10_000, TotalDelivered = 20_000 });
        model.Adapt(isAccelerating: false, 1_000, 2_000);
        Assert.AreEqual(900L, model.Bandwidth);
        Assert.AreEqual(1_400, model.Inflight, 1.0);
        model.Advance(new DeliverySample { Rate = 100, Delivered = 200 });
        Assert.AreEqual(200L, model.LatestDelivered);

        model.OnLoss(Loss(2, total: 20_000));
        model.OnAcked(new DeliverySample { Rate = 100, Delivered = 200, PriorDelivered = 20_000, TotalDelivered = 30_000 });
        model.Adapt(isAccelerating: false, 1_000, 2_000);
        Assert.AreEqual(630, model.Bandwidth, 1.0);
        Assert.AreEqual(980, model.Inflight, 1.0);
        model.Reset();
        Assert.AreEqual((BbrModel.Unlimited, BbrModel.Unlimited), (model.Bandwidth, model.Inflight));
    }

    [TestMethod]
    public void Losses_while_more_is_tried_leave_the_bounds()
    {
        var model = new ShortTermModel();
        model.OnLoss(Loss(1, total: 10_000));
        model.OnAcked(new DeliverySample { Rate = 900, PriorDelivered = 10_000, TotalDelivered = 20_000 });
        model.Adapt(isAccelerating: true, 1_000, 2_000);
        Assert.AreEqual((BbrModel.Unlimited, BbrModel.Unlimited), (model.Bandwidth, model.Inflight));
    }

    [TestMethod]
    public void Packets_lost_one_after_the_other_are_one_run()
    {
        var model = new ShortTermModel();
        foreach (ulong number in new ulong[] { 5, 6, 7, 9, 10, 12 })
        {
            model.OnLoss(Loss(number, total: 100));
        }

        Assert.AreEqual(3, model.LossRuns);
        model.OnAcked(new DeliverySample { PriorDelivered = 100, TotalDelivered = 200 });
        model.Advance(default);
        Assert.AreEqual(0, model.LossRuns);
    }

    [TestMethod]
    public void The_limit_grows_by_one_two_and_four_datagrams_a_round_trip()
    {
        var model = new LongTermModel { Inflight = 100_000 };
        model.BeginSearch();
        model.DoubleGrowth(100_000, 1_000);
        long expected = 100_000;
        foreach (int step in new[] { 1, 2, 4, 8 })
        {
            for (int ack = 0; ack < 10; ack++)
            {
                model.Grow(Ack(acked: 10_000, windowLimited: true), window: 1_000_000, 1_000, isRoundStart: false);
            }

            // A window's worth was acknowledged since the growth was set; rounding may shift one datagram to the next round trip.
            expected += step * 1_000;
            Assert.AreEqual(expected, model.Inflight, 1_000.0);
            model.DoubleGrowth(100_000, 1_000);
        }
    }

    [TestMethod]
    public void A_window_that_is_not_full_raises_no_limit()
    {
        var model = new LongTermModel { Inflight = 100_000 };
        model.BeginSearch();
        model.DoubleGrowth(100_000, 1_000);
        model.Grow(Ack(acked: 200_000), 100_000, 1_000, isRoundStart: true);
        model.Grow(Ack(acked: 200_000, windowLimited: true), 99_999, 1_000, isRoundStart: true);
        Assert.AreEqual(100_000L, model.Inflight);
        model.EndSearch();
        model.Grow(Ack(acked: 200_000, windowLimited: true), 100_000, 1_000, isRoundStart: false);
        Assert.AreEqual(100_000L, model.Inflight);
    }

    [TestMethod]
    [DataRow(100_000L, 85_000L)]
    [DataRow(6_000L, 5_000L)]
    [DataRow(4_500L, 4_000L)]
    public void Headroom_is_fifteen_percent_and_a_datagram_at_least(long limit, long left) =>
        Assert.AreEqual(left, new LongTermModel { Inflight = limit }.WithHeadroom(1_000));

    [TestMethod]
    public void The_next_search_comes_after_two_to_three_seconds_or_as_many_round_trips_as_datagrams_are_in_flight()
    {
        var random = new SeededRandomSource(1);
        for (int i = 0; i < 100; i++)
        {
            var wait = default(ProbeWait);
            wait.Begin(random, 0);
            Assert.IsFalse(wait.IsOver(long.MaxValue, 2 * Second));
            Assert.IsTrue(wait.IsOver(long.MaxValue, (3 * Second) + 1));
            Assert.IsFalse(wait.IsOver(10, 0));
            for (int round = 0; round < 10; round++)
            {
                wait.OnRound();
            }

            Assert.IsTrue(wait.IsOver(10, 0));
            Assert.IsFalse(wait.IsOver(12, 0));
            for (int round = 0; round < 53; round++)
            {
                wait.OnRound();
            }

            Assert.IsTrue(wait.IsOver(long.MaxValue, 0));
        }
    }

    [TestMethod]
    public void Probing_the_round_trip_takes_200_ms_and_a_round_trip()
    {
        var probe = default(RttProbe);
        probe.Begin();
        Assert.IsFalse(probe.IsUnderWay);
        Assert.IsFalse(probe.IsOver(Second));
        probe.OnDrained(Second);
        Assert.IsFalse(probe.IsOver(Second + 200_000));
        Assert.IsTrue(probe.IsOver(Second + 200_001));
        Assert.IsFalse(probe.IsDone(Second + 200_001));
        probe.OnRound();
        Assert.IsTrue(probe.IsDone(Second + 200_001));
        Assert.IsFalse(probe.IsDone(Second + 200_000));
    }

    private static DeliverySample Delivery(ulong prior, ulong total) => new() { PriorDelivered = prior, TotalDelivered = total };

    private static LossSample Loss(ulong number, ulong total) => new()
    {
        Now = 0,
        PacketNumber = number,
        TimeSent = 0,
        Size = 1_000,
        SentInFlight = 10_000,
        Lost = 1_000,
        TotalDelivered = total,
        IsAppLimited = false,
    };

    private static AckSample Ack(long now = 0, long acked = 0, long rtt = 0, bool windowLimited = false) => new()
    {
        Now = now,
        AckedBytes = acked,
        GrowthBytes = 0,
        NewestSentTime = 0,
        RttSample = rtt,
        SmoothedRtt = rtt,
        MinimumRtt = rtt,
        BytesInFlight = 0,
        IsWindowLimited = windowLimited,
    };
}
