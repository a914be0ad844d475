using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Recovery;

namespace Post.Quic.Engine.Tests.Recovery;

/// <summary>Delivery-rate samples (draft-ietf-ccwg-bbr section 4.1) against figures worked out by hand.</summary>
[TestClass]
public sealed class DeliverySamplerTests
{
    private DeliverySampler _sampler;

    [TestMethod]
    public void A_rate_is_what_was_delivered_over_the_time_that_the_acknowledgement_took()
    {
        SentPacket first = Send(at: 0, inFlight: 0);
        SentPacket second = Send(at: 1_000, inFlight: 1_000);
        DeliverySample sample = Acknowledge(at: 50_000, first);
        Assert.AreEqual((20_000L, 1_000L, 0UL), (sample.Rate, sample.Delivered, sample.PriorDelivered));

        // The second was sent when nothing had been delivered: two thousand bytes since then, in 51 ms from the first's departure.
        sample = Acknowledge(at: 51_000, second);
        Assert.AreEqual((2_000 * 1_000_000L / 51_000, 2_000L, 0UL), (sample.Rate, sample.Delivered, sample.PriorDelivered));
        Assert.AreEqual(2_000UL, sample.TotalDelivered);
    }

    [TestMethod]
    public void Acknowledgements_that_come_in_a_heap_are_held_to_the_rate_of_sending()
    {
        SentPacket first = Send(at: 0, inFlight: 0);
        _ = Acknowledge(at: 10_000, first);
        SentPacket[] later = new SentPacket[10];
        for (int i = 0; i < later.Length; i++)
        {
            later[i] = Send(at: 10_000 + (i * 10_000), inFlight: i * 1_000);
        }

        // Sent over 90 ms; the newest is acknowledged 10 ms after it was sent, with all others.
        DeliverySample sample = Acknowledge(at: 110_000, later);
        Assert.AreEqual(10_000 * 1_000_000L / 100_000, sample.Rate);
        SentPacket next = Send(at: 110_000, inFlight: 1_000);
        Assert.AreEqual((0U, 10_000U), (next.SinceDelivered, next.SinceFirstSent));
    }

    [TestMethod]
    public void After_silence_the_time_starts_with_the_next_packet()
    {
        SentPacket first = Send(at: 0, inFlight: 0);
        _ = Acknowledge(at: 10_000, first);
        SentPacket second = Send(at: 5_000_000, inFlight: 0);
        DeliverySample sample = Acknowledge(at: 5_010_000, second);
        Assert.AreEqual(100_000L, sample.Rate);
    }

    [TestMethod]
    public void An_interval_below_the_shortest_round_trip_tells_no_rate()
    {
        SentPacket first = Send(at: 0, inFlight: 0);
        DeliverySample sample = Acknowledge(at: 10_000, minimumRtt: 10_001, first);
        Assert.AreEqual(0L, sample.Rate);
        Assert.AreEqual(1_000L, sample.Delivered);
    }

    [TestMethod]
    public void Losses_between_sending_and_acknowledgement_count()
    {
        SentPacket first = Send(at: 0, inFlight: 0);
        SentPacket second = Send(at: 1_000, inFlight: 1_000);
        Assert.AreEqual(1_000L, _sampler.OnLost(first));
        SentPacket third = Send(at: 60_000, inFlight: 1_000);
        Assert.AreEqual(1_000L, Acknowledge(at: 70_000, second).Lost);
        DeliverySample sample = Acknowledge(at: 110_000, third);
        Assert.AreEqual((0L, 2_000L), (sample.Lost, sample.SentInFlight));
    }

    [TestMethod]
    public void Samples_are_limited_by_the_application_until_what_follows_the_pause_has_arrived()
    {
        SentPacket first = Send(at: 0, inFlight: 0);
        _sampler.MarkAppLimited(bytesInFlight: 1_000);
        SentPacket second = Send(at: 1_000, inFlight: 1_000);
        Assert.IsFalse(Acknowledge(at: 50_000, first).IsAppLimited);
        SentPacket third = Send(at: 50_000, inFlight: 1_000);
        Assert.IsTrue(_sampler.IsAppLimited);
        Assert.IsTrue(Acknowledge(at: 51_000, second).IsAppLimited);
        Assert.IsFalse(_sampler.IsAppLimited);
        SentPacket fourth = Send(at: 51_000, inFlight: 1_000);
        Assert.IsTrue(Acknowledge(at: 100_000, third).IsAppLimited);
        Assert.IsFalse(Acknowledge(at: 101_000, fourth).IsAppLimited);
    }

    [TestMethod]
    public void A_mark_before_anything_was_sent_holds()
    {
        _sampler.MarkAppLimited(bytesInFlight: 0);
        Assert.IsTrue(_sampler.IsAppLimited);
        Assert.IsTrue(Acknowledge(at: 10, Send(at: 0, inFlight: 0)).IsAppLimited);
    }

    private SentPacket Send(long at, long inFlight)
    {
        var packet = new SentPacket { Size = 1_000, TimeSent = at };
        _sampler.OnSent(ref packet, inFlight);
        return packet;
    }

    private DeliverySample Acknowledge(long at, params SentPacket[] packets) => Acknowledge(at, 1, packets);

    private DeliverySample Acknowledge(long at, long minimumRtt, params SentPacket[] packets)
    {
        _sampler.BeginAck();
        foreach (SentPacket packet in packets)
        {
            _sampler.OnAcked(packet);
        }

        return _sampler.EndAck(minimumRtt, at);
    }
}
