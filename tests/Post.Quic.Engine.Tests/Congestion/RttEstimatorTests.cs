using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Tests.Recovery;

namespace Post.Quic.Engine.Tests.Congestion;

/// <summary>Round-trip estimation (RFC 9002 section 5).</summary>
[TestClass]
public sealed class RttEstimatorTests
{
    private const long Millisecond = 1_000;

    [TestMethod]
    public void Before_a_sample_the_round_trip_is_333_ms()
    {
        // RFC 9002 section 6.2.2.
        var rtt = new RttEstimator();
        Assert.AreEqual(333 * Millisecond, rtt.Smoothed);
        Assert.AreEqual(166_500, rtt.Variation);
        Assert.IsFalse(rtt.HasSample);
    }

    [TestMethod]
    public void The_first_sample_is_taken_as_it_is()
    {
        // RFC 9002 section 5.3: the acknowledgement delay is not subtracted from it.
        var rtt = new RttEstimator();
        rtt.AddSample(80 * Millisecond, 20 * Millisecond, now: 5);
        Assert.AreEqual(80 * Millisecond, rtt.Smoothed);
        Assert.AreEqual(40 * Millisecond, rtt.Variation);
        Assert.AreEqual(80 * Millisecond, rtt.Minimum);
        Assert.AreEqual(5, rtt.FirstSampleTime);
    }

    [TestMethod]
    public void Later_samples_count_an_eighth_and_a_quarter()
    {
        // RFC 9002 section 5.3.
        var rtt = new RttEstimator();
        rtt.AddSample(80 * Millisecond, 0, 0);
        rtt.AddSample(160 * Millisecond, 40 * Millisecond, 0);
        Assert.AreEqual(85 * Millisecond, rtt.Smoothed);
        Assert.AreEqual(40 * Millisecond, rtt.Variation);
        Assert.AreEqual(160 * Millisecond, rtt.Latest);
        Assert.AreEqual(85 * Millisecond + (160 * Millisecond), rtt.ProbeTimeout);
    }

    [TestMethod]
    public void A_delay_that_would_undercut_the_minimum_is_ignored()
    {
        // RFC 9002 section 5.3.
        var rtt = new RttEstimator();
        rtt.AddSample(80 * Millisecond, 0, 0);
        rtt.AddSample(88 * Millisecond, 10 * Millisecond, 0);
        Assert.AreEqual(81 * Millisecond, rtt.Smoothed);
    }

    [TestMethod]
    public void The_minimum_ignores_acknowledgement_delays()
    {
        // RFC 9002 section 5.2.
        var rtt = new RttEstimator();
        rtt.AddSample(80 * Millisecond, 0, 0);
        rtt.AddSample(120 * Millisecond, 40 * Millisecond, 0);
        Assert.AreEqual(80 * Millisecond, rtt.Minimum);
    }

    [TestMethod]
    public void Tiny_round_trips_are_averaged_without_bias()
    {
        // On loopback; plain integers would lose up to 7 us at each sample.
        var rtt = new RttEstimator();
        for (int i = 0; i < 200; i++)
        {
            rtt.AddSample(i % 2 == 0 ? 47 : 53, 0, 0);
        }

        Assert.IsTrue(rtt.Smoothed is >= 49 and <= 51, $"{rtt.Smoothed}");
        Assert.IsTrue(rtt.Variation is >= 2 and <= 4, $"{rtt.Variation}");
    }

    [TestMethod]
    public void An_assumed_round_trip_gives_way_to_a_measured_one()
    {
        var rtt = new RttEstimator();
        rtt.Assume(50 * Millisecond);
        Assert.AreEqual(50 * Millisecond, rtt.Smoothed);
        rtt.AddSample(20 * Millisecond, 0, 0);
        rtt.Assume(50 * Millisecond);
        Assert.AreEqual(20 * Millisecond, rtt.Smoothed);
    }

    [TestMethod]
    public void A_sample_needs_the_largest_to_be_newly_acked_and_something_ack_eliciting()
    {
        // RFC 9002 section 5.1.
        var world = new RecoveryWorld();
        ulong first = world.Send();
        ulong ackOnly = world.Send(size: 40, flags: Engine.Recovery.SentPacketFlags.None);
        world.Now += 30 * Millisecond;
        world.Ack(ackOnly);
        Assert.IsFalse(world.Path.Rtt.HasSample, "Only an ACK was acknowledged.");
        world.AckRanges([new(first, ackOnly)]);
        Assert.IsFalse(world.Path.Rtt.HasSample, "The largest was acknowledged before.");
        world.MeasureRtt(30 * Millisecond);
        Assert.IsTrue(world.Path.Rtt.HasSample);
    }

    [TestMethod]
    public void The_delay_is_ignored_in_handshake_spaces_and_clamped_once_confirmed()
    {
        // RFC 9002 section 5.3.
        var handshake = new RecoveryWorld(confirmed: false);
        Measure(handshake, handshake.Recovery.Handshake, 80 * Millisecond, 0);
        Measure(handshake, handshake.Recovery.Handshake, 160 * Millisecond, 60 * Millisecond);
        Assert.AreEqual(90 * Millisecond, handshake.Path.Rtt.Smoothed);

        var unconfirmed = new RecoveryWorld(confirmed: false);
        Measure(unconfirmed, unconfirmed.Application, 80 * Millisecond, 0);
        Measure(unconfirmed, unconfirmed.Application, 160 * Millisecond, 80 * Millisecond);
        Assert.AreEqual(80 * Millisecond, unconfirmed.Path.Rtt.Smoothed, "Keys came late: the whole delay counts.");

        var confirmed = new RecoveryWorld();
        Measure(confirmed, confirmed.Application, 80 * Millisecond, 0);
        Measure(confirmed, confirmed.Application, 185 * Millisecond, 80 * Millisecond);
        Assert.AreEqual(90 * Millisecond, confirmed.Path.Rtt.Smoothed, "Not more than the promised 25 ms.");
    }

    [TestMethod]
    public void An_absurd_delay_on_the_wire_does_no_harm()
    {
        var world = new RecoveryWorld(confirmed: false) { Recovery = { PeerAckDelayExponent = 20 } };
        Measure(world, world.Application, 80 * Millisecond, 0);
        Measure(world, world.Application, 80 * Millisecond, long.MaxValue / 4);
        Assert.AreEqual(80 * Millisecond, world.Path.Rtt.Smoothed);
    }

    private static void Measure(RecoveryWorld world, Engine.Recovery.PacketNumberSpace space, long rtt, long delay)
    {
        ulong number = world.Send(space);
        world.Now += rtt;
        Assert.IsFalse(world.Ack(number, space, delay).IsError);
    }
}
