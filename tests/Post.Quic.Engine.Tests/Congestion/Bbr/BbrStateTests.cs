using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Congestion.Bbr;
using Post.Quic.Engine.Tests.Crypto;

namespace Post.Quic.Engine.Tests.Congestion.Bbr;

/// <summary>
/// What leads from one state of BBR to another, in virtual time over a modelled bottleneck: the test cases of draft-ietf-ccwg-bbr
/// appendix A, and those that QUIC adds.
/// </summary>
[TestClass]
public sealed class BbrStateTests
{
    private const long Second = BbrFlow.Second;
    private const long Millisecond = BbrFlow.Millisecond;

    [TestMethod]
    [DataRow(0.5, 200L)]
    [DataRow(10, 50L)]
    [DataRow(100, 5L)]
    [DataRow(200, 100L)]
    public void Startup_ends_after_three_round_trips_without_growth(double megabits, long roundTrip)
    {
        using var flow = new BbrFlow(megabits, roundTrip, depth: 4);
        Assert.AreEqual(BbrState.Drain, flow.RunWhile(BbrState.Startup));
        Assert.IsTrue(flow.Model.FullPipe.WasReached);
        Assert.AreEqual(flow.Link.Rate, flow.Model.MaxBandwidth.Value, flow.Link.Rate * 0.02);
        Assert.AreEqual(0, flow.Link.QueueDrops);

        // From ten packets on the rate doubles with each round trip; three more show that it does not grow any more.
        double doublings = Math.Max(0, Math.Log2(flow.BandwidthDelay / (10 * BbrFlow.Size)));
        Assert.IsLessThan((doublings + 8) * 2 * flow.Link.RoundTrip, flow.History[1].At);
    }

    [TestMethod]
    public void Startup_ends_with_too_many_losses_though_the_application_is_the_limit()
    {
        using var flow = new BbrFlow(megabits: 100, roundTrip: 50);
        flow.Link.Offered = flow.Link.Rate / 2;
        flow.RunUntil(2 * Second);
        Assert.AreEqual(BbrState.Startup, flow.Controller.State);

        flow.Link.Loss = 0.1;
        flow.RunWhile(BbrState.Startup, Second);
        Assert.IsTrue(flow.Model.FullPipe.WasReached);
        Assert.IsLessThan(BbrModel.Unlimited, flow.Model.LongTerm.Inflight);
    }

    [TestMethod]
    public void Startup_goes_on_with_few_losses()
    {
        using var flow = new BbrFlow(megabits: 100, roundTrip: 50);
        flow.Link.Offered = flow.Link.Rate / 2;
        flow.Link.Loss = 0.005;
        flow.RunUntil(10 * Second);
        Assert.IsGreaterThan(100UL, flow.Link.Path.PacketsLost);
        Assert.IsTrue(flow.History.All(entry => entry.State is BbrState.Startup or BbrState.ProbeRtt));
    }

    [TestMethod]
    public void An_application_that_sends_little_never_ends_startup_without_losses()
    {
        using var flow = new BbrFlow();
        flow.Link.Offered = flow.Link.Rate / 10;
        flow.RunUntil(20 * Second);
        Assert.IsFalse(flow.Model.FullPipe.WasReached);
        Assert.AreEqual(0.1, flow.Utilisation(), 0.005);
    }

    [TestMethod]
    public void Drain_ends_when_the_queue_is_empty()
    {
        using var flow = new BbrFlow();
        flow.RunUntil(BbrState.Drain);
        Assert.AreEqual(flow.Model.Bandwidth * 0.5 * 0.99, flow.Controller.PacingRate(0), 1.0);
        flow.RunWhile(BbrState.Drain);
        Assert.IsLessThanOrEqualTo(flow.BandwidthDelay * 1.1, flow.Link.Path.BytesInFlight);
        Assert.IsLessThan(3 * 2 * flow.Link.RoundTrip, flow.History[2].At - flow.History[1].At);
    }

    [TestMethod]
    public void Drain_ends_after_three_round_trips_though_the_queue_is_not_empty()
    {
        using var flow = new BbrFlow(depth: 4);
        flow.Entered = state => flow.Link.Rate *= state == BbrState.Drain ? 0.2 : 1;
        flow.RunUntil(BbrState.Drain);
        long begin = flow.Model.Rounds.Count;
        flow.RunWhile(BbrState.Drain);
        Assert.IsGreaterThan(flow.Model.Inflight(1, flow.Model.Bandwidth, BbrState.Drain), flow.Link.Path.BytesInFlight);
        Assert.AreEqual(4L, flow.Model.Rounds.Count - begin, 1.0);
    }

    [TestMethod]
    public void Searching_goes_down_cruises_refills_and_goes_up()
    {
        using var flow = new BbrFlow();
        flow.RunUntil(5 * Second);

        // Drain has emptied the queue, so that going down is over at once.
        BbrState[] expected =
            [BbrState.Startup, BbrState.Drain, BbrState.Cruise, BbrState.Refill, BbrState.Up, BbrState.Down, BbrState.Cruise];
        CollectionAssert.AreEqual(expected, flow.History.Select(entry => entry.State).ToArray());

        // Section 5.3.3.8.2: two to three seconds. Section 5.3.3.3: one round trip.
        Assert.AreEqual(2.5 * Second, flow.History[3].At - flow.History[2].At, Second / 2);
        Assert.AreEqual(flow.Link.RoundTrip, flow.History[4].At - flow.History[3].At, 10.0 * Millisecond);
    }

    [TestMethod]
    [DataRow(nameof(BbrState.Down), 0.9)]
    [DataRow(nameof(BbrState.Cruise), 1.0)]
    [DataRow(nameof(BbrState.Refill), 1.0)]
    [DataRow(nameof(BbrState.Up), 1.25)]
    public void Each_state_has_its_pace(string name, double gain)
    {
        BbrState state = Enum.Parse<BbrState>(name);
        using var flow = new BbrFlow();
        flow.RunUntil(state);
        flow.RunUntil(flow.Link.Now + (5 * Millisecond));
        Assert.AreEqual(state, flow.Controller.State);
        Assert.AreEqual(flow.Model.Bandwidth * gain * 0.99, flow.Controller.PacingRate(0), 1.0);
    }

    [TestMethod]
    public void Going_up_ends_when_the_path_delivers_no_more()
    {
        using var flow = new BbrFlow(depth: 4);
        flow.RunUntil(BbrState.Up);
        long begin = flow.Model.Rounds.Count;
        Assert.AreEqual(BbrState.Down, flow.RunWhile(BbrState.Up));
        Assert.IsGreaterThanOrEqualTo(3, flow.Model.Rounds.Count - begin);
        Assert.AreEqual(0, flow.Link.QueueDrops);
        Assert.AreEqual(BbrModel.Unlimited, flow.Model.LongTerm.Inflight);
    }

    [TestMethod]
    public void Going_up_ends_with_too_many_losses_whatever_the_application_does()
    {
        using var flow = new BbrFlow(megabits: 50);
        flow.RunUntil(BbrState.Refill);
        LimitTo(flow, flow.Link.Rate / 2);
        flow.RunUntil(BbrState.Up);
        flow.RunUntil(flow.Link.Now + (300 * Millisecond));
        Assert.AreEqual(BbrState.Up, flow.Controller.State);
        flow.Link.Loss = 0.2;
        flow.RunWhile(BbrState.Up, Second / 2);
        Assert.AreEqual(BbrState.Up, flow.History[^2].State);
    }

    [TestMethod]
    public void An_application_that_sends_little_never_ends_going_up_without_losses()
    {
        using var flow = new BbrFlow();
        flow.RunUntil(BbrState.Refill);
        LimitTo(flow, flow.Link.Rate / 4);
        flow.RunUntil(BbrState.Up);
        int entered = flow.History.Count;
        flow.RunUntil(flow.Link.Now + (20 * Second));

        // Nothing but the probes of the round trip, which begin the cycle anew.
        (long At, BbrState State)[] later = [.. flow.History.Skip(entered)];
        foreach (((_, BbrState before), (_, BbrState after)) in later.Prepend((0, BbrState.Up)).Zip(later))
        {
            Assert.IsTrue(before != BbrState.Up || after == BbrState.ProbeRtt, $"{before} {after}");
        }
    }

    [TestMethod]
    public void Losses_while_going_up_set_the_limit_and_the_next_search_is_careful()
    {
        using var flow = new BbrFlow(megabits: 100, roundTrip: 20, depth: 0.2);
        flow.RunUntil(BbrState.Up);
        flow.RunWhile(BbrState.Up);
        long limit = flow.Model.LongTerm.Inflight;
        Assert.IsLessThan(flow.BandwidthDelay * 1.3, limit);
        Assert.IsGreaterThan(flow.BandwidthDelay * 0.6, limit);

        // Section 5.3.3.6: the next search stops where the last went wrong; when that went well, it goes on at once, without cruising.
        flow.RunUntil(flow.Link.Now + (20 * Second));
        BbrState[] states = [.. flow.History.Select(entry => entry.State)];
        bool skipsCruise = Enumerable.Range(1, states.Length - 2).Any(
            i => states[i] == BbrState.Down && states[i - 1] == BbrState.Up && states[i + 1] == BbrState.Refill);
        Assert.IsTrue(skipsCruise, string.Join(' ', states));
    }

    [TestMethod]
    public void A_cycle_that_stays_down_begins_anew_in_time()
    {
        // Ten datagrams fill the path, so that ten round trips are enough; they are longer with the queue.
        using var flow = new BbrFlow(megabits: 2, depth: 6);
        flow.Entered = state => flow.Link.Rate *= state == BbrState.Down ? 0.85 : 1;
        flow.RunUntil(BbrState.Down);
        BbrState next = flow.RunWhile(BbrState.Down);
        Assert.AreEqual(BbrState.Refill, next);
        Assert.AreEqual(20 * flow.Link.RoundTrip, flow.History[^1].At - flow.History[^2].At, 10.0 * flow.Link.RoundTrip);
    }

    [TestMethod]
    public void The_round_trip_is_probed_each_five_seconds_with_half_of_the_window()
    {
        using var flow = new BbrFlow();
        flow.RunUntil(BbrState.ProbeRtt);
        long begin = flow.Link.Now;
        flow.RunUntil(begin + (100 * Millisecond));
        Assert.AreEqual(BbrState.ProbeRtt, flow.Controller.State);
        Assert.IsLessThanOrEqualTo(flow.Model.ProbeRttWindow, flow.Controller.Window);
        Assert.AreEqual(flow.BandwidthDelay / 2, flow.Model.ProbeRttWindow, flow.BandwidthDelay * 0.05);
        Assert.AreEqual(BbrState.Cruise, flow.RunWhile(BbrState.ProbeRtt));
        Assert.IsGreaterThanOrEqualTo(200 * Millisecond, flow.History[^1].At - flow.History[^2].At);
        Assert.IsLessThan(400 * Millisecond, flow.History[^1].At - flow.History[^2].At);

        flow.RunUntil(30 * Second);
        long[] probes = [.. flow.History.Where(entry => entry.State == BbrState.ProbeRtt).Select(entry => entry.At)];
        foreach ((long first, long second) in probes.Zip(probes.Skip(1)))
        {
            Assert.IsGreaterThanOrEqualTo(5 * Second, second - first);
            Assert.IsLessThan(6 * Second, second - first);
        }

        Assert.IsGreaterThan(0.94, flow.Utilisation());
    }

    [TestMethod]
    public void After_probing_the_round_trip_startup_goes_on_where_it_was_left()
    {
        using var flow = new BbrFlow();
        flow.Link.Offered = flow.Link.Rate / 4;
        flow.RunUntil(BbrState.ProbeRtt);
        Assert.AreEqual(BbrState.Startup, flow.RunWhile(BbrState.ProbeRtt));
        flow.Link.Offered = double.PositiveInfinity;
        flow.RunUntil(BbrState.Drain);
        Assert.AreEqual(flow.Link.Rate, flow.Model.MaxBandwidth.Value, flow.Link.Rate * 0.02);
    }

    [TestMethod]
    public void After_silence_the_round_trip_need_not_be_probed()
    {
        using var flow = new BbrFlow();
        flow.RunUntil(BbrState.Cruise);
        flow.Link.IsPaused = true;
        flow.RunUntil(flow.Link.Now + (8 * Second));
        Assert.AreEqual(0, flow.Link.Path.BytesInFlight);
        long bandwidth = flow.Model.Bandwidth;
        long restart = flow.Link.Now;
        flow.Link.IsPaused = false;
        flow.RunUntil(restart + (2 * Second));
        Assert.IsFalse(flow.History.Any(entry => entry.At > restart && entry.State == BbrState.ProbeRtt));
        Assert.AreEqual(bandwidth, flow.Model.Bandwidth, bandwidth * 0.05);
    }

    [TestMethod]
    public void After_silence_sending_goes_on_at_the_rate_of_before_without_a_burst()
    {
        using var flow = new BbrFlow();
        flow.RunUntil(3 * Second);
        flow.Link.IsPaused = true;
        flow.RunUntil(20 * Second);
        ulong before = flow.Link.BytesReceived;
        int drops = flow.Link.QueueDrops;
        flow.Link.IsPaused = false;
        flow.RunUntil((20 * Second) + 1);
        Assert.AreEqual(flow.Model.Bandwidth * 0.99, flow.Controller.PacingRate(0), flow.Model.Bandwidth * 0.01);
        flow.RunUntil((20 * Second) + (2 * flow.Link.RoundTrip));
        Assert.AreEqual(drops, flow.Link.QueueDrops);
        Assert.IsLessThan(1.2 * flow.Link.RoundTrip, flow.Link.Path.Rtt.Latest);
        flow.RunUntil(21 * Second);
        Assert.IsGreaterThan(0.9, flow.Utilisation(20 * Second, before));
    }

    [TestMethod]
    public void The_first_packets_after_silence_go_at_the_bandwidth_whatever_the_state()
    {
        using var flow = new BbrFlow();
        flow.RunUntil(BbrState.Up);
        flow.Link.IsPaused = true;
        flow.RunUntil(flow.Link.Now + Second);
        Assert.AreEqual(BbrState.Up, flow.Controller.State);
        Assert.AreEqual(0, flow.Link.Path.BytesInFlight);
        flow.Link.IsPaused = false;
        flow.RunUntil(flow.Link.Now + 1);
        Assert.AreEqual(flow.Model.Bandwidth * 0.99, flow.Controller.PacingRate(0), 1.0);
        Assert.AreEqual(flow.Model.Bandwidth * 0.99, flow.Link.Path.Pacer.Rate, 1.0);
    }

    [TestMethod]
    public void An_application_that_pauses_while_the_path_is_refilled_leaves_the_bandwidth_as_it_was()
    {
        using var flow = new BbrFlow();
        flow.RunUntil(BbrState.Refill);
        long bandwidth = flow.Model.MaxBandwidth.Value;
        flow.Link.IsPaused = true;
        flow.RunUntil(flow.Link.Now + Second);
        flow.Link.IsPaused = false;
        flow.RunUntil(BbrState.Up);
        Assert.AreEqual(bandwidth, flow.Model.MaxBandwidth.Value, bandwidth * 0.02);
    }

    [TestMethod]
    public void Marks_of_routers_end_startup_and_keep_the_queue_short()
    {
        using var flow = new BbrFlow(depth: 4);
        flow.Link.MarkAbove = flow.Link.Queue / 16;
        flow.RunUntil(20 * Second);
        Assert.AreEqual(BbrState.Drain, flow.History[1].State);
        Assert.IsLessThan(600 * Millisecond, flow.History[1].At);
        Assert.AreEqual(0, flow.Link.QueueDrops);
        Assert.IsGreaterThan(1, flow.Controller.CongestionEvents);
        Assert.IsGreaterThan(0.8, flow.Utilisation());
        Assert.IsLessThan(BbrModel.Unlimited, flow.Model.LongTerm.Inflight);
    }

    [TestMethod]
    public void What_startup_was_left_for_and_did_not_happen_brings_it_back()
    {
        var bbr = new BbrController(1_000, new SeededRandomSource(1));
        bbr.OnAcked(Ack(now: 50 * Millisecond, prior: 0, total: 10_000, lost: 0));
        for (ulong number = 10; number <= 20; number += 2)
        {
            bbr.OnPacketLost(Loss(number, lost: (long)(number - 8) * 500, total: 10_000));
        }

        Assert.IsTrue(bbr.OnCongestionEvent(60 * Millisecond, 100 * Millisecond, ecn: false));
        bbr.OnAcked(Ack(now: 101 * Millisecond, prior: 10_000, total: 20_000, lost: 6_000));
        Assert.AreEqual(BbrState.Drain, bbr.State);
        Assert.IsLessThan(BbrModel.Unlimited, bbr.Model.LongTerm.Inflight);

        bbr.OnSpuriousCongestion();
        Assert.AreEqual(BbrState.Startup, bbr.State);
        Assert.AreEqual(BbrModel.Unlimited, bbr.Model.LongTerm.Inflight);
        Assert.IsFalse(bbr.Model.FullPipe.WasReached);
    }

    [TestMethod]
    public void A_search_that_ended_for_losses_that_were_none_begins_anew()
    {
        using var flow = new BbrFlow(depth: 4);
        flow.RunUntil(BbrState.Up);
        long now = flow.Link.Now;
        flow.Controller.OnPacketLost(new LossSample
        {
            Now = now,
            PacketNumber = 1,
            TimeSent = now,
            Size = BbrFlow.Size,
            SentInFlight = 10 * BbrFlow.Size,
            Lost = BbrFlow.Size,
            TotalDelivered = flow.Link.Path.BytesDelivered,
            IsAppLimited = false,
        });
        Assert.AreEqual(BbrState.Down, flow.Controller.State);
        Assert.IsTrue(flow.Controller.OnCongestionEvent(now, now, ecn: false));
        long limit = flow.Model.LongTerm.Inflight;
        flow.Controller.OnSpuriousCongestion();
        Assert.AreEqual(BbrState.Refill, flow.Controller.State);
        Assert.IsLessThan(flow.Model.LongTerm.Inflight, limit);
    }

    private static AckSample Ack(long now, ulong prior, ulong total, long lost) => new()
    {
        Now = now,
        AckedBytes = (long)(total - prior),
        GrowthBytes = 0,
        NewestSentTime = now - (50 * Millisecond),
        RttSample = 50 * Millisecond,
        SmoothedRtt = 50 * Millisecond,
        MinimumRtt = 50 * Millisecond,
        BytesInFlight = 1_000_000,
        Delivery = new DeliverySample
        {
            Rate = 200_000,
            Delivered = (long)(total - prior),
            PriorDelivered = prior,
            TotalDelivered = total,
            SentInFlight = 20_000,
            Lost = lost,
        },
    };

    private static LossSample Loss(ulong number, long lost, ulong total) => new()
    {
        Now = 100 * Millisecond,
        PacketNumber = number,
        TimeSent = 60 * Millisecond,
        Size = 1_000,
        SentInFlight = 20_000,
        Lost = lost,
        TotalDelivered = total,
        IsAppLimited = false,
    };

    /// <summary>From now on the application has so many bytes a second to send.</summary>
    private static void LimitTo(BbrFlow flow, double rate)
    {
        flow.Link.Offered = rate;
        flow.Link.OfferedBefore = flow.Link.Path.BytesSent - (rate * flow.Link.Now / 1e6);
    }
}
