using Post.Quic.Engine.InFlight;

namespace Post.Quic.Engine.Recovery;

/// <summary>
/// Where the fate of sent frames is told: the connection, which passes it on by kind to streams, datagrams, CRYPTO
/// data and connection ids. Called once for each recorded frame, acked or lost; a packet that was declared lost and
/// arrives after all is not told again, but for its DATAGRAM frames. When the probe timeout expires, frames of the oldest packets are told as lost
/// so that the probes can carry them (RFC 9002 section 6.2.4); DATAGRAM frames among them are told as overdue.
/// </summary>
/// <remarks>
/// Called from inside <see cref="LossRecovery"/>: an implementation notes what follows and never sends from here.
/// </remarks>
internal interface IFrameOutcome
{
    /// <summary>A packet is taken for lost; what it carried is told next. For those who watch, not for those who send.</summary>
    void OnPacketLost(in SentPacket packet, long now)
    {
    }

    /// <summary>A DATAGRAM frame is among what the probe timeout expired for; it may still be acknowledged or lost.</summary>
    void OnOverdue(in SentFrame frame)
    {
    }

    /// <summary>A DATAGRAM frame was told as lost, and its packet is acknowledged now.</summary>
    void OnArrivedLate(in SentFrame frame)
    {
    }

    /// <summary>The packet that carried the frame was acknowledged.</summary>
    void OnAcked(in SentFrame frame, in SentPacket packet);

    /// <summary>The packet that carried the frame is taken for lost; what still matters is to be sent again.</summary>
    void OnLost(in SentFrame frame, in SentPacket packet);
}
