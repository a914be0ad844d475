namespace Post.Quic.Engine.Paths;

/// <summary>What happened to a path.</summary>
internal enum PathChange : byte
{
    /// <summary>Packets go or come over it for the first time.</summary>
    Added,

    /// <summary>The peer answered a challenge on it: it reaches the peer both ways.</summary>
    Validated,

    /// <summary>It became the path that new data goes by, because this side moved or the peer did.</summary>
    Active,

    /// <summary>It did not answer.</summary>
    Failed,

    /// <summary>Its state was given up.</summary>
    Removed,

    /// <summary>Its largest datagram changed.</summary>
    Mtu,

    /// <summary>ECN was found to work or not to work on it.</summary>
    Ecn,

    /// <summary>One side gave it up; nothing is sent on it any more, and it is forgotten a little later.</summary>
    Abandoned,

    /// <summary>Either side changed whether the path is a backup.</summary>
    Status,

    /// <summary>It has owed acknowledgements for too long, or has given them since.</summary>
    Standing,
}
