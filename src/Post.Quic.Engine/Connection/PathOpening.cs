namespace Post.Quic.Engine.Connection;

/// <summary>The outcome of an attempt to open a path.</summary>
internal enum PathOpening : byte
{
    /// <summary>It is being validated.</summary>
    Begun,

    /// <summary>Multipath was not negotiated, the handshake is not confirmed, or this side is the server.</summary>
    NotPossible,

    /// <summary>The server asked its clients not to open paths to this address (disable_active_migration).</summary>
    Forbidden,

    /// <summary>No path id is left, or the peer gave no connection id for one; it was told so, and may give more.</summary>
    Blocked,
}
