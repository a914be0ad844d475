using Post.Quic.Engine.InFlight;

namespace Post.Quic.Engine.Recovery;

/// <summary>
/// Decides which packets are lost (RFC 9002 section 6.1), tells what they carried, and whether the losses are
/// congestion, persistent congestion or neither (section 7.6).
/// </summary>
internal sealed class LossDetector
{
    // RFC 9002 section 7.6.1: kPersistentCongestionThreshold.
    private const int PersistentCongestionPeriods = 3;

    private readonly Transmissions _transmissions;
    private readonly IFrameOutcome _fate;

    public LossDetector(Transmissions paths, IFrameOutcome fate)
    {
        _transmissions = paths;
        _fate = fate;
    }

    /// <summary>
    /// Takes for lost what the thresholds say, and notes in the space when the next packet's time comes. Returns
    /// whether a congestion event began.
    /// </summary>
    /// <param name="space">The space an ACK was received in, or whose loss time came.</param>
    /// <param name="spaces">All spaces of the path, for persistent congestion.</param>
    /// <param name="maxAckDelay">The peer's max_ack_delay.</param>
    /// <param name="now">The time.</param>
    public bool Detect(PacketNumberSpace space, ReadOnlySpan<PacketNumberSpace> spaces, long maxAckDelay, long now)
    {
        space.LossTime = long.MaxValue;
        if (space.LargestAcked is not { } largestAcked)
        {
            return false;
        }

        SentPackets sent = space.Sent;
        int lost = 0;
        foreach (Transmission transmission in _transmissions)
        {
            transmission.BeginLosses();
        }

        ulong end = Math.Min(sent.End, largestAcked);
        for (ulong number = sent.First; number < end; number++)
        {
            ref SentPacket packet = ref sent[number];
            if (packet.State != SentPacketState.Outstanding)
            {
                if (packet.State == SentPacketState.Acked && _transmissions.Find(packet) is { } acked)
                {
                    acked.EndLostRun();
                }

                continue;
            }

            // RFC 9002 section 6.1: only packets sent before an acknowledged one can be lost; by number or by time.
            Transmission transmission = _transmissions.FindOrActive(packet);
            long lossTime = packet.TimeSent + transmission.LossDelay;
            bool byNumber = largestAcked - number >= (ulong)transmission.PacketThreshold;
            if (byNumber || lossTime <= now)
            {
                lost++;
                if (packet.IsAckEliciting && (packet.Flags & (SentPacketFlags.MtuProbe | SentPacketFlags.PathProbe)) == 0)
                {
                    space.RecentLosses.Add(packet, largestAcked, !byNumber, now);
                }

                Lose(space, ref packet, now, congestion: true);
            }
            else
            {
                space.LossTime = Math.Min(space.LossTime, lossTime);
            }
        }

        return lost > 0 && Conclude(space, spaces, maxAckDelay, now);
    }

    /// <summary>
    /// Takes a packet out of flight and tells what it carried as lost. Without <paramref name="congestion"/> the network
    /// learns nothing from it: Retry, rejected early data, a full ring.
    /// </summary>
    public void Lose(PacketNumberSpace space, ref SentPacket packet, long now, bool congestion)
    {
        space.Sent.Settle(ref packet, SentPacketState.Lost);
        if (packet.IsAckEliciting)
        {
            space.AckElicitingOutstanding--;
        }

        Transmission? transmission = _transmissions.Find(packet);
        if (transmission is not null)
        {
            if (!congestion)
            {
                if (packet.IsInFlight)
                {
                    transmission.LeaveFlight(packet);
                }
            }
            else
            {
                transmission.OnPacketLost(packet, now);
            }
        }

        if (congestion)
        {
            _fate.OnPacketLost(in packet, now);
        }

        SentFrameLog frames = space.Frames;
        for (int i = 0; i < packet.FrameCount; i++)
        {
            ref readonly SentFrame frame = ref frames[packet.FirstFrame + i];
            if (congestion && frame.Kind == SentFrameKind.Datagram)
            {
                space.RecentLosses.AddDatagram(packet.PacketNumber, frame);
            }

            if (frame.Kind == SentFrameKind.Ack && frame.PathId == space.PathId)
            {
                space.Received.OnAckLost();
            }

            _fate.OnLost(in frame, in packet);
        }
    }

    private bool Conclude(PacketNumberSpace space, ReadOnlySpan<PacketNumberSpace> spaces, long maxAckDelay, long now)
    {
        bool began = false;
        foreach (Transmission transmission in _transmissions)
        {
            if (transmission.DetectBlackHole(now))
            {
                // The losses were the black hole's. The window stays; a real queue will tell in the next round trip.
                continue;
            }

            began |= transmission.ConcludeLosses(now);

            // RFC 9002 section 7.6.1: the length of silence, max_ack_delay included whatever the space.
            long duration = (transmission.Rtt.ProbeTimeout + maxAckDelay) * PersistentCongestionPeriods;
            if (transmission.LostRunLongest >= duration && !AnyAckedSince(transmission.LostRunLongestStart, space, spaces))
            {
                transmission.OnPersistentCongestion(now);
            }
        }

        return began;
    }

    /// <summary>
    /// RFC 9002 section 7.6.2: nothing sent in between was acknowledged in any space. The spaces other than the one
    /// with the losses are judged by their newest acknowledged packet, which errs on the mild side.
    /// </summary>
    private static bool AnyAckedSince(long start, PacketNumberSpace space, ReadOnlySpan<PacketNumberSpace> spaces)
    {
        foreach (PacketNumberSpace other in spaces)
        {
            if (other != space && other.NewestAckedSentTime >= start)
            {
                return true;
            }
        }

        return false;
    }
}
