namespace Post.Quic.Engine.Paths;

/// <summary>What happened to a path.</summary>
internal enum PathChange : byte
{
    /// <summary>Packets go or come over it for the first time.</summary>
    Added,

    /// <summary>The peer answered a challenge on it: it reaches the peer both ways.</summary>
    Validated,

    /// <summary>It became the path that new data goes by, because we wished it or the peer moved.</summary>
    Active,

    /// <summary>It did not answer.</summary>
    Failed,

    /// <summary>Its state was given up.</summary>
    Removed,

    /// <summary>Its largest datagram changed.</summary>
    Mtu,

    /// <summary>ECN was found to work or not to work on it.</summary>
    Ecn,
}
