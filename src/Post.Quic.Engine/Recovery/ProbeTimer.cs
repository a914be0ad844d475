using Post.Quic.Engine.Bounds;

namespace Post.Quic.Engine.Recovery;

/// <summary>
/// When the probe timeout expires, and for which space (RFC 9002 section 6.2): what makes progress when no
/// acknowledgement comes to detect losses by.
/// </summary>
internal sealed class ProbeTimer
{
    private readonly bool _isClient;
    private long _expired = long.MinValue;

    public ProbeTimer(bool isClient)
    {
        _isClient = isClient;
        PeerValidatedAddress = !isClient;
    }

    /// <summary>Timeouts in a row; each doubles the next (RFC 9002 section 6.2.1).</summary>
    public int Count { get; private set; }

    /// <summary>
    /// Whether the peer is known not to wait for proof of our address: always for a server; for a client once its
    /// Handshake packets were acknowledged or the handshake was confirmed (RFC 9002 section 6.2.2.1).
    /// </summary>
    public bool PeerValidatedAddress { get; set; }

    public bool HasHandshakeKeys { get; set; }

    public bool IsHandshakeConfirmed { get; set; }

    /// <summary>A server that may not send until the client has sent more.</summary>
    public bool IsAmplificationLimited { get; set; }

    /// <summary>When the timer expires; <see cref="long.MaxValue"/> if it is not armed.</summary>
    public long Deadline { get; private set; } = long.MaxValue;

    /// <summary>The space that is probed then.</summary>
    public PacketNumberSpace? Space { get; private set; }

    public void OnExpired(long now)
    {
        Count = Math.Min(Count + 1, Limits.ProbeTimeoutDoublings);
        _expired = now;
    }

    public void ResetCount() => Count = 0;

    /// <summary>Finds the deadline (RFC 9002 appendix A.8).</summary>
    /// <param name="spaces">In the order of the handshake.</param>
    /// <param name="transmission">Of the network whose round trip counts.</param>
    /// <param name="maxAckDelay">The peer's max_ack_delay.</param>
    /// <param name="now">The time.</param>
    public void Update(ReadOnlySpan<PacketNumberSpace> spaces, Transmission transmission, long maxAckDelay, long now)
    {
        Deadline = long.MaxValue;
        Space = null;

        // RFC 9002 section 6.2.2.1: a server at the anti-amplification limit could not send the probe.
        if (IsAmplificationLimited)
        {
            return;
        }

        bool anyOutstanding = false;
        foreach (PacketNumberSpace space in spaces)
        {
            if (space.AckElicitingOutstanding == 0)
            {
                continue;
            }

            anyOutstanding = true;

            // RFC 9002 section 6.2.1: no timer for application data before the handshake is confirmed: the peer may
            // not have the keys to acknowledge it.
            bool application = space.Id == PacketNumberSpaceId.Application;
            if (application && !IsHandshakeConfirmed)
            {
                continue;
            }

            // RFC 9002 section 6.2.1: the peer delays its acknowledgements only there.
            long period = transmission.Rtt.ProbeTimeout + (application ? maxAckDelay : 0);

            // From the last ack-eliciting packet, which is the probe; where that could not be sent, from when it was
            // asked for, or the timer would expire again and again.
            // RFC 9002 section 6.2.1: twice as long after each timeout, without a bound of its own: what ends the wait for
            // a peer that is gone is the idle timeout.
            long deadline = Math.Max(space.LastAckElicitingSent, _expired) + (period << Count);
            if (deadline < Deadline)
            {
                Deadline = deadline;
                Space = space;
            }
        }

        // RFC 9002 section 6.2.2.1: a client keeps probing until the server may send what it likes, even with nothing
        // of its own on the way: otherwise both ends could wait for each other for ever.
        if (_isClient && !PeerValidatedAddress && (!anyOutstanding || Space is null))
        {
            PacketNumberSpaceId id = HasHandshakeKeys ? PacketNumberSpaceId.Handshake : PacketNumberSpaceId.Initial;
            foreach (PacketNumberSpace space in spaces)
            {
                if (space.Id == id && !space.IsDiscarded)
                {
                    Deadline = now + (transmission.Rtt.ProbeTimeout << Count);
                    Space = space;
                    return;
                }
            }
        }
    }
}
