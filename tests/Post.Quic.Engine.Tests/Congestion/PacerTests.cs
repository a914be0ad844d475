using Post.Quic.Engine.Congestion;

namespace Post.Quic.Engine.Tests.Congestion;

/// <summary>Pacing (RFC 9002 section 7.7).</summary>
[TestClass]
public sealed class PacerTests
{
    private const int Size = 1200;
    private const long Second = 1_000_000;

    [TestMethod]
    public void Nothing_is_held_back_before_a_rate_is_known()
    {
        var pacer = new Pacer(Size);
        for (int i = 0; i < 100; i++)
        {
            Assert.IsTrue(pacer.CanSend(Size, 0));
            pacer.OnSent(Size, 0);
        }
    }

    [TestMethod]
    public void At_a_low_rate_ten_datagrams_leave_at_once_and_then_one_at_a_time()
    {
        var pacer = new Pacer(Size);
        pacer.SetRate(120_000, 0);
        int burst = 0;
        while (pacer.CanSend(Size, 0))
        {
            pacer.OnSent(Size, 0);
            burst++;
        }

        Assert.AreEqual(10, burst);
        Assert.AreEqual(10_000, pacer.NextSendTime(Size, 0));
        Assert.IsFalse(pacer.CanSend(Size, 9_999));
        Assert.IsTrue(pacer.CanSend(Size, 10_000));
    }

    [TestMethod]
    [DataRow(1_000_000L, DisplayName = "8 Mbit/s")]
    [DataRow(125_000_000L, DisplayName = "1 Gbit/s")]
    [DataRow(1_250_000_000L, DisplayName = "10 Gbit/s")]
    public void The_rate_is_kept_and_batches_form_at_high_rates(long rate)
    {
        var pacer = new Pacer(Size);
        pacer.SetRate(rate, 0);
        long now = 0;
        long sent = 0;
        int wakes = 0;
        while (now < Second)
        {
            wakes++;
            while (pacer.CanSend(Size, now))
            {
                pacer.OnSent(Size, now);
                sent += Size;
            }

            now = pacer.NextSendTime(Size, now);
        }

        Assert.AreEqual(rate, sent, (rate / 100.0) + pacer.Capacity);
        Assert.IsLessThanOrEqualTo(1_010, wakes, "The driver wakes about once a millisecond at most.");
    }

    [TestMethod]
    public void A_driver_that_wakes_every_other_millisecond_still_reaches_ten_gigabits()
    {
        const long Rate = 1_250_000_000;
        var pacer = new Pacer(Size);
        pacer.SetRate(Rate, 0);
        long sent = 0;
        for (long now = 0; now < Second; now += 2_000)
        {
            while (pacer.CanSend(Size, now))
            {
                pacer.OnSent(Size, now);
                sent += Size;
            }
        }

        Assert.IsGreaterThan(Rate * 95 / 100, sent);
    }

    [TestMethod]
    public void Where_the_round_trip_is_shorter_than_the_bucket_the_window_alone_is_the_limit()
    {
        var congestion = new NewRenoController(Size);
        var pacer = new Pacer(Size);
        foreach (long rtt in new long[] { 1, 50, 500, 1_500 })
        {
            pacer.SetRate(congestion.PacingRate(rtt), 0);
            Assert.IsGreaterThanOrEqualTo(congestion.Window, pacer.Capacity);
        }
    }

    [TestMethod]
    public void Probes_overdraw_the_bucket_by_no_more_than_itself()
    {
        var pacer = new Pacer(Size);
        pacer.SetRate(120_000, 0);
        for (int i = 0; i < 1000; i++)
        {
            pacer.OnSent(Size, 0);
        }

        Assert.IsLessThanOrEqualTo(Second / 4, pacer.NextSendTime(Size, 0));
    }

    [TestMethod]
    public void A_datagram_larger_than_the_bucket_still_leaves()
    {
        var pacer = new Pacer(Size);
        pacer.SetRate(120_000, 0);
        Assert.IsTrue(pacer.CanSend(65_527, 0));
        pacer.OnSent(65_527, 0);
        Assert.IsFalse(pacer.CanSend(65_527, 1000));
        Assert.IsTrue(pacer.CanSend(65_527, pacer.NextSendTime(65_527, 1000)));
    }

    [TestMethod]
    public void A_pause_of_years_does_not_overflow()
    {
        var pacer = new Pacer(Size);
        pacer.SetRate(long.MaxValue, 0);
        pacer.OnSent(Size, 0);
        Assert.IsTrue(pacer.CanSend(Size, long.MaxValue / 2));
    }
}
