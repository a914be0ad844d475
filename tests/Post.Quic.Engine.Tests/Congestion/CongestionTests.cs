using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Recovery;
using Post.Quic.Engine.Tests.Recovery;

namespace Post.Quic.Engine.Tests.Congestion;

/// <summary>What every congestion controller does, and NewReno (RFC 9002 section 7).</summary>
[TestClass]
public sealed class CongestionTests
{
    private const int Size = 1200;
    private const long Rtt = 100_000;

    [TestMethod]
    [DataRow(1200, 12_000L)]
    [DataRow(1472, 14_720L)]
    [DataRow(8972, 17_944L)]
    public void The_initial_window_follows_the_datagram_size(int size, long expected)
    {
        // RFC 9002 section 7.2.
        Assert.AreEqual(expected, new NewRenoController(size).Window);
        Assert.AreEqual(2L * size, new NewRenoController(size).MinimumWindow);
    }

    [TestMethod]
    public void A_changed_datagram_size_resets_a_window_that_was_never_used_and_keeps_a_used_one()
    {
        // RFC 9002 section 7.2.
        var fresh = new CubicController(Size);
        fresh.SetMaxDatagramSize(1472);
        Assert.AreEqual(14_720, fresh.Window);

        var used = new CubicController(Size);
        used.OnAcked(Sample(used, 6_000, now: Rtt));
        used.SetMaxDatagramSize(1472);
        Assert.AreEqual(18_000, used.Window);
        used.SetMaxDatagramSize(65_527);
        Assert.AreEqual(used.MinimumWindow, used.Window);
    }

    [TestMethod]
    public void Slow_start_grows_by_what_is_acked_and_avoidance_by_a_datagram_a_window()
    {
        // RFC 9002 sections 7.3.1 and 7.3.3.
        var reno = new NewRenoController(Size);
        reno.OnAcked(Sample(reno, 12_000, now: Rtt));
        Assert.AreEqual(24_000, reno.Window);
        Assert.IsTrue(reno.OnCongestionEvent(Rtt, Rtt + 1, ecn: false));
        Assert.AreEqual(12_000, reno.Window);
        Assert.IsFalse(reno.InSlowStart);
        for (int i = 0; i < 10; i++)
        {
            reno.OnAcked(Sample(reno, Size, now: 2 * Rtt));
        }

        Assert.AreEqual(13_200, reno.Window);
    }

    [TestMethod]
    public void The_window_never_falls_below_two_datagrams_nor_rises_above_its_cap()
    {
        // RFC 9002 section 7.2.
        foreach (CongestionController controller in new CongestionController[] { new NewRenoController(Size), new CubicController(Size) })
        {
            for (long now = 1; now < 100; now++)
            {
                controller.OnCongestionEvent(now, now, ecn: false);
            }

            Assert.AreEqual(2L * Size, controller.Window, controller.Name);
            controller.OnPersistentCongestion(100);
            for (long now = 100; now < 100_000_000; now += Rtt)
            {
                controller.OnAcked(Sample(controller, controller.Window, now));
            }

            Assert.IsGreaterThan(1_000_000, controller.Window, controller.Name);
            Assert.IsLessThanOrEqualTo(Limits.CongestionWindow, controller.Window, controller.Name);
        }
    }

    [TestMethod]
    public void One_recovery_period_shrinks_the_window_once()
    {
        // RFC 9002 section 7.3.2.
        var reno = new NewRenoController(Size);
        Assert.IsTrue(reno.OnCongestionEvent(100, 200, ecn: false));
        Assert.IsFalse(reno.OnCongestionEvent(200, 250, ecn: true), "Sent before recovery began.");
        Assert.IsTrue(reno.OnCongestionEvent(201, 300, ecn: true));
        Assert.AreEqual(2, reno.CongestionEvents);
    }

    [TestMethod]
    public void An_application_limited_window_does_not_grow()
    {
        // RFC 9002 section 7.8.
        var world = new RecoveryWorld(congestion: new CubicController(Size));
        long window = world.Path.Congestion.Window;
        for (int i = 0; i < 100; i++)
        {
            world.MeasureRtt(20_000);
            world.Now += 1000;
        }

        Assert.AreEqual(window, world.Path.Congestion.Window);
    }

    [TestMethod]
    public void A_window_that_was_used_up_grows_although_nothing_was_left_to_send()
    {
        var world = new RecoveryWorld(congestion: new CubicController(Size));
        long window = world.Path.Congestion.Window;
        ulong first = world.SendMany(10);
        world.Now += 20_000;
        world.Ack(first, first + 9);
        Assert.AreEqual(window * 2, world.Path.Congestion.Window);
    }

    [TestMethod]
    public void A_pacing_limited_sender_is_not_application_limited()
    {
        // RFC 9002 section 7.8.
        var world = new RecoveryWorld(congestion: new NewRenoController(Size));
        world.MeasureRtt(100_000);
        ulong first = world.Application.NextPacketNumber;
        int sent = 0;
        SendPermission permission;
        while ((permission = world.Application.CanSend(world.Path, Size, world.Now)) == SendPermission.Allowed && sent < 4)
        {
            world.Send();
            sent++;
        }

        Assert.AreEqual(SendPermission.Allowed, permission);
        long window = world.Path.Congestion.Window;
        world.Path.Pacer.OnSent(1_000_000, world.Now);
        Assert.AreEqual(SendPermission.Pacing, world.Application.CanSend(world.Path, Size, world.Now));
        world.Now += 100_000;
        world.Ack(first, first + 3);
        Assert.AreEqual(window + (4 * Size), world.Path.Congestion.Window);
    }

    [TestMethod]
    public void A_trickle_does_not_lower_the_measured_bandwidth()
    {
        var world = new RecoveryWorld(congestion: new CubicController(Size));
        for (int i = 0; i < 5; i++)
        {
            ulong first = world.SendMany((int)(world.Path.Congestion.Window / Size));
            world.Now += 20_000;
            world.Ack(first, world.Application.NextPacketNumber - 1);
        }

        long bandwidth = world.Path.EstimatedBandwidth;
        Assert.IsGreaterThan(1_000_000, bandwidth);
        for (int i = 0; i < 100; i++)
        {
            world.Now += 50_000;
            world.Path.OnNothingToSend(world.Now);
            world.MeasureRtt(20_000);
        }

        Assert.AreEqual(bandwidth, world.Path.EstimatedBandwidth);
        Assert.IsLessThan(bandwidth, world.Path.DeliveryRate);
    }

    [TestMethod]
    public void One_packet_leaves_a_full_window_when_recovery_is_entered()
    {
        // RFC 9002 sections 7 and 7.3.2: what was lost is sent again at once.
        var world = new RecoveryWorld();
        world.MeasureRtt(20_000);
        ulong first = world.SendMany(10);
        world.Now += 20_000;
        world.Ack(first + 3);
        Assert.IsTrue(world.Path.InRecovery);
        Assert.IsGreaterThan(world.Path.Congestion.Window, world.Path.BytesInFlight + Size);
        Assert.AreEqual(SendPermission.Allowed, world.Application.CanSend(world.Path, Size, world.Now));
        world.Send();
        Assert.AreEqual(SendPermission.CongestionWindow, world.Application.CanSend(world.Path, Size, world.Now));

        // The next loss of the same recovery period gives no second one.
        world.Ack(first + 4);
        Assert.HasCount(2, world.Lost);
        Assert.AreEqual(SendPermission.CongestionWindow, world.Application.CanSend(world.Path, Size, world.Now));
    }

    [TestMethod]
    public void A_mark_lets_no_packet_out_of_a_full_window()
    {
        var world = new RecoveryWorld();
        world.MeasureRtt(20_000);
        world.SendMany(10);
        Assert.IsTrue(world.Path.OnCongestion(world.Now, world.Now, ecn: true));
        Assert.IsTrue(world.Path.InRecovery);
        Assert.AreEqual(SendPermission.CongestionWindow, world.Application.CanSend(world.Path, Size, world.Now));
    }

    [TestMethod]
    public void A_repair_that_nobody_sent_is_forfeit_when_recovery_ends()
    {
        var world = new RecoveryWorld();
        world.MeasureRtt(20_000);
        ulong first = world.SendMany(10);
        world.Now += 20_000;
        world.Ack(first + 3);
        world.Now += 1_000;
        ulong probe = world.Send(flags: RecoveryWorld.Eliciting | SentPacketFlags.PtoProbe);
        world.Now += 20_000;
        world.Ack(probe);
        Assert.IsFalse(world.Path.InRecovery);
        world.SendMany(10);
        Assert.AreEqual(SendPermission.CongestionWindow, world.Application.CanSend(world.Path, Size, world.Now));
    }

    [TestMethod]
    public void An_MTU_probe_fits_into_a_full_window_but_is_never_larger_than_it()
    {
        var world = new RecoveryWorld(mtuLimit: 65_507);
        world.SendMany(10);
        Assert.AreEqual(SendPermission.CongestionWindow, world.Application.CanSend(world.Path, Size, world.Now));
        Assert.IsTrue(world.Path.CanSendMtuProbe(8_972));
        Assert.IsFalse(world.Path.CanSendMtuProbe(65_507));
    }

    [TestMethod]
    public void An_ECN_mark_is_never_undone()
    {
        var cubic = new CubicController(Size);
        cubic.OnCongestionEvent(100, 200, ecn: true);
        long window = cubic.Window;
        cubic.OnSpuriousCongestion();
        Assert.AreEqual(window, cubic.Window);
    }

    [TestMethod]
    public void Undoing_brings_back_window_and_threshold()
    {
        foreach (CongestionController controller in new CongestionController[] { new NewRenoController(Size), new CubicController(Size) })
        {
            controller.OnCongestionEvent(100, 200, ecn: false);
            controller.OnSpuriousCongestion();
            Assert.AreEqual(12_000, controller.Window, controller.Name);
            Assert.IsTrue(controller.InSlowStart, controller.Name);
            controller.OnSpuriousCongestion();
            Assert.AreEqual(1, controller.SpuriousCongestionEvents, controller.Name);
        }
    }

    [TestMethod]
    public void Pacing_is_faster_than_the_window_a_round_trip()
    {
        // RFC 9002 section 7.7.
        var reno = new NewRenoController(Size);
        Assert.AreEqual(240_000, reno.PacingRate(Rtt));
        reno.OnCongestionEvent(100, 200, ecn: false);
        Assert.AreEqual(75_000, reno.PacingRate(Rtt));
    }

    internal static AckSample Sample(CongestionController controller, long bytes, long now, long rttSample = Rtt) => new()
    {
        Now = now,
        AckedBytes = bytes,
        GrowthBytes = bytes,
        NewestSentTime = now - rttSample,
        RttSample = rttSample,
        SmoothedRtt = rttSample,
        MinimumRtt = rttSample,
        BytesInFlight = controller.Window,
    };
}
