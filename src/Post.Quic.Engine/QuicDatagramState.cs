namespace Post.Quic.Engine;

/// <summary>
/// What is known of a datagram that was sent. Each ends in exactly one of the states from <see cref="Acknowledged"/> on.
/// </summary>
public enum QuicDatagramState
{
    /// <summary>It left.</summary>
    Sent,

    /// <summary>
    /// Its acknowledgement has not come within the probe timeout (RFC 9002 section 6.2): most likely it was lost, but nothing proves it yet.
    /// What cannot wait for the proof, which takes another round trip, is best sent again now. Not final; said of the oldest ones only.
    /// </summary>
    Overdue,

    /// <summary>Its packet was taken for lost; it may still turn out to have been late.</summary>
    SuspectedLost,

    /// <summary>The peer's QUIC has it; whether its application has, no transport knows.</summary>
    Acknowledged,

    /// <summary>No acknowledgement came for so long that none will.</summary>
    Lost,

    /// <summary>Its deadline passed before it was sent.</summary>
    Expired,

    /// <summary>The connection ended before it was sent.</summary>
    Canceled,

    /// <summary>The largest datagram became smaller than it while it waited.</summary>
    TooLarge,
}
