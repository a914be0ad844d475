using Post.Quic.Engine.Recovery;

namespace Post.Quic.Engine.Tests.Recovery;

/// <summary>Persistent congestion (RFC 9002 section 7.6).</summary>
[TestClass]
public sealed class PersistentCongestionTests
{
    private const long Millisecond = RecoveryWorld.Millisecond;

    [TestMethod]
    public void Silence_of_three_probe_timeouts_brings_the_window_to_its_minimum()
    {
        RecoveryWorld world = Measured();
        ulong last = SendOver(world, Duration(world) + Millisecond);
        world.Ack(last);
        Assert.AreEqual(1, world.Path.Congestion.PersistentCongestionEvents);
        Assert.AreEqual(world.Path.Congestion.MinimumWindow, world.Path.Congestion.Window);
        Assert.IsTrue(world.Path.Congestion.InSlowStart);
    }

    [TestMethod]
    public void A_shorter_silence_is_ordinary_congestion()
    {
        RecoveryWorld world = Measured();

        // The sample of the ACK itself comes first and makes the variation smaller.
        ulong last = SendOver(world, Duration(world) * 3 / 4);
        world.Ack(last);
        Assert.AreEqual(0, world.Path.Congestion.PersistentCongestionEvents);
        Assert.AreEqual(1, world.Path.Congestion.CongestionEvents);
    }

    [TestMethod]
    public void Nothing_before_the_first_round_trip_sample_counts()
    {
        // RFC 9002 section 7.6.2.
        var world = new RecoveryWorld();
        ulong last = SendOver(world, 60_000 * Millisecond);
        world.Ack(last);
        Assert.AreEqual(1, world.Path.Congestion.CongestionEvents);
        Assert.AreEqual(0, world.Path.Congestion.PersistentCongestionEvents);
    }

    [TestMethod]
    public void An_acknowledged_packet_in_between_breaks_the_silence()
    {
        // RFC 9002 section 7.6.2.
        RecoveryWorld world = Measured();
        long step = (Duration(world) / 2) + Millisecond;
        world.Send();
        world.Now += step;
        ulong middle = world.Send();
        world.Now += step;
        world.Send();
        world.Now += 200 * Millisecond;
        ulong last = world.SendMany(3) + 2;
        world.AckRanges([new(last, last), new(middle, middle)]);
        Assert.AreEqual(2, world.LostNumbers.Count(n => n < middle + 2));
        Assert.AreEqual(0, world.Path.Congestion.PersistentCongestionEvents);
    }

    [TestMethod]
    public void An_acknowledgement_in_another_space_breaks_the_silence()
    {
        // RFC 9002 section 7.6.2: none of the packets sent in between, across all spaces, was acknowledged.
        RecoveryWorld world = Measured();
        world.Send();
        world.Now += Duration(world) / 2;
        ulong other = world.Send(world.Recovery.Handshake);
        world.Now += (Duration(world) / 2) + Millisecond;
        world.Send();
        world.Ack(other, world.Recovery.Handshake);
        world.Now += 10 * Millisecond;
        ulong last = world.SendMany(3) + 2;
        world.Ack(last);
        Assert.AreEqual(0, world.Path.Congestion.PersistentCongestionEvents);
    }

    [TestMethod]
    public void The_lost_ends_of_the_silence_must_be_ack_eliciting()
    {
        // RFC 9002 section 7.6.2.
        RecoveryWorld world = Measured();
        world.Send(flags: SentPacketFlags.InFlight);
        world.Now += Duration(world) + Millisecond;
        ulong last = world.SendMany(4) + 3;
        world.Ack(last);
        Assert.IsGreaterThanOrEqualTo(1UL, world.Path.PacketsLost);
        Assert.AreEqual(0, world.Path.Congestion.PersistentCongestionEvents);
    }

    [TestMethod]
    public void The_minimal_round_trip_is_measured_anew_afterwards()
    {
        // RFC 9002 section 5.2.
        RecoveryWorld world = Measured();
        Assert.AreEqual(100 * Millisecond, world.Path.Rtt.Minimum);
        world.Ack(SendOver(world, Duration(world) + Millisecond));
        world.MeasureRtt(300 * Millisecond);
        Assert.AreEqual(300 * Millisecond, world.Path.Rtt.Minimum);
    }

    private static RecoveryWorld Measured()
    {
        var world = new RecoveryWorld();
        world.MeasureRtt(100 * Millisecond);
        world.Now += Millisecond;
        return world;
    }

    private static long Duration(RecoveryWorld world) =>
        3 * (world.Path.Rtt.ProbeTimeout + world.Recovery.PeerMaxAckDelay);

    /// <summary>Two packets so far apart, then three that overtake them; returns the number of the last.</summary>
    private static ulong SendOver(RecoveryWorld world, long time)
    {
        world.Send();
        world.Now += time;
        world.Send();
        ulong last = world.SendMany(3) + 2;
        world.Now += 100 * Millisecond;
        return last;
    }
}
