using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.InFlight;
using Post.Quic.Engine.Recovery;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Tests.Recovery;

/// <summary>Which packets are taken for lost (RFC 9002 section 6.1), and what that does.</summary>
[TestClass]
public sealed class LossDetectionTests
{
    private const long Millisecond = RecoveryWorld.Millisecond;

    [TestMethod]
    public void A_packet_three_numbers_behind_is_lost_and_one_two_behind_is_not()
    {
        // RFC 9002 section 6.1.1.
        var world = new RecoveryWorld();
        world.MeasureRtt(50 * Millisecond);
        ulong first = world.SendMany(4);
        world.Now += 50 * Millisecond;
        world.Ack(first + 2);
        CollectionAssert.AreEqual(Array.Empty<ulong>(), world.LostNumbers.ToArray());
        world.Ack(first + 3);
        CollectionAssert.AreEqual(new[] { first }, world.LostNumbers.ToArray());
    }

    [TestMethod]
    public void A_packet_is_lost_by_time_an_eighth_of_a_round_trip_after_its_successor_was_acked()
    {
        // RFC 9002 section 6.1.2.
        var world = new RecoveryWorld();
        world.MeasureRtt(80 * Millisecond);
        ulong first = world.SendMany(2);
        long sent = world.Now;
        world.Now += 80 * Millisecond;
        world.Ack(first + 1);
        Assert.AreEqual(sent + (90 * Millisecond), world.Recovery.NextTimeout);
        Assert.IsEmpty(world.Lost);
        world.ExpireTimeout();
        CollectionAssert.AreEqual(new[] { first }, world.LostNumbers.ToArray());
        Assert.AreEqual(0, world.Application.ProbesPending, "A loss timeout asks for no probe.");
    }

    [TestMethod]
    public void No_probe_is_sent_while_the_time_threshold_is_awaited()
    {
        // RFC 9002 section 6.2.1: MUST NOT. After reordering the time threshold can lie behind the probe timeout.
        var world = new RecoveryWorld();
        world.Recovery.PeerMaxAckDelay = 0;
        for (int i = 0; i < 60; i++)
        {
            world.MeasureRtt(80 * Millisecond);
        }

        for (int i = 0; i < 8; i++)
        {
            ulong late = world.SendMany(2);
            world.Now += 80 * Millisecond;
            world.Ack(late + 1);
            world.ExpireTimeout();
            world.Ack(late, late + 1);
        }

        ulong waited = world.SendMany(2);
        long sent = world.Now;
        world.Now += 80 * Millisecond;
        world.Ack(waited + 1);
        Assert.IsGreaterThan(world.Path.Rtt.ProbeTimeout, world.Path.LossDelay);
        Assert.AreEqual(sent + world.Path.LossDelay, world.Recovery.NextTimeout);
        world.ExpireTimeout();
        Assert.AreEqual(0, world.Recovery.ProbeTimeoutCount);
        Assert.AreEqual(waited, world.LostNumbers.Last());
    }

    [TestMethod]
    public void A_path_probe_that_comes_late_undoes_no_congestion()
    {
        // The loss of a probe was never counted as congestion (RFC 9000 section 9.4), so its arrival excuses none.
        var world = new RecoveryWorld();
        world.MeasureRtt(80 * Millisecond);
        ulong probe = world.Send(
            flags: RecoveryWorld.Eliciting | SentPacketFlags.PathProbe, frame: new SentFrame(SentFrameKind.PathChallenge));
        _ = world.Send();
        ulong last = world.SendMany(6) + 5;
        world.Now += 80 * Millisecond;
        world.Ack(last);
        Assert.AreEqual(1L, world.Path.Congestion.CongestionEvents);
        long window = world.Path.Congestion.Window;
        for (ulong i = probe + 2; i < last; i++)
        {
            // All that was lost by number but one came late; that one and the probe make it look complete.
            world.Ack(i);
        }

        world.Ack(probe);
        Assert.AreEqual(0L, world.Path.Congestion.SpuriousCongestionEvents);
        Assert.AreEqual(window, world.Path.Congestion.Window);
    }

    [TestMethod]
    public void The_time_threshold_is_never_finer_than_the_granularity()
    {
        // RFC 9002 section 6.1.2.
        var world = new RecoveryWorld();
        world.MeasureRtt(40);
        ulong first = world.SendMany(2);
        long sent = world.Now;
        world.Now += 40;
        world.Ack(first + 1);
        Assert.AreEqual(sent + RttEstimator.Granularity, world.Recovery.NextTimeout);
    }

    [TestMethod]
    public void Nothing_is_lost_before_something_sent_later_is_acked()
    {
        // RFC 9002 section 6.1.
        var world = new RecoveryWorld();
        world.MeasureRtt(10 * Millisecond);
        ulong first = world.SendMany(5);
        world.Now += 10 * Millisecond;
        world.Ack(first);
        world.Now += 60_000 * Millisecond;
        world.Recovery.OnTimeout(world.Now);
        Assert.AreEqual(0UL, world.Path.PacketsLost);
    }

    [TestMethod]
    public void Every_frame_is_told_once_and_bytes_in_flight_return_to_zero()
    {
        var world = new RecoveryWorld();
        ulong first = world.SendMany(10);
        Assert.AreEqual(10L * RecoveryWorld.Size, world.Path.BytesInFlight);
        world.Now += 20 * Millisecond;
        world.Ack(first + 5, first + 9);
        world.Ack(first + 5, first + 9);
        Assert.HasCount(5, world.Acked);
        Assert.HasCount(5, world.Lost);
        Assert.AreEqual(0, world.Path.BytesInFlight);
        Assert.AreEqual(0, world.Application.Frames.Count);
        Assert.AreEqual(0, world.Application.Sent.Length);
    }

    [TestMethod]
    public void Losses_of_one_round_trip_shrink_the_window_once()
    {
        // RFC 9002 section 7.3.2.
        var world = new RecoveryWorld();
        ulong first = world.SendMany(10);
        long window = world.Path.Congestion.Window;
        world.Now += 20 * Millisecond;
        world.Ack(first + 3);
        world.Ack(first + 6);
        Assert.AreEqual(window / 2, world.Path.Congestion.Window);
        Assert.AreEqual(1, world.Path.Congestion.CongestionEvents);
        Assert.IsTrue(world.Path.InRecovery);
    }

    [TestMethod]
    public void The_loss_of_an_MTU_probe_is_not_congestion()
    {
        // RFC 9000 section 14.4.
        var world = new RecoveryWorld(mtuLimit: 1472);
        world.MeasureRtt(20 * Millisecond);
        Assert.AreEqual(1472, world.Path.Mtu.NextProbe(world.Now));
        world.Send(size: 1472, flags: RecoveryWorld.Eliciting | SentPacketFlags.MtuProbe);
        ulong next = world.SendMany(3);
        long window = world.Path.Congestion.Window;
        world.Now += 20 * Millisecond;
        world.Ack(next, next + 2);
        Assert.AreEqual(1UL, world.Path.PacketsLost);
        Assert.AreEqual(0, world.Path.Congestion.CongestionEvents);
        Assert.IsGreaterThanOrEqualTo(window, world.Path.Congestion.Window);
        Assert.AreEqual(0, world.Path.BytesInFlight);
        Assert.AreEqual(1232, world.Path.Mtu.NextProbe(world.Now), "The search goes on with a smaller size.");
    }

    [TestMethod]
    public void An_ack_of_a_lost_packet_raises_the_packet_threshold_and_gives_the_window_back()
    {
        // RFC 9002 section 6.1.1: thresholds may adapt to reordering.
        var world = new RecoveryWorld(congestion: new CubicController(RecoveryWorld.Size));
        world.MeasureRtt(50 * Millisecond);
        ulong first = world.SendMany(6);
        long window = world.Path.Congestion.Window;
        world.Now += 50 * Millisecond;
        world.Ack(first + 4);
        Assert.HasCount(2, world.Lost);
        Assert.IsLessThan(window, world.Path.Congestion.Window);
        world.Ack(first, first + 1);
        Assert.IsGreaterThanOrEqualTo(window, world.Path.Congestion.Window);
        Assert.AreEqual(1, world.Path.Congestion.SpuriousCongestionEvents);
        Assert.AreEqual(2UL, world.Path.PacketsSpuriouslyLost);
        Assert.AreEqual(5, world.Path.PacketThreshold);

        world.Ack(first, first + 5);
        ulong second = world.SendMany(6);
        world.Ack(second + 4);
        Assert.HasCount(2, world.Lost, "The same reordering is no loss any more.");
    }

    [TestMethod]
    public void A_partly_spurious_loss_does_not_give_the_window_back()
    {
        var world = new RecoveryWorld();
        ulong first = world.SendMany(6);
        world.Now += 50 * Millisecond;
        world.Ack(first + 4);
        long window = world.Path.Congestion.Window;
        world.Ack(first);
        Assert.AreEqual(window, world.Path.Congestion.Window);
        Assert.AreEqual(0, world.Path.Congestion.SpuriousCongestionEvents);
    }

    [TestMethod]
    public void Reordering_found_by_time_makes_the_time_threshold_longer()
    {
        var world = new RecoveryWorld();
        world.MeasureRtt(80 * Millisecond);
        ulong first = world.SendMany(2);
        world.Now += 80 * Millisecond;
        world.Ack(first + 1);
        world.ExpireTimeout();
        long before = world.Path.LossDelay;
        world.Ack(first);
        Assert.AreEqual(before * 10 / 9, world.Path.LossDelay);
    }

    [TestMethod]
    public void The_thresholds_stay_below_their_caps_whatever_is_acked_late()
    {
        var world = new RecoveryWorld(random: new Crypto.SeededRandomSource(7));
        world.MeasureRtt(80 * Millisecond);
        for (int round = 0; round < 50; round++)
        {
            ulong first = world.SendMany(2000);
            ulong last = world.Application.NextPacketNumber - 1;
            world.Now += 80 * Millisecond;
            world.Ack(last);
            while (world.Application.HasSkipped(new PacketNumberRange(last - 1, last - 1)))
            {
                last--;
            }

            world.Ack(last - 1);
            _ = first;
        }

        Assert.IsLessThanOrEqualTo(Limits.ReorderingThreshold, world.Path.PacketThreshold);
        Assert.IsLessThanOrEqualTo(2 * Math.Max(world.Path.Rtt.Latest, world.Path.Rtt.Smoothed), world.Path.LossDelay);
    }

    [TestMethod]
    public void Packets_of_a_removed_path_are_waited_for_without_touching_the_new_path()
    {
        // RFC 9000 section 9.4: no round trip and no congestion of the old path counts for the new one.
        var world = new RecoveryWorld();
        ulong old = world.SendMany(5);
        var path = new Transmission(
            world.Recovery.Transmissions.FreeIndex,
            new NewRenoController(RecoveryWorld.Size),
            new MtuDiscovery(RecoveryWorld.Size),
            ecnEnabled: false);
        world.Recovery.Add(path);
        world.Recovery.Activate(path, world.Now);
        world.Recovery.Remove(world.Path, world.Now);
        ulong next = world.Send(path: path);
        world.Now += 30 * Millisecond;
        world.Ack(old + 1);
        Assert.IsFalse(path.Rtt.HasSample);
        world.Ack(next);
        Assert.IsTrue(path.Rtt.HasSample);
        CollectionAssert.Contains(world.LostNumbers.ToArray(), old);
        Assert.AreEqual(0, path.BytesInFlight);
        Assert.AreEqual(0, path.Congestion.CongestionEvents);
    }

    [TestMethod]
    public void Retry_sends_everything_again_without_congestion_and_keeps_the_numbers()
    {
        // RFC 9002 section 6.2.3, RFC 9000 section 17.2.5.3.
        var world = new RecoveryWorld(confirmed: false);
        world.Send(world.Recovery.Initial, frame: SentFrame.Crypto(EncryptionLevel.Initial, 0, 300));
        world.Send(level: EncryptionLevel.EarlyData);
        world.Now += 70 * Millisecond;
        world.Recovery.OnRetry(world.Now);
        Assert.HasCount(2, world.Lost);
        Assert.AreEqual(0, world.Path.BytesInFlight);
        Assert.AreEqual(0, world.Path.Congestion.CongestionEvents);
        Assert.AreEqual(1UL, world.Recovery.Initial.NextPacketNumber);
        Assert.AreEqual(70 * Millisecond, world.Path.Rtt.Smoothed);
        Assert.IsFalse(world.Path.Rtt.HasSample);
    }

    [TestMethod]
    public void Rejected_early_data_leaves_the_flight_without_congestion_and_1_RTT_packets_stay()
    {
        // RFC 9001 section 4.6.2.
        var world = new RecoveryWorld(confirmed: false);
        world.Send(level: EncryptionLevel.EarlyData);
        world.Send(level: EncryptionLevel.EarlyData);
        world.Send();
        world.Recovery.OnEarlyDataRejected(world.Now);
        CollectionAssert.AreEqual(new ulong[] { 0, 1 }, world.LostNumbers.ToArray());
        Assert.AreEqual(RecoveryWorld.Size, world.Path.BytesInFlight);
        Assert.AreEqual(0, world.Path.Congestion.CongestionEvents);
        Assert.AreEqual(0UL, world.Path.PacketsLost);
    }

    [TestMethod]
    public void Discarding_a_space_takes_its_packets_out_of_flight_and_tells_nothing()
    {
        // RFC 9002 section 6.4.
        var world = new RecoveryWorld(confirmed: false);
        world.Send(world.Recovery.Initial);
        world.Send(world.Recovery.Handshake);
        world.Recovery.DiscardSpace(world.Recovery.Initial, world.Now);
        Assert.AreEqual(RecoveryWorld.Size, world.Path.BytesInFlight);
        Assert.IsEmpty(world.Lost);
        Assert.IsTrue(world.Recovery.Initial.IsDiscarded);
    }

    [TestMethod]
    public void An_ack_of_a_packet_never_sent_is_a_protocol_violation()
    {
        // RFC 9000 section 13.1.
        var world = new RecoveryWorld();
        ulong last = world.Send();
        Assert.AreEqual(TransportErrorCode.ProtocolViolation, world.Ack(last + 1).Code);
        Assert.IsFalse(world.Ack(last).IsError);
    }

    [TestMethod]
    public void An_ack_of_a_skipped_number_is_a_protocol_violation_and_honest_acks_never_are()
    {
        // RFC 9000 section 21.4: optimistic ACK.
        int seed = Random.Shared.Next();
        var world = new RecoveryWorld(random: new Crypto.SeededRandomSource(seed));
        ulong before = world.Send();
        int skips = 0;
        for (int i = 0; i < 5000; i++)
        {
            ulong number = world.Send();
            if (number != before + 1)
            {
                skips++;
                Assert.AreEqual(before + 2, number, $"seed {seed}");
                PacketNumberRange[] honest = [new(number, number), new(before, before)];
                Assert.IsFalse(world.AckRanges(honest).IsError, $"seed {seed}");

                // Everything before the gap is settled, and still the gap is guarded.
                var cheating = new RecoveryWorld(random: new Crypto.SeededRandomSource(seed));
                while (cheating.Application.NextPacketNumber <= number)
                {
                    cheating.Send();
                }

                Assert.AreEqual(TransportErrorCode.ProtocolViolation, cheating.Ack(before, number).Code, $"seed {seed}");
                Assert.AreEqual(TransportErrorCode.ProtocolViolation, world.Ack(before + 1).Code, $"seed {seed}");
            }

            before = number;
        }

        Assert.IsGreaterThanOrEqualTo(3, skips, $"seed {seed}");
    }

    [TestMethod]
    public void A_range_over_all_numbers_costs_no_more_than_the_packets_in_flight()
    {
        // ACK-range CPU burn: a range of 2^62 numbers must not be walked.
        var world = new RecoveryWorld();
        ulong first = world.SendMany(3);
        world.Now += 1000;
        for (int i = 0; i < 10_000; i++)
        {
            Assert.IsFalse(world.Ack(0, first + 2).IsError);
        }

        Assert.HasCount(3, world.Acked);
    }

    [TestMethod]
    public void A_silent_peer_makes_the_ring_grow_no_further_than_its_cap()
    {
        var world = new RecoveryWorld(congestion: new NewRenoController(RecoveryWorld.Size));
        PacketNumberSpace space = world.Application;
        while (space.CanSend(world.Path, 1, world.Now) != SendPermission.Bookkeeping)
        {
            world.Recovery.OnPacketSent(space, world.Path, new PacketSent(1, RecoveryWorld.Eliciting, EncryptionLevel.Application), world.Now);
            Assert.IsLessThanOrEqualTo(Limits.SentPackets, space.Sent.Length);
        }

        // Probes and ACKs leave without asking.
        for (int i = 0; i < 3 * Limits.SentPackets; i++)
        {
            world.Recovery.OnPacketSent(space, world.Path, new PacketSent(1, RecoveryWorld.Eliciting, EncryptionLevel.Application), world.Now);
        }

        Assert.IsLessThanOrEqualTo(2 * Limits.SentPackets, space.Sent.Length);
    }

    [TestMethod]
    public void ACKs_that_nobody_confirms_are_forgotten()
    {
        var world = new RecoveryWorld();
        for (ulong i = 0; i < 10_000; i++)
        {
            world.Send(size: 40, flags: SentPacketFlags.None, frame: new SentFrame(SentFrameKind.Ack, i));
        }

        Assert.IsLessThanOrEqualTo(Limits.SentAckOnlyPackets, world.Application.Sent.Length);
        Assert.IsLessThanOrEqualTo(Limits.SentAckOnlyPackets, world.Application.Frames.Count);
        Assert.AreEqual(0, world.Path.BytesInFlight);
        Assert.AreEqual(long.MaxValue, world.Recovery.NextTimeout);
    }

    [TestMethod]
    public void An_endpoint_that_only_sends_ACKs_adds_a_PING_at_most_once_in_a_round_trip()
    {
        // RFC 9000 section 13.2.4.
        var world = new RecoveryWorld();
        world.MeasureRtt(100 * Millisecond);
        int pings = 0;
        (ulong Number, long Sent)? answer = null;
        for (int i = 0; i < 1000; i++)
        {
            world.Now += Millisecond;
            if (answer is { } due && world.Now - due.Sent >= 100 * Millisecond)
            {
                world.Ack(due.Number);
                answer = null;
            }

            bool ping = world.Recovery.ShouldAddPing(world.Application, world.Now);
            ulong number = world.Send(
                size: 40,
                flags: ping ? RecoveryWorld.Eliciting : SentPacketFlags.None,
                frame: new SentFrame(ping ? SentFrameKind.Ping : SentFrameKind.Ack));
            if (ping)
            {
                pings++;
                answer = (number, world.Now);
            }
        }

        Assert.IsTrue(pings is >= 5 and <= 12, $"{pings} in ten round trips");
    }
}
