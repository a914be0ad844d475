namespace Post.Quic.Engine;

/// <summary>What happened to a path.</summary>
public enum QuicPathChange
{
    /// <summary>Packets go or come over it for the first time.</summary>
    Added,

    /// <summary>It was shown to reach the peer both ways.</summary>
    Validated,

    /// <summary>It became the path that data goes by: we moved, or the peer's address changed.</summary>
    Active,

    /// <summary>It does not answer.</summary>
    Failed,

    /// <summary>It was given up.</summary>
    Removed,

    /// <summary>Its largest datagram changed.</summary>
    MtuChanged,

    /// <summary>Explicit congestion notification was found to work or not to work on it.</summary>
    EcnChanged,

    /// <summary>One side gave it up: nothing is sent on it any more, and it is removed a little later. Multipath only.</summary>
    Abandoned,

    /// <summary>Either side changed whether the path is a backup. Multipath only.</summary>
    StatusChanged,

    /// <summary>It has owed acknowledgements for too long, so that other paths take over, or has given them since. Multipath only.</summary>
    StandingChanged,
}
