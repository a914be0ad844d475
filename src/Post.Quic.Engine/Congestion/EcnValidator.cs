namespace Post.Quic.Engine.Congestion;

/// <summary>
/// Finds out whether a path carries ECN marks unharmed (RFC 9000 section 13.4.2 and appendix A.4) and says how the
/// next datagram is marked.
/// </summary>
internal sealed class EcnValidator
{
    private const int TestingPackets = 10;
    private const int TestingProbeTimeouts = 3;

    private int _sent;
    private int _lost;

    public EcnValidator(bool enabled) => State = enabled ? EcnState.Testing : EcnState.Failed;

    public EcnState State { get; private set; }

    /// <summary>Decides anew whether to mark, before anything has been marked.</summary>
    public void Configure(bool enabled) => State = enabled ? EcnState.Testing : EcnState.Failed;

    /// <summary>The mark for the next packets.</summary>
    public EcnCodepoint Mark => State is EcnState.Testing or EcnState.Capable ? EcnCodepoint.Ect0 : EcnCodepoint.NotEct;

    /// <summary>An ack-eliciting packet left with ECT(0).</summary>
    public void OnMarkedPacketSent()
    {
        // RFC 9000 appendix A.4: about ten packets are marked for the test.
        _sent++;
        if (State == EcnState.Testing && _sent >= TestingPackets)
        {
            State = EcnState.Unknown;
        }
    }

    /// <summary>The probe timeout expired for the <paramref name="count"/>th time in a row.</summary>
    public void OnProbeTimeout(int count)
    {
        // RFC 9000 appendix A.4: ... or for three probe timeouts; a network that drops marked packets must not keep
        // the handshake from ending.
        if (State == EcnState.Testing && count >= TestingProbeTimeouts)
        {
            State = _sent == 0 ? EcnState.Testing : EcnState.Unknown;
        }
    }

    /// <summary>A marked packet was lost.</summary>
    public void OnMarkedPacketLost()
    {
        // RFC 9000 appendix A.4: when every marked packet of the test was lost, marks are what kills them.
        _lost++;
        if (State is EcnState.Testing or EcnState.Unknown && _lost >= _sent && _sent >= TestingPackets)
        {
            State = EcnState.Failed;
        }
    }

    /// <summary>
    /// An ACK that raised the largest acknowledged number acknowledged <paramref name="newlyAcked"/> packets that had
    /// been marked ECT(0). Returns whether routers report congestion.
    /// </summary>
    public bool OnAcked(int newlyAcked, in EcnFeedback feedback)
    {
        if (State == EcnState.Failed)
        {
            return false;
        }

        // RFC 9000 section 13.4.2.1: the counts are missing: the peer or the network does not do ECN (bleaching before
        // a peer that saw no mark looks the same).
        if (!feedback.Present)
        {
            if (newlyAcked > 0)
            {
                State = EcnState.Failed;
            }

            return false;
        }

        // RFC 9000 section 13.4.2.1: counts never go down; every acknowledged mark is counted as ECT(0) or CE; nothing
        // was sent as ECT(1); nobody can have received more marks than were sent.
        if (feedback.Ect0 < 0
            || feedback.Ce < 0
            || feedback.Ect1 != 0
            || feedback.Ect0 + feedback.Ce < newlyAcked
            || feedback.TotalMarks > feedback.TotalSent)
        {
            State = EcnState.Failed;
            return false;
        }

        if (newlyAcked > 0)
        {
            State = EcnState.Capable;
        }

        return feedback.Ce > 0;
    }
}
