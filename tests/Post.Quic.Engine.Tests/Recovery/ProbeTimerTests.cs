using Post.Quic.Engine.InFlight;
using Post.Quic.Engine.Recovery;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tests.Recovery;

/// <summary>The probe timeout (RFC 9002 section 6.2).</summary>
[TestClass]
public sealed class ProbeTimerTests
{
    private const long Millisecond = RecoveryWorld.Millisecond;

    [TestMethod]
    public void The_first_timeout_is_three_initial_round_trips()
    {
        // RFC 9002 section 6.2.2: 333 ms + 4 * 166.5 ms.
        var world = new RecoveryWorld(confirmed: false);
        world.Send(world.Recovery.Initial);
        Assert.AreEqual(world.Now + (999 * Millisecond), world.Recovery.NextTimeout, 10);
    }

    [TestMethod]
    public void The_application_timeout_adds_max_ack_delay_and_doubles_each_time()
    {
        // RFC 9002 section 6.2.1.
        var world = new RecoveryWorld();
        world.MeasureRtt(100 * Millisecond);
        world.Send();
        long period = world.Path.Rtt.ProbeTimeout + world.Recovery.PeerMaxAckDelay;
        Assert.AreEqual(world.Now + period, world.Recovery.NextTimeout);
        world.ExpireTimeout();
        Assert.AreEqual(2, world.Application.ProbesPending);
        Assert.AreEqual(1, world.Recovery.ProbeTimeoutCount);
        world.Send(flags: RecoveryWorld.Eliciting | SentPacketFlags.PtoProbe);
        world.Send(flags: RecoveryWorld.Eliciting | SentPacketFlags.PtoProbe);
        Assert.AreEqual(0, world.Application.ProbesPending);
        Assert.AreEqual(world.Now + (2 * period), world.Recovery.NextTimeout);
    }

    [TestMethod]
    public void The_back_off_doubles_for_as_long_as_nothing_is_acknowledged()
    {
        // RFC 9002 section 6.2.1: MUST; the idle timeout is what bounds it.
        var world = new RecoveryWorld();
        world.MeasureRtt(100 * Millisecond);
        world.Send();
        long period = world.Path.Rtt.ProbeTimeout + world.Recovery.PeerMaxAckDelay;
        for (int count = 1; count <= 12; count++)
        {
            world.ExpireTimeout();
            world.Send(flags: RecoveryWorld.Eliciting | SentPacketFlags.PtoProbe);
            Assert.AreEqual(period << count, world.Recovery.NextTimeout - world.Now);
        }
    }

    [TestMethod]
    public void A_datagram_that_comes_after_its_loss_is_told()
    {
        var world = new RecoveryWorld();
        world.MeasureRtt(100 * Millisecond);
        var datagram = new SentFrame(SentFrameKind.Datagram, 7);
        ulong late = world.Send(frame: datagram);
        ulong last = world.SendMany(4) + 3;
        world.Now += 50 * Millisecond;
        world.Ack(last);
        Assert.IsTrue(world.Lost.Any(lost => lost.Frame == datagram));
        world.Now += Millisecond;
        world.Ack(late, last);
        CollectionAssert.AreEqual(new[] { datagram }, world.ArrivedLate);
        world.Ack(late, last);
        Assert.HasCount(1, world.ArrivedLate);
    }

    [TestMethod]
    public void The_oldest_frames_come_back_for_the_probe_and_are_not_told_again()
    {
        // RFC 9002 section 6.2.4.
        var world = new RecoveryWorld();
        ulong first = world.SendMany(5);
        world.ExpireTimeout();
        CollectionAssert.AreEqual(new[] { first, first + 1 }, world.LostNumbers.ToArray());
        Assert.AreEqual(0UL, world.Path.PacketsLost, "They are still on their way.");
        Assert.AreEqual(5L * RecoveryWorld.Size, world.Path.BytesInFlight);
        world.Ack(first, first + 4);
        Assert.HasCount(2, world.Lost);
        Assert.HasCount(3, world.Acked);
        Assert.AreEqual(0, world.Path.BytesInFlight);
    }

    [TestMethod]
    public void A_datagram_is_not_told_as_lost_by_a_probe_timeout()
    {
        var world = new RecoveryWorld();
        var datagram = new SentFrame(SentFrameKind.Datagram, 7);
        world.Application.Frames.Record(SentFrame.Stream(0, 0, 10, false));
        ulong number = world.Send(frame: datagram);
        world.ExpireTimeout();
        Assert.HasCount(1, world.Lost);
        Assert.AreEqual(SentFrameKind.Stream, world.Lost[0].Frame.Kind);
        world.Ack(number);
        Assert.HasCount(1, world.Acked);
        Assert.AreEqual(datagram, world.Acked[0].Frame);
    }

    [TestMethod]
    public void An_acknowledgement_ends_the_back_off()
    {
        // RFC 9002 section 6.2.1.
        var world = new RecoveryWorld();
        ulong number = world.Send();
        world.ExpireTimeout();
        world.ExpireTimeout();
        Assert.AreEqual(2, world.Recovery.ProbeTimeoutCount);
        world.Ack(number);
        Assert.AreEqual(0, world.Recovery.ProbeTimeoutCount);
    }

    [TestMethod]
    public void A_client_keeps_its_back_off_on_acks_of_Initial_packets()
    {
        // RFC 9002 section 6.2.1: the server may still be waiting for proof of the address.
        var world = new RecoveryWorld(confirmed: false);
        ulong number = world.Send(world.Recovery.Initial);
        world.ExpireTimeout();
        world.Ack(number, world.Recovery.Initial);
        Assert.AreEqual(1, world.Recovery.ProbeTimeoutCount);

        ulong handshake = world.Send(world.Recovery.Handshake);
        world.Now += 10 * Millisecond;
        world.Ack(handshake, world.Recovery.Handshake);
        Assert.AreEqual(0, world.Recovery.ProbeTimeoutCount);
    }

    [TestMethod]
    public void A_client_with_nothing_on_the_way_probes_until_its_address_is_validated()
    {
        // RFC 9002 section 6.2.2.1: the anti-deadlock probe, in Initial and then in Handshake packets.
        var world = new RecoveryWorld(confirmed: false);
        ulong number = world.Send(world.Recovery.Initial);
        world.Now += 50 * Millisecond;
        world.Ack(number, world.Recovery.Initial);
        Assert.AreEqual(world.Now + world.Path.Rtt.ProbeTimeout, world.Recovery.NextTimeout);
        world.ExpireTimeout();
        Assert.AreEqual(1, world.Recovery.Initial.ProbesPending);

        world.Recovery.OnHandshakeKeys(world.Now);
        world.ExpireTimeout();
        Assert.AreEqual(1, world.Recovery.Handshake.ProbesPending);

        world.Recovery.OnHandshakeConfirmed(world.Now);
        Assert.AreEqual(long.MaxValue, world.Recovery.NextTimeout);
    }

    [TestMethod]
    public void A_client_with_only_early_data_on_the_way_still_probes_the_handshake()
    {
        // RFC 9002 section 6.2.2.1: 0-RTT packets have no timer of their own yet, and must not silence the handshake's.
        var world = new RecoveryWorld(confirmed: false);
        world.Send(level: EncryptionLevel.EarlyData);
        Assert.AreNotEqual(long.MaxValue, world.Recovery.NextTimeout);
        world.ExpireTimeout();
        Assert.AreEqual(1, world.Recovery.Initial.ProbesPending);
        Assert.AreEqual(0, world.Application.ProbesPending);
    }

    [TestMethod]
    public void A_server_with_nothing_on_the_way_is_silent()
    {
        var world = new RecoveryWorld(isClient: false, confirmed: false);
        ulong number = world.Send(world.Recovery.Initial);
        world.Now += 50 * Millisecond;
        world.Ack(number, world.Recovery.Initial);
        Assert.AreEqual(long.MaxValue, world.Recovery.NextTimeout);
    }

    [TestMethod]
    public void A_server_at_the_amplification_limit_arms_no_timer_and_is_overdue_when_it_is_lifted()
    {
        // RFC 9002 section 6.2.2.1.
        var world = new RecoveryWorld(isClient: false, confirmed: false);
        world.Send(world.Recovery.Handshake);
        world.Recovery.SetAmplificationLimited(true, world.Now);
        Assert.AreEqual(long.MaxValue, world.Recovery.NextTimeout);
        world.Now += 5_000 * Millisecond;
        world.Recovery.SetAmplificationLimited(false, world.Now);
        Assert.IsLessThanOrEqualTo(world.Now, world.Recovery.NextTimeout);
        world.Recovery.OnTimeout(world.Now);
        Assert.AreEqual(2, world.Recovery.Handshake.ProbesPending);
    }

    [TestMethod]
    public void Application_data_has_no_timer_before_the_handshake_is_confirmed()
    {
        // RFC 9002 section 6.2.1.
        var world = new RecoveryWorld(isClient: false, confirmed: false);
        world.Send();
        Assert.AreEqual(long.MaxValue, world.Recovery.NextTimeout);
        world.Recovery.OnHandshakeConfirmed(world.Now);
        Assert.AreNotEqual(long.MaxValue, world.Recovery.NextTimeout);
    }

    [TestMethod]
    public void A_timeout_of_one_handshake_space_repeats_the_other_too()
    {
        // RFC 9002 section 6.2.4: coalesced probes.
        var world = new RecoveryWorld(isClient: false, confirmed: false);
        world.Send(world.Recovery.Initial, frame: SentFrame.Crypto(EncryptionLevel.Initial, 0, 90));
        world.Send(world.Recovery.Handshake, frame: SentFrame.Crypto(EncryptionLevel.Handshake, 0, 900));
        world.ExpireTimeout();
        Assert.AreEqual(2, world.Recovery.Initial.ProbesPending);
        Assert.AreEqual(1, world.Recovery.Handshake.ProbesPending);
        Assert.HasCount(2, world.Lost);
    }

    [TestMethod]
    public void Discarding_keys_resets_the_back_off()
    {
        // RFC 9002 section 6.2.2.
        var world = new RecoveryWorld(isClient: false, confirmed: false);
        world.Send(world.Recovery.Initial);
        world.ExpireTimeout();
        world.Recovery.DiscardSpace(world.Recovery.Initial, world.Now);
        Assert.AreEqual(0, world.Recovery.ProbeTimeoutCount);
        Assert.AreEqual(long.MaxValue, world.Recovery.NextTimeout);
    }

    [TestMethod]
    public void A_timeout_calls_the_two_oldest_datagrams_overdue_and_none_lost()
    {
        // RFC 9002 section 6.2: a timeout proves no loss. RFC 9221 section 5: to send again is the application's decision.
        var world = new RecoveryWorld();
        for (ulong id = 1; id <= 3; id++)
        {
            world.Send(frame: new SentFrame(SentFrameKind.Datagram, id, 0, 100));
        }

        world.ExpireTimeout();
        CollectionAssert.AreEqual(new ulong[] { 1, 2 }, world.Overdue.Select(frame => frame.Id).ToArray());
        Assert.IsEmpty(world.Lost);
        Assert.AreEqual(2, world.Application.ProbesPending);
        world.Ack(0, 2);
        Assert.HasCount(3, world.Acked);
    }

    [TestMethod]
    public void A_timeout_alone_leaves_the_window_and_loses_nothing()
    {
        // RFC 9002 section 7.5 and appendix A.9.
        var world = new RecoveryWorld();
        world.Send();
        long window = world.Path.Congestion.Window;
        for (int i = 0; i < 40; i++)
        {
            world.ExpireTimeout();
        }

        Assert.AreEqual(window, world.Path.Congestion.Window);
        Assert.AreEqual(0UL, world.Path.PacketsLost);
        Assert.IsGreaterThan(world.Now, world.Recovery.NextTimeout);
    }

    [TestMethod]
    public void A_probe_counts_as_in_flight_though_the_window_is_full()
    {
        // RFC 9002 section 7.5.
        var world = new RecoveryWorld();
        world.SendMany(10);
        Assert.AreEqual(SendPermission.CongestionWindow, world.Application.CanSend(world.Path, RecoveryWorld.Size, world.Now));
        world.ExpireTimeout();
        world.Send(flags: RecoveryWorld.Eliciting | SentPacketFlags.PtoProbe);
        Assert.AreEqual(11L * RecoveryWorld.Size, world.Path.BytesInFlight);
    }
}
