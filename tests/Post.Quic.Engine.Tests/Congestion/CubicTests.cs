using Post.Quic.Engine.Congestion;

namespace Post.Quic.Engine.Tests.Congestion;

/// <summary>CUBIC against the formulas of RFC 9438, and HyStart++ against RFC 9406.</summary>
[TestClass]
public sealed class CubicTests
{
    private const int Size = 1200;
    private const long Second = 1_000_000;

    [TestMethod]
    public void Congestion_leaves_seven_tenths_of_the_window()
    {
        // RFC 9438 section 4.6.
        CubicController cubic = WithWindow(1_200_000);
        cubic.OnCongestionEvent(1, 2, ecn: false);
        Assert.AreEqual(840_000, cubic.Window);
        Assert.AreEqual(840_000, cubic.SlowStartThreshold);
    }

    [TestMethod]
    [DataRow(100, DisplayName = "100 segments")]
    [DataRow(1_000, DisplayName = "1,000 segments")]
    [DataRow(10_000, DisplayName = "10,000 segments")]
    public void The_window_is_back_at_its_maximum_after_K_seconds(int segments)
    {
        // RFC 9438 section 4.2: K = cbrt((W_max - cwnd_epoch) / C), here cbrt(0.3 * W_max / 0.4).
        const long Rtt = 200_000;
        double k = Math.Cbrt(0.3 * segments / 0.4);
        CubicController cubic = WithWindow((long)segments * Size);
        cubic.OnCongestionEvent(1, 2, ecn: false);
        long start = 10 * Second;
        long now = start;
        bool plateau = false;
        while (now < start + (long)(k * Second * 1.3))
        {
            GrowRoundTrip(cubic, now, Rtt);
            now += Rtt;
            double t = (now - start) / 1e6;
            double curve = (0.4 * Math.Pow(t - k, 3)) + segments;
            double window = cubic.Window / (double)Size;

            // On long fat paths the curve rules; each ACK aims a round trip ahead of it.
            if (segments >= 1_000)
            {
                Assert.AreEqual(curve, window, (segments * 0.03) + 2, $"after {t:f1} s, K = {k:f2}");
            }

            plateau |= Math.Abs(window - segments) < segments * 0.02 && Math.Abs(t - k) < k * 0.2;
        }

        Assert.AreEqual(k, cubic.K, 0.01);
        Assert.IsTrue(plateau || segments < 1_000);
    }

    [TestMethod]
    public void Where_Reno_would_be_faster_the_window_grows_like_Reno_with_CUBICs_factors()
    {
        // RFC 9438 section 4.3: at a short round trip, 3 * (1 - 0.7) / (1 + 0.7) = 0.53 segments a round trip.
        const long Rtt = 10_000;
        CubicController cubic = WithWindow(100 * Size);
        cubic.OnCongestionEvent(1, 2, ecn: false);
        long now = Second;
        for (int i = 0; i < 40; i++)
        {
            GrowRoundTrip(cubic, now, Rtt);
            now += Rtt;
        }

        Assert.AreEqual(70 + (40 * 0.529), cubic.Window / (double)Size, 2);
    }

    [TestMethod]
    public void A_second_loss_below_the_last_maximum_makes_room_for_others()
    {
        // RFC 9438 section 4.7: fast convergence: W_max = cwnd * 1.7 / 2, so K is that of a lower plateau.
        CubicController cubic = WithWindow(1_000 * Size);
        cubic.OnCongestionEvent(1, 2, ecn: false);
        GrowRoundTrip(cubic, Second, 100_000);
        double first = cubic.K;
        cubic.OnCongestionEvent(2 * Second, 2 * Second, ecn: false);
        GrowRoundTrip(cubic, 3 * Second, 100_000);
        Assert.AreEqual(Math.Cbrt(0.3 * 1_000 / 0.4), first, 0.01);
        Assert.AreEqual(Math.Cbrt(((0.7 * 1.7 / 2) - 0.49) * 1_000 / 0.4), cubic.K, 0.1);
    }

    [TestMethod]
    public void Time_in_which_the_application_was_silent_does_not_count()
    {
        // RFC 9438 section 5.8.
        const long Rtt = 100_000;
        CubicController steady = WithWindow(1_000 * Size);
        CubicController paused = WithWindow(1_000 * Size);
        steady.OnCongestionEvent(1, 2, ecn: false);
        paused.OnCongestionEvent(1, 2, ecn: false);
        for (int i = 0; i < 20; i++)
        {
            GrowRoundTrip(steady, Second + (i * Rtt), Rtt);
            GrowRoundTrip(paused, Second + (i * Rtt), Rtt);
        }

        long before = paused.Window;
        long now = Second + (20 * Rtt);
        for (int i = 0; i < 600; i++, now += Rtt)
        {
            paused.OnAcked(CongestionTests.Sample(paused, Size, now, Rtt) with { GrowthBytes = 0 });
        }

        Assert.AreEqual(before, paused.Window);
        GrowRoundTrip(steady, Second + (20 * Rtt), Rtt);
        GrowRoundTrip(paused, now, Rtt);

        // But for the round trip in which it began to send again.
        Assert.AreEqual(steady.Window, paused.Window, 6.0 * Size);
    }

    [TestMethod]
    public void A_rising_round_trip_slows_slow_start_down_and_ends_it_after_five_rounds()
    {
        // RFC 9406 section 4.2.
        var cubic = new CubicController(Size);
        long now = Second;
        for (int round = 0; round < 3; round++)
        {
            now = SlowStartRound(cubic, now, 100_000);
        }

        Assert.IsFalse(cubic.IsSlowStartConservative);
        now = SlowStartRound(cubic, now, 120_000);
        Assert.IsTrue(cubic.IsSlowStartConservative);
        long window = cubic.Window;
        now = SlowStartRound(cubic, now, 125_000);
        Assert.AreEqual(window * 1.25, cubic.Window, window * 0.1, "A quarter of the growth.");
        for (int round = 0; round < 4; round++)
        {
            Assert.IsTrue(cubic.InSlowStart, $"round {round}");
            now = SlowStartRound(cubic, now, 125_000);
        }

        Assert.IsFalse(cubic.InSlowStart);
        Assert.AreEqual(0, cubic.CongestionEvents);
    }

    [TestMethod]
    public void A_round_trip_that_falls_again_resumes_slow_start()
    {
        // RFC 9406 section 4.2: the growth was noise.
        var cubic = new CubicController(Size);
        long now = Second;
        now = SlowStartRound(cubic, now, 100_000);
        now = SlowStartRound(cubic, now, 100_000);
        now = SlowStartRound(cubic, now, 120_000);
        Assert.IsTrue(cubic.IsSlowStartConservative);
        now = SlowStartRound(cubic, now, 100_000);
        Assert.IsFalse(cubic.IsSlowStartConservative);
        Assert.IsTrue(cubic.InSlowStart);
        _ = now;
    }

    [TestMethod]
    public void Jitter_below_four_milliseconds_does_not_end_slow_start()
    {
        // RFC 9406 section 4.3: MIN_RTT_THRESH.
        var cubic = new CubicController(Size);
        long now = Second;
        foreach (long rtt in new long[] { 1_000, 2_000, 3_000, 4_500, 6_000 })
        {
            now = SlowStartRound(cubic, now, rtt);
        }

        Assert.IsFalse(cubic.IsSlowStartConservative);
    }

    private static CubicController WithWindow(long window)
    {
        var cubic = new CubicController(Size);
        cubic.OnAcked(CongestionTests.Sample(cubic, window - cubic.Window, 1) with { RttSample = 0 });
        Assert.AreEqual(window, cubic.Window);
        return cubic;
    }

    /// <summary>Acknowledges a window in many steps spread over the round trip that begins now.</summary>
    private static void GrowRoundTrip(CubicController cubic, long now, long rtt)
    {
        long window = cubic.Window;
        const int Steps = 20;
        for (int i = 0; i < Steps; i++)
        {
            long at = now + (rtt * i / Steps);
            cubic.OnAcked(CongestionTests.Sample(cubic, window / Steps, at, rtt));
        }
    }

    /// <summary>A round of slow start with the round trip given, acknowledged in ten steps; returns when it ended.</summary>
    private static long SlowStartRound(CubicController cubic, long now, long rtt)
    {
        long window = cubic.Window;
        long sent = now + 1;
        now += rtt;
        for (int i = 0; i < 10; i++)
        {
            cubic.OnAcked(CongestionTests.Sample(cubic, window / 10, now + i, rtt) with { NewestSentTime = sent });
        }

        return now + 20;
    }
}
