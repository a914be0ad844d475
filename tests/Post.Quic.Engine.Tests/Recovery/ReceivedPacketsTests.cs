using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.InFlight;
using Post.Quic.Engine.Recovery;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Tests.Recovery;

/// <summary>Duplicates, the ranges to acknowledge, and when an ACK is sent (RFC 9000 section 13.2).</summary>
[TestClass]
public sealed class ReceivedPacketsTests : IDisposable
{
    private readonly ReceivedPackets _received = new(PacketNumberSpaceId.Application);
    private readonly SentFrameLog _log = new();
    private readonly byte[] _buffer = new byte[1200];
    private long _now = 1_000_000;

    public void Dispose() => _log.Dispose();

    [TestMethod]
    public void A_packet_is_new_once()
    {
        // RFC 9000 section 12.3.
        Assert.IsFalse(_received.IsDuplicate(5));
        Receive(5);
        Assert.IsTrue(_received.IsDuplicate(5));
        Assert.IsFalse(_received.IsDuplicate(4));
        Receive(5 + (ulong)Limits.DuplicateWindow);
        Assert.IsTrue(_received.IsDuplicate(4), "Below the window nothing can be told, so it is dropped.");
        Assert.AreEqual(2UL, _received.Duplicates);
    }

    [TestMethod]
    public void The_duplicate_filter_agrees_with_a_set()
    {
        int seed = Random.Shared.Next();
        var random = new Random(seed);
        var filter = new DuplicateFilter(Limits.HandshakeDuplicateWindow);
        var seen = new HashSet<ulong>();
        ulong end = 0;
        for (int i = 0; i < 50_000; i++)
        {
            ulong back = (ulong)random.Next(Limits.HandshakeDuplicateWindow + 50);
            ulong number = random.Next(200) == 0 ? end + (ulong)random.Next(2000) : end + 3 < back ? 0 : end + 3 - back;
            bool below = number < end && end - number > (ulong)Limits.HandshakeDuplicateWindow;
            Assert.AreEqual(!below && !seen.Contains(number), filter.IsNew(number), $"{number} of {end}, seed {seed}");
            if (filter.IsNew(number))
            {
                filter.Add(number);
                seen.Add(number);
                end = Math.Max(end, number + 1);
            }
        }
    }

    [TestMethod]
    public void The_ranges_agree_with_a_sorted_set()
    {
        int seed = Random.Shared.Next();
        var random = new Random(seed);
        var seen = new SortedSet<ulong>();
        for (int i = 0; i < 400; i++)
        {
            ulong number = (ulong)random.Next(90);
            if (seen.Add(number))
            {
                Receive(number);
            }

            Assert.AreEqual(string.Join(' ', Model(seen)), string.Join(' ', _received.Ranges.ToArray()), $"seed {seed}");
        }
    }

    [TestMethod]
    public void Gaps_after_every_packet_cost_64_ranges_and_the_newest_stay()
    {
        // RFC 9000 section 13.2.3.
        for (ulong i = 0; i < 10_000; i++)
        {
            Receive(i * 2);
        }

        Assert.AreEqual(Limits.AckRanges, _received.Ranges.Length);
        Assert.AreEqual(19_998UL, _received.Ranges[0].Largest);
        Receive(3);
        Assert.AreEqual(Limits.AckRanges, _received.Ranges.Length);
    }

    [TestMethod]
    public void Every_second_packet_is_acknowledged_at_once_and_a_lone_one_after_the_delay()
    {
        // RFC 9000 sections 13.2.1 and 13.2.2.
        Receive(0);
        Assert.IsFalse(_received.IsAckDue(_now));
        Assert.AreEqual(_now + ReceivedPackets.DefaultMaxAckDelay, _received.AckDeadline);
        Assert.IsTrue(_received.IsAckDue(_now + ReceivedPackets.DefaultMaxAckDelay));
        Receive(1);
        Assert.IsTrue(_received.IsAckDue(_now));
        Write();
        Assert.IsFalse(_received.IsAckDue(long.MaxValue - 1));
        Assert.IsFalse(_received.HasUnacknowledged);
    }

    [TestMethod]
    public void Handshake_packets_are_acknowledged_at_once()
    {
        // RFC 9000 section 13.2.1.
        foreach (PacketNumberSpaceId id in new[] { PacketNumberSpaceId.Initial, PacketNumberSpaceId.Handshake })
        {
            var received = new ReceivedPackets(id);
            received.OnReceived(0, ackEliciting: true, EcnCodepoint.NotEct, _now);
            Assert.IsTrue(received.IsAckDue(_now));
        }
    }

    [TestMethod]
    public void Packets_that_elicit_nothing_are_never_answered_on_their_own()
    {
        // RFC 9000 section 13.2.1.
        for (ulong i = 0; i < 100; i++)
        {
            _received.OnReceived(i * 3, ackEliciting: false, EcnCodepoint.Ce, _now);
        }

        Assert.IsFalse(_received.HasUnacknowledged);
        Assert.IsFalse(_received.IsAckDue(long.MaxValue - 1));
    }

    [TestMethod]
    public void A_gap_and_a_late_packet_are_acknowledged_at_once()
    {
        // RFC 9000 section 13.2.1.
        Receive(0);
        Receive(1);
        Write();
        Receive(3);
        Assert.IsTrue(_received.IsAckDue(_now), "2 is missing.");
        Write();
        Receive(4);
        Assert.IsFalse(_received.IsAckDue(_now), "The gap was reported.");
        Write();
        Receive(2);
        Assert.IsTrue(_received.IsAckDue(_now), "2 came late.");
    }

    [TestMethod]
    public void A_gap_is_noticed_though_everything_before_it_was_pruned()
    {
        Receive(0);
        Receive(1);
        Write();
        _received.OnAckAcked(1);
        Receive(3);
        Assert.IsTrue(_received.IsAckDue(_now));
    }

    [TestMethod]
    public void A_CE_mark_is_acknowledged_at_once_and_counted()
    {
        // RFC 9000 sections 13.2.1 and 13.4.1.
        _received.OnReceived(0, ackEliciting: true, EcnCodepoint.Ce, _now);
        Assert.IsTrue(_received.IsAckDue(_now));
        _received.OnReceived(1, ackEliciting: true, EcnCodepoint.Ect0, _now);
        _received.OnReceived(2, ackEliciting: true, EcnCodepoint.Ect1, _now);
        Assert.AreEqual(new EcnCounts(1, 1, 1), _received.EcnCounts);
        Assert.AreEqual(new EcnCounts(1, 1, 1), Write().Ecn);
    }

    [TestMethod]
    public void The_delay_on_the_wire_counts_from_the_largest_packet()
    {
        // RFC 9000 section 13.2.5.
        Receive(0);
        Receive(2);
        _now += 4000;
        Receive(1);
        _now += 4000;
        Assert.AreEqual(8000UL >> 3, Write().AckDelay);
    }

    [TestMethod]
    public void What_the_peer_knows_we_received_is_not_said_again()
    {
        // RFC 9000 section 13.2.4.
        for (ulong i = 0; i < 10; i++)
        {
            Receive(i * 2);
        }

        Write();
        Receive(19);
        _received.OnAckAcked(18);
        Assert.AreEqual("19-19", string.Join(' ', _received.Ranges.ToArray().Select(r => $"{r.Smallest}-{r.Largest}")));
        Assert.IsTrue(_received.IsDuplicate(4), "Pruned is not forgotten.");
        Assert.IsFalse(_received.IsDuplicate(5), "A late packet is still welcome.");
    }

    [TestMethod]
    public void An_ACK_is_recorded_with_its_largest_number()
    {
        Receive(41);
        Write();
        (long first, int count) = _log.Commit();
        Assert.AreEqual(1, count);
        Assert.AreEqual(new SentFrame(SentFrameKind.Ack, 41), _log[first]);
    }

    [TestMethod]
    public void ACK_FREQUENCY_sets_threshold_and_delay_and_only_newer_frames_count()
    {
        // draft-ietf-quic-ack-frequency section 4.
        _received.OnAckFrequency(new AckFrequencyFrame(2, 9, 5_000, 1));
        _received.OnAckFrequency(new AckFrequencyFrame(1, 0, 1_000, 1));
        for (ulong i = 0; i < 9; i++)
        {
            Receive(i);
            Assert.IsFalse(_received.IsAckDue(_now));
        }

        Assert.AreEqual(_now + 5_000, _received.AckDeadline);
        Receive(9);
        Assert.IsTrue(_received.IsAckDue(_now));
    }

    [TestMethod]
    public void A_reordering_threshold_of_three_waits_until_the_gap_is_three_old()
    {
        // draft-ietf-quic-ack-frequency section 6.2.1, table of the example: threshold 3, 1 is missing.
        _received.OnAckFrequency(new AckFrequencyFrame(0, 100, 25_000, 3));
        Receive(0);
        Receive(2);
        Receive(3);
        Assert.IsFalse(_received.IsAckDue(_now));
        Receive(4);
        Assert.IsTrue(_received.IsAckDue(_now), "4 - 1 reaches the threshold.");
        Write();
        Receive(5);
        Assert.IsFalse(_received.IsAckDue(_now), "An ACK up to 4 lets the sender take 1 for lost.");
    }

    [TestMethod]
    public void A_reordering_threshold_of_zero_never_hurries_and_IMMEDIATE_ACK_does()
    {
        _received.OnAckFrequency(new AckFrequencyFrame(0, 100, 25_000, 0));
        Receive(5);
        Receive(50);
        Receive(3);
        Assert.IsFalse(_received.IsAckDue(_now));
        _received.RequestAck();
        Assert.IsTrue(_received.IsAckDue(_now));
    }

    [TestMethod]
    public void Nothing_is_written_where_there_is_no_room_or_nothing_to_say()
    {
        var writer = new WireWriter(_buffer);
        Assert.IsFalse(_received.TryWriteAck(ref writer, _log, 3, _now));
        Receive(0);
        writer = new WireWriter(_buffer.AsSpan(0, 3));
        Assert.IsFalse(_received.TryWriteAck(ref writer, _log, 3, _now));
        Assert.IsTrue(_received.HasUnacknowledged);
        Assert.AreEqual(0, _log.PendingCount);
    }

    private static IEnumerable<PacketNumberRange> Model(SortedSet<ulong> seen)
    {
        foreach (ulong top in seen.Reverse())
        {
            if (!seen.Contains(top + 1))
            {
                ulong bottom = top;
                while (bottom > 0 && seen.Contains(bottom - 1))
                {
                    bottom--;
                }

                yield return new PacketNumberRange(bottom, top);
            }
        }
    }

    private void Receive(ulong number) => _received.OnReceived(number, ackEliciting: true, EcnCodepoint.NotEct, _now);

    private (ulong AckDelay, EcnCounts Ecn) Write()
    {
        var writer = new WireWriter(_buffer);
        Assert.IsTrue(_received.TryWriteAck(ref writer, _log, 3, _now));
        var reader = new WireReader(writer.Written);
        Assert.IsTrue(reader.TryReadVarInt(out ulong type));
        Assert.IsTrue(AckFrame.TryParse(type, ref reader, out AckFrame frame));
        return (frame.AckDelay, frame.EcnCounts);
    }
}
