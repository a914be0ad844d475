using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.InFlight;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Recovery;

/// <summary>
/// Applies a received ACK to the packets on their way (RFC 9002 appendix A.7, up to the detection of losses): settles
/// what is newly acknowledged, and takes the round-trip sample and the ECN counts.
/// </summary>
internal sealed class AckReceiver
{
    // Ranges come with the largest first; senders are kinder to the streams when told of the oldest first. So many are
    // turned round at a time.
    private const int RangesAtOnce = 64;

    private readonly Transmissions _transmissions;
    private readonly IFrameOutcome _fate;

    public AckReceiver(Transmissions paths, IFrameOutcome fate)
    {
        _transmissions = paths;
        _fate = fate;
    }

    /// <summary>Packets sent earlier measure no round trip: the machine stood still while they were on their way.</summary>
    public long SamplesFrom { get; set; } = long.MinValue;

    /// <summary>Something not acknowledged before was acknowledged by the last ACK.</summary>
    public bool AnyNewlyAcked { get; private set; }

    /// <summary>Routers marked packets that the last ACK acknowledged: a congestion event began.</summary>
    public bool CongestionMarked { get; private set; }

    /// <summary>Applies one frame.</summary>
    /// <param name="space">The space that it speaks of.</param>
    /// <param name="ack">The frame.</param>
    /// <param name="ackDelay">How long the peer held it, as far as that counts.</param>
    /// <param name="measures">It may be taken for a measurement of the round trip.</param>
    /// <param name="now">The current time.</param>
    public TransportError Receive(PacketNumberSpace space, in AckFrame ack, long ackDelay, bool measures, long now)
    {
        AnyNewlyAcked = CongestionMarked = false;

        // RFC 9000 section 13.1: an acknowledgement of a packet that was never sent is a connection error.
        if (ack.LargestAcknowledged >= space.NextPacketNumber)
        {
            return new TransportError(TransportErrorCode.ProtocolViolation, "acknowledgement of a packet never sent");
        }

        ulong largest = ack.LargestAcknowledged;
        bool raised = space.LargestAcked is not { } before || largest > before;
        bool largestIsNew = space.Sent.IsOutstanding(largest);
        SentPacket largestPacket = largestIsNew ? space.Sent[largest] : default;

        foreach (Transmission transmission in _transmissions)
        {
            transmission.BeginAck();
        }

        if (raised)
        {
            space.LargestAcked = largest;
        }

        if (!Walk(space, ack, now, out bool anyAckEliciting))
        {
            // RFC 9000 section 21.4: numbers are skipped to catch who acknowledges what it did not receive.
            return new TransportError(TransportErrorCode.ProtocolViolation, "acknowledgement of a skipped packet number");
        }

        // RFC 9002 section 5.1: a sample only if the largest is newly acknowledged and something ack-eliciting was.
        if (measures
            && largestIsNew
            && anyAckEliciting
            && largestPacket.TimeSent >= SamplesFrom
            && _transmissions.Find(largestPacket) is { } sampled)
        {
            sampled.RttSample = Math.Max(now - largestPacket.TimeSent, 1);
            sampled.Rtt.AddSample(sampled.RttSample, ackDelay, now);
        }

        // RFC 9000 section 13.4.2.1: an ACK that does not raise the largest may be late, its counts old.
        if (raised)
        {
            TakeEcnCounts(space, ack, largestPacket.TimeSent, now);
        }

        return TransportError.None;
    }

    private bool Walk(PacketNumberSpace space, in AckFrame ack, long now, out bool anyAckEliciting)
    {
        anyAckEliciting = false;
        Span<PacketNumberRange> ranges = stackalloc PacketNumberRange[RangesAtOnce];
        AckFrame.Enumerator enumerator = ack.GetEnumerator();
        bool more = true;
        while (more)
        {
            int count = 0;
            while (count < ranges.Length && (more = enumerator.MoveNext()))
            {
                ranges[count] = enumerator.Current;
                if (space.HasSkipped(ranges[count]))
                {
                    return false;
                }

                count++;
            }

            for (int i = count - 1; i >= 0; i--)
            {
                anyAckEliciting |= WalkRange(space, ranges[i], now);
            }
        }

        return true;
    }

    private bool WalkRange(PacketNumberSpace space, PacketNumberRange range, long now)
    {
        bool anyAckEliciting = false;
        if (!space.RecentLosses.IsEmpty)
        {
            TakeLateArrivals(space, range);
        }

        // What is walked are the packets on their way, not the numbers a range claims: a range may span 2^62.
        SentPackets sent = space.Sent;
        if (sent.Length == 0 || range.Largest < sent.First)
        {
            return false;
        }

        ulong end = Math.Min(range.Largest + 1, sent.End);
        for (ulong number = Math.Max(range.Smallest, sent.First); number < end; number++)
        {
            ref SentPacket packet = ref sent[number];
            if (packet.State != SentPacketState.Outstanding)
            {
                continue;
            }

            AnyNewlyAcked = true;
            anyAckEliciting |= packet.IsAckEliciting;
            Acknowledge(space, ref packet, now);
        }

        return anyAckEliciting;
    }

    private void Acknowledge(PacketNumberSpace space, ref SentPacket packet, long now)
    {
        space.Sent.Settle(ref packet, SentPacketState.Acked);
        space.NewestAckedSentTime = Math.Max(space.NewestAckedSentTime, packet.TimeSent);
        if (packet.IsAckEliciting)
        {
            space.AckElicitingOutstanding--;
        }

        _transmissions.Find(packet)?.OnPacketAcked(packet, now);
        SentFrameLog frames = space.Frames;
        for (int i = 0; i < packet.FrameCount; i++)
        {
            ref readonly SentFrame frame = ref frames[packet.FirstFrame + i];
            if (frame.Kind == SentFrameKind.Ack && frame.PathId == space.PathId)
            {
                space.Received.OnAckAcked(frame.Id);
            }

            _fate.OnAcked(in frame, in packet);
        }
    }

    private void TakeLateArrivals(PacketNumberSpace space, PacketNumberRange range)
    {
        while (space.RecentLosses.TryTake(range.Smallest, range.Largest, out RecentLosses.Entry loss))
        {
            _transmissions.Find(loss.NetworkIndex)?.OnSpuriousLoss(loss);
        }

        while (space.RecentLosses.TryTakeDatagram(range.Smallest, range.Largest, out SentFrame frame))
        {
            _fate.OnArrivedLate(in frame);
        }
    }

    private void TakeEcnCounts(PacketNumberSpace space, in AckFrame ack, long largestSentTime, long now)
    {
        EcnCounts old = space.EcnCounts;
        EcnCounts counts = ack.HasEcnCounts ? ack.EcnCounts : old;
        space.EcnCounts = counts;
        var feedback = new EcnFeedback(
            ack.HasEcnCounts,
            unchecked((long)(counts.Ect0 - old.Ect0)),
            unchecked((long)(counts.Ect1 - old.Ect1)),
            unchecked((long)(counts.Ce - old.Ce)),
            counts.Ect0 + counts.Ce,
            space.MarkedSent);

        int marked = 0;
        foreach (Transmission transmission in _transmissions)
        {
            marked += transmission.AckedMarked;
        }

        // Counts are kept for a space, marks for a network: an ACK that spans a migration judges those networks that had
        // something acknowledged by what all of them had.
        foreach (Transmission transmission in _transmissions)
        {
            if (transmission.AckedBytes != 0 && transmission.Ecn.OnAcked(transmission.AckedMarked == 0 ? 0 : marked, feedback))
            {
                // RFC 9002 section 7.1 and appendix B.7: a mark on the largest newly acknowledged packet's account.
                CongestionMarked |= transmission.OnCongestion(largestSentTime, now, ecn: true);
            }
        }
    }
}
