namespace Post.Quic.Engine;

/// <summary>What a path is good for at the moment.</summary>
public enum QuicPathState
{
    /// <summary>It is being found out whether it reaches the peer (RFC 9000 section 8.2).</summary>
    Validating,

    /// <summary>It carries whatever there is.</summary>
    Available,

    /// <summary>It works, and one side or both keep it for when no available path works. Multipath only.</summary>
    Backup,

    /// <summary>
    /// It has owed acknowledgements for two probe timeouts: what it holds was given to the other paths, and it carries new data only where
    /// no other path does. Multipath only.
    /// </summary>
    Suspect,

    /// <summary>It has owed acknowledgements for three probe timeouts: it carries nothing but probes while another path works. Multipath only.</summary>
    Failing,

    /// <summary>The peer did not answer on it in time.</summary>
    Unreachable,

    /// <summary>The connection moved to other addresses; it is kept for a while for packets that are late.</summary>
    Left,

    /// <summary>One side gave it up: nothing is sent on it any more, and it is removed a little later. Multipath only.</summary>
    Abandoned,
}
