using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.InFlight;
using Post.Quic.Engine.Recovery;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;
using Post.Quic.Engine.Wire.Parameters;

namespace Post.Quic.Engine.Tests.Recovery;

/// <summary>What we ask of a peer's acknowledgements (draft-ietf-quic-ack-frequency).</summary>
[TestClass]
public sealed class AckFrequencyRequestTests
{
    private const long Millisecond = RecoveryWorld.Millisecond;

    private static readonly TransportParameters Peer = new() { MaxAckDelay = 25, MinAckDelay = 2_000 };

    private readonly RecoveryWorld _world = new();
    private readonly AckFrequencyRequest _request = new();

    [TestMethod]
    public void Nothing_is_asked_of_a_peer_that_does_not_know_the_frame()
    {
        Widen(to: 500);
        _request.Update(_world.Path, Peer with { MinAckDelay = null });
        Assert.IsFalse(_request.HasDataToSend);
    }

    [TestMethod]
    public void Nothing_is_asked_while_the_window_is_small()
    {
        _world.MeasureRtt(40 * Millisecond);
        _request.Update(_world.Path, Peer);
        Assert.IsFalse(_request.HasDataToSend);
        Assert.IsFalse(_request.IsInForce);
    }

    [TestMethod]
    public void A_window_that_congestion_made_small_asks_for_the_shortest_delay_until_it_is_twice_as_large()
    {
        Widen(to: 20);
        _world.Path.OnCongestion(_world.Now, _world.Now, ecn: false);
        Assert.AreEqual(10, _world.Path.Congestion.Window / RecoveryWorld.Size);
        _request.Update(_world.Path, Peer);
        AckFrequencyFrame small = Write();
        Assert.AreEqual(1UL, small.AckElicitingThreshold);
        Assert.AreEqual(Peer.MinAckDelay, small.RequestedMaxAckDelay);
        Assert.IsFalse(_request.IsInForce, "A probe has its answer soon anyway.");
        GrowTo(31);
        _request.Update(_world.Path, Peer);
        Assert.IsFalse(_request.HasDataToSend);
        GrowTo(32);
        _request.Update(_world.Path, Peer);
        AckFrequencyFrame usual = Write();
        Assert.AreEqual(1UL, usual.AckElicitingThreshold, "as without being asked");
        Assert.AreEqual((ulong)_world.Path.Rtt.Smoothed / 4, usual.RequestedMaxAckDelay);
        GrowTo(40);
        _world.Path.OnCongestion(_world.Now + 1, _world.Now + 1, ecn: false);
        _request.Update(_world.Path, Peer);
        Assert.IsFalse(_request.HasDataToSend, "20 packets are not few.");
    }

    /// <summary>picoquic refuses a threshold of 0, other peers a delay outside of what they announced.</summary>
    [TestMethod]
    [DataRow(1_000UL, 1UL)]
    [DataRow(25_000UL, 25UL)]
    [DataRow(16_383_000UL, 16_383UL)]
    public void No_window_asks_for_what_a_peer_refuses(ulong minimum, ulong maximum)
    {
        TransportParameters peer = Peer with { MinAckDelay = minimum, MaxAckDelay = maximum };
        int asked = 0;
        for (int window = 1; window < 70; window++)
        {
            var world = new RecoveryWorld();
            var request = new AckFrequencyRequest();
            Widen(to: 2 * window, rtt: window * Millisecond, world);
            request.Update(world.Path, peer);
            Check(request);
            for (int i = 0; i < 3; i++)
            {
                world.Path.OnCongestion(world.Now + i, world.Now + i, ecn: false);
                request.Update(world.Path, peer);
                Check(request);
            }

            world.Path.OnPersistentCongestion(world.Now);
            request.Update(world.Path, peer);
            Check(request);
        }

        Assert.IsGreaterThan(70, asked);

        void Check(AckFrequencyRequest request)
        {
            if (!request.HasDataToSend)
            {
                return;
            }

            asked++;
            AckFrequencyFrame frame = Write(request);
            Assert.IsGreaterThanOrEqualTo(1UL, frame.AckElicitingThreshold);
            Assert.IsInRange(minimum, maximum * 1000, frame.RequestedMaxAckDelay);
        }
    }

    [TestMethod]
    public void A_large_window_asks_for_sixteen_acknowledgements_of_it()
    {
        Widen(to: 160);
        _request.Update(_world.Path, Peer);
        AckFrequencyFrame frame = Write();
        long window = _world.Path.Congestion.Window / RecoveryWorld.Size;
        Assert.AreEqual((ulong)(window / 16) - 1, frame.AckElicitingThreshold);
        Assert.AreEqual(1UL, frame.ReorderingThreshold, "Losses are found as early as ever.");
        Assert.AreEqual((ulong)_world.Path.Rtt.Smoothed / 4, frame.RequestedMaxAckDelay);
        Assert.IsTrue(_request.IsInForce);
    }

    [TestMethod]
    public void What_is_asked_stays_within_what_the_peer_announced()
    {
        Widen(to: 2_000, rtt: Millisecond);
        _request.Update(_world.Path, Peer);
        AckFrequencyFrame frame = Write();
        Assert.AreEqual((ulong)Limits.PacketsPerAck - 1, frame.AckElicitingThreshold);
        Assert.AreEqual(2_000UL, frame.RequestedMaxAckDelay);

        var distant = new AckFrequencyRequest();
        var world = new RecoveryWorld();
        Widen(to: 200, rtt: 600 * Millisecond, world);
        distant.Update(world.Path, Peer);
        Assert.AreEqual(25_000UL, Write(distant).RequestedMaxAckDelay);
    }

    [TestMethod]
    public void It_is_asked_anew_when_the_window_has_doubled_or_halved_and_not_before()
    {
        Widen(to: 160);
        _request.Update(_world.Path, Peer);
        ulong first = Write().AckElicitingThreshold;
        Widen(to: 250);
        _request.Update(_world.Path, Peer);
        Assert.IsFalse(_request.HasDataToSend);
        Widen(to: 500);
        _request.Update(_world.Path, Peer);
        AckFrequencyFrame wider = Write();
        Assert.IsGreaterThan(first, wider.AckElicitingThreshold);
        Assert.AreEqual(1UL, wider.SequenceNumber);
        _world.Path.OnPersistentCongestion(_world.Now);
        _request.Update(_world.Path, Peer);
        Assert.AreEqual(1UL, Write().AckElicitingThreshold, "as without being asked");
        Assert.IsFalse(_request.IsInForce);
    }

    [TestMethod]
    public void Only_the_loss_of_the_newest_frame_is_repeated()
    {
        Widen(to: 160);
        _request.Update(_world.Path, Peer);
        _ = Write();
        Widen(to: 500);
        _request.Update(_world.Path, Peer);
        AckFrequencyFrame newest = Write();
        _request.OnLost(0);
        Assert.IsFalse(_request.HasDataToSend);
        _request.OnLost(newest.SequenceNumber);
        Assert.AreEqual(newest with { SequenceNumber = 2 }, Write());
    }

    private void Widen(int to, long rtt = 40 * Millisecond, RecoveryWorld? world = null)
    {
        world ??= _world;
        world.MeasureRtt(rtt);
        CongestionController congestion = world.Path.Congestion;
        congestion.OnAcked(new AckSample
        {
            Now = world.Now,
            AckedBytes = RecoveryWorld.Size,
            GrowthBytes = (to * RecoveryWorld.Size) - congestion.Window,
            NewestSentTime = world.Now,
            RttSample = rtt,
            SmoothedRtt = rtt,
            MinimumRtt = rtt,
            BytesInFlight = 0,
        });
        Assert.AreEqual(to, congestion.Window / RecoveryWorld.Size);
    }

    /// <summary>In congestion avoidance, where a window of acknowledged bytes is a datagram more.</summary>
    private void GrowTo(int packets)
    {
        CongestionController congestion = _world.Path.Congestion;
        while (congestion.Window / RecoveryWorld.Size < packets)
        {
            congestion.OnAcked(new AckSample
            {
                Now = _world.Now,
                AckedBytes = congestion.Window,
                GrowthBytes = congestion.Window,
                NewestSentTime = _world.Now,
                RttSample = 0,
                SmoothedRtt = 40 * Millisecond,
                MinimumRtt = 40 * Millisecond,
                BytesInFlight = 0,
            });
        }
    }

    private AckFrequencyFrame Write(AckFrequencyRequest? request = null)
    {
        request ??= _request;
        Assert.IsTrue(request.HasDataToSend);
        using var log = new SentFrameLog();
        var writer = new WireWriter(new byte[40]);
        request.Write(ref writer, log);
        Assert.IsFalse(request.HasDataToSend);
        Assert.AreEqual(1, log.PendingCount);
        var reader = new WireReader(writer.Written);
        Assert.IsTrue(reader.TryReadVarInt(out ulong type));
        Assert.AreEqual(FrameType.AckFrequency, type);
        Assert.IsTrue(AckFrequencyFrame.TryParse(ref reader, out AckFrequencyFrame frame));
        return frame;
    }
}
