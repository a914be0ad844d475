namespace Post.Sockets;

/// <summary>What happened to a path.</summary>
public enum PostPathChange
{
    /// <summary>It is new.</summary>
    Added,

    /// <summary>It was proven to reach the peer.</summary>
    Validated,

    /// <summary>This side moved to it.</summary>
    Migrated,

    /// <summary>The peer's address changed: it moved, or a NAT gave it another port.</summary>
    PeerMoved,

    /// <summary>It does not answer any more.</summary>
    Failed,

    /// <summary>It is gone.</summary>
    Removed,

    /// <summary>Its state changed otherwise: see <see cref="PostPath.State"/>.</summary>
    StateChanged,

    /// <summary>The largest packet that passes changed: see <see cref="PostPath.Mtu"/>.</summary>
    MtuChanged,

    /// <summary>Explicit congestion notification was found to work on it, or not: see <see cref="PostPath.IsEcnCapable"/>.</summary>
    EcnChanged,
}
