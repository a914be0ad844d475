namespace Post.Sockets;

/// <summary>What a path is good for.</summary>
public enum PostPathState
{
    /// <summary>Its reachability is being proven.</summary>
    Validating,

    /// <summary>Proven, kept in reserve.</summary>
    Standby,

    /// <summary>In use.</summary>
    Active,

    /// <summary>It has owed acknowledgements for too long: what it holds is sent again on other paths.</summary>
    Suspect,

    /// <summary>It does not answer.</summary>
    Failed,

    /// <summary>Given up: nothing is sent on it any more, and it is removed a little later.</summary>
    Abandoned,

    /// <summary>Gone.</summary>
    Removed,
}
