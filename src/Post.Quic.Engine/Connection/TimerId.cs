namespace Post.Quic.Engine.Connection;

/// <summary>The timers of a connection that are not those of a path.</summary>
internal enum TimerId : byte
{
    /// <summary>The end of closing or draining.</summary>
    Close,

    /// <summary>RFC 9000 section 10.1.</summary>
    Idle,

    KeepAlive,

    /// <summary>The handshake's time is up.</summary>
    Handshake,

    /// <summary>Loss detection and probe timeout (RFC 9002 section 6).</summary>
    Recovery,

    /// <summary>An acknowledgement may not wait any longer.</summary>
    Acknowledgement,

    /// <summary>The pacer lets the next burst out.</summary>
    Pacing,

    /// <summary>Keys of before a key update go, or those of 0-RTT.</summary>
    KeyDiscard,

    /// <summary>A path is to be challenged again or given up.</summary>
    PathValidation,

    /// <summary>The next probe of MTU discovery.</summary>
    Mtu,

    /// <summary>A queued datagram grows too old.</summary>
    Datagrams,

    /// <summary>The end of a lifetime, or credit for new streams that was held back.</summary>
    Streams,

    Count,
}
