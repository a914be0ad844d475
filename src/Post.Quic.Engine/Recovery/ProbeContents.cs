using Post.Quic.Engine.InFlight;

namespace Post.Quic.Engine.Recovery;

/// <summary>What probes carry (RFC 9002 section 6.2.4): the oldest of what was sent and not acknowledged, once more.</summary>
internal sealed class ProbeContents(IFrameOutcome fate)
{
    // RFC 9002 section 6.2.4: one or two.
    private const int ProbesEachTimeout = 2;

    /// <summary>The timer has expired for a space: probes are wanted there, and of the handshake wherever any is on its way.</summary>
    public void AskFor(PacketNumberSpace due, ReadOnlySpan<PacketNumberSpace> handshake)
    {
        due.ProbesPending = due.AckElicitingOutstanding > 0 ? ProbesEachTimeout : 1;
        RepeatOldest(due);

        // RFC 9002 section 6.2.4: what else of the handshake is on its way is repeated along with it, coalesced into
        // the same datagrams: the peer may need both to go on.
        foreach (PacketNumberSpace other in handshake)
        {
            if (other != due && other.AckElicitingOutstanding > 0)
            {
                other.ProbesPending = 1;
                RepeatOldest(other);
            }
        }
    }

    /// <summary>Everything in the space gives its frames back, while it is still waited for.</summary>
    /// <param name="space">The space.</param>
    /// <param name="datagramsAreLost">Nobody expects them to arrive any more.</param>
    public void GiveBackAll(PacketNumberSpace space, bool datagramsAreLost)
    {
        for (ulong number = space.Sent.First; number < space.Sent.End; number++)
        {
            ref SentPacket packet = ref space.Sent[number];
            if (packet.State == SentPacketState.Outstanding && packet.IsAckEliciting)
            {
                _ = GiveBack(space.Frames, ref packet, datagramsAreLost ? space.RecentLosses : null);
            }
        }
    }

    /// <summary>
    /// RFC 9002 section 6.2.4: a probe should carry data that was not acknowledged. The oldest packets give theirs
    /// back, while they themselves are still waited for.
    /// </summary>
    private void RepeatOldest(PacketNumberSpace space)
    {
        int repeated = 0;
        for (ulong number = space.Sent.First; number < space.Sent.End && repeated < ProbesEachTimeout; number++)
        {
            ref SentPacket packet = ref space.Sent[number];
            if (packet.State == SentPacketState.Outstanding && packet.IsAckEliciting && GiveBack(space.Frames, ref packet))
            {
                repeated++;
            }
        }
    }

    private bool GiveBack(SentFrameLog frames, ref SentPacket packet, RecentLosses? losses = null)
    {
        int kept = 0;
        bool told = false;
        int count = packet.FrameCount;
        for (int i = 0; i < count; i++)
        {
            ref SentFrame frame = ref frames.At(packet.FirstFrame + i);

            // Whether a datagram is sent again is up to the application (RFC 9221 section 5), and what it is told must be true: not
            // that it is lost (RFC 9002 section 6.2), but that it may be. The others mean nothing to a probe.
            if (frame.Kind == SentFrameKind.Datagram && losses is null)
            {
                fate.OnOverdue(in frame);
                told = true;
            }

            if (frame.Kind == SentFrameKind.Datagram && losses is not null)
            {
                losses.AddDatagram(packet.PacketNumber, frame);
                fate.OnLost(in frame, in packet);
            }
            else if (frame.Kind is SentFrameKind.Datagram or SentFrameKind.Ack or SentFrameKind.PathChallenge or SentFrameKind.Ping)
            {
                frames.At(packet.FirstFrame + kept++) = frame;
            }
            else
            {
                fate.OnLost(in frame, in packet);
            }
        }

        packet.FrameCount = kept;
        return told || kept < count;
    }
}
