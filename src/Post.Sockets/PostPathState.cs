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

    /// <summary>It does not answer.</summary>
    Failed,

    /// <summary>Gone.</summary>
    Removed,
}
