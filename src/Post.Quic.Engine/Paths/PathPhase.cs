namespace Post.Quic.Engine.Paths;

/// <summary>How far a path has come.</summary>
internal enum PathPhase : byte
{
    /// <summary>Its id may be used, and connection ids for it may have been exchanged; nothing was sent on it.</summary>
    Unused,

    /// <summary>It has a network, which is being validated: nothing goes by it but what that takes.</summary>
    Validating,

    /// <summary>It carries whatever there is.</summary>
    Open,

    /// <summary>
    /// One side gave it up: nothing is sent on it any more. What still comes is acknowledged on another path, until the path is
    /// forgotten (draft-ietf-quic-multipath-21 section 3.4).
    /// </summary>
    Abandoned,
}
