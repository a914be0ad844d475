namespace Post.Quic.Engine.Datagrams;

/// <summary>
/// What is known of a datagram of ours. Each one ends in exactly one of the states from <see cref="Acknowledged"/> on.
/// </summary>
internal enum DatagramState
{
    /// <summary>It was put into a packet; its memory is the application's again.</summary>
    Sent,

    /// <summary>
    /// The probe timeout has expired without an acknowledgement: most likely it was lost, but nothing proves it yet. Not final, and said of the
    /// oldest ones only.
    /// </summary>
    Overdue,

    /// <summary>Its packet was taken for lost. It may still turn out to have been late only.</summary>
    SuspectedLost,

    /// <summary>The peer's transport has it. That its application has it, no transport knows.</summary>
    Acknowledged,

    /// <summary>No acknowledgement came for so long that none will.</summary>
    Lost,

    /// <summary>Its age limit was reached before it was sent.</summary>
    Expired,

    /// <summary>The application took it back, or the connection ended, before it was sent.</summary>
    Canceled,

    /// <summary>The largest size shrank below its own while it waited.</summary>
    TooLarge,
}
