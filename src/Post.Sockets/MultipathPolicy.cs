namespace Post.Sockets;

/// <summary>How an association uses several paths (RFC 9622 section 6.1.10 and 6.2.14). Each side decides for what it sends.</summary>
public enum MultipathPolicy
{
    /// <summary>One path at a time. When the machine loses it, the association moves to another.</summary>
    None,

    /// <summary>All data goes by one path, and a second one is validated and kept ready for when it fails. The default.</summary>
    Handover,

    /// <summary>
    /// What is repaired or has a deadline takes whichever path is there first; all else stays on one path. Paths over metered interfaces are
    /// used when no other works.
    /// </summary>
    Interactive,

    /// <summary>
    /// All paths carry data together, each datagram by the path that brings it there earliest. Paths over metered interfaces are used when no
    /// other works.
    /// </summary>
    Aggregate,
}
