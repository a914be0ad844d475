using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Tests.Recovery;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Tests.Congestion;

/// <summary>ECN validation (RFC 9000 section 13.4.2 and appendix A.4).</summary>
[TestClass]
public sealed class EcnValidatorTests
{
    private const long Millisecond = 1_000;

    [TestMethod]
    public void Ten_packets_are_marked_then_none_until_the_peer_has_reported()
    {
        RecoveryWorld world = Marked(10);
        Assert.AreEqual(EcnState.Unknown, world.Path.Ecn.State);
        Assert.AreEqual(EcnCodepoint.NotEct, world.Path.Ecn.Mark);
        world.Ack(0, ecn: new EcnCounts(1, 0, 0));
        Assert.AreEqual(EcnState.Capable, world.Path.Ecn.State);
        Assert.AreEqual(EcnCodepoint.Ect0, world.Path.Ecn.Mark);
    }

    [TestMethod]
    public void Missing_counts_fail_the_path()
    {
        // RFC 9000 section 13.4.2.1: bleached, or not reported.
        RecoveryWorld world = Marked(2);
        world.Ack(0);
        Assert.AreEqual(EcnState.Failed, world.Path.Ecn.State);
        Assert.AreEqual(EcnCodepoint.NotEct, world.Path.Ecn.Mark);
    }

    [TestMethod]
    public void Too_few_counts_fail_the_path()
    {
        // RFC 9000 section 13.4.2.1: two marked packets acknowledged, one counted.
        RecoveryWorld world = Marked(3);
        world.AckRanges([new(0, 1)], ecn: new EcnCounts(1, 0, 0));
        Assert.AreEqual(EcnState.Failed, world.Path.Ecn.State);
    }

    [TestMethod]
    public void Remarking_to_ECT1_fails_the_path()
    {
        RecoveryWorld world = Marked(3);
        world.AckRanges([new(0, 1)], ecn: new EcnCounts(2, 1, 0));
        Assert.AreEqual(EcnState.Failed, world.Path.Ecn.State);
    }

    [TestMethod]
    public void More_marks_than_packets_fail_the_path()
    {
        RecoveryWorld world = Marked(3);
        world.AckRanges([new(0, 1)], ecn: new EcnCounts(4, 0, 0));
        Assert.AreEqual(EcnState.Failed, world.Path.Ecn.State);
    }

    [TestMethod]
    public void Counts_that_go_down_fail_the_path()
    {
        RecoveryWorld world = Marked(6);
        world.AckRanges([new(0, 2)], ecn: new EcnCounts(3, 0, 0));
        world.AckRanges([new(3, 3)], ecn: new EcnCounts(2, 0, 2));
        Assert.AreEqual(EcnState.Failed, world.Path.Ecn.State);
    }

    [TestMethod]
    public void A_reordered_ACK_is_not_held_against_the_path()
    {
        // RFC 9000 section 13.4.2.1: only ACKs that raise the largest are judged.
        RecoveryWorld world = Marked(6);
        world.AckRanges([new(4, 4)], ecn: new EcnCounts(1, 0, 0));
        world.AckRanges([new(2, 3)], ecn: default);
        Assert.AreEqual(EcnState.Capable, world.Path.Ecn.State);
    }

    [TestMethod]
    public void Lost_ACKs_make_counts_grow_by_more_than_one_ACK_says()
    {
        RecoveryWorld world = Marked(6);
        world.AckRanges([new(3, 3)], ecn: new EcnCounts(4, 0, 0));
        Assert.AreEqual(EcnState.Capable, world.Path.Ecn.State);
    }

    [TestMethod]
    public void A_CE_mark_shrinks_the_window_once_for_each_round_trip()
    {
        // RFC 9002 section 7.1.
        RecoveryWorld world = Marked(6);
        long window = world.Path.Congestion.Window;
        world.AckRanges([new(0, 1)], ecn: new EcnCounts(1, 0, 1));
        Assert.AreEqual(window / 2, world.Path.Congestion.Window);
        world.AckRanges([new(2, 3)], ecn: new EcnCounts(2, 0, 2));
        Assert.AreEqual(window / 2, world.Path.Congestion.Window);
        Assert.AreEqual(EcnState.Capable, world.Path.Ecn.State);
        Assert.IsEmpty(world.Lost);
    }

    [TestMethod]
    public void When_all_marked_packets_of_the_test_are_lost_marking_ends()
    {
        // RFC 9000 appendix A.4.
        RecoveryWorld world = Marked(10);
        ulong plain = world.SendMany(3);
        world.Now += 50 * Millisecond;
        world.Ack(plain, plain + 2);
        Assert.HasCount(10, world.Lost);
        Assert.AreEqual(EcnState.Failed, world.Path.Ecn.State);
    }

    [TestMethod]
    public void Three_probe_timeouts_end_the_test()
    {
        // RFC 9000 appendix A.4: a network that drops marks must not keep the handshake from ending.
        RecoveryWorld world = Marked(1);
        for (int i = 0; i < 3; i++)
        {
            Assert.AreEqual(EcnCodepoint.Ect0, world.Path.Ecn.Mark);
            world.ExpireTimeout();
        }

        Assert.AreEqual(EcnCodepoint.NotEct, world.Path.Ecn.Mark);
    }

    private static RecoveryWorld Marked(int count)
    {
        var world = new RecoveryWorld(ecn: true);
        for (int i = 0; i < count; i++)
        {
            Assert.AreEqual(EcnCodepoint.Ect0, world.Path.Ecn.Mark);
            world.Send(ecn: EcnCodepoint.Ect0);
        }

        world.Now += 50 * Millisecond;
        return world;
    }
}
