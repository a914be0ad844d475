namespace Post.Quic.Engine.Connection;

/// <summary>The timers of a connection. Each path knows its own, and the earliest of them stands here.</summary>
internal enum TimerId : byte
{
    /// <summary>The end of closing or draining.</summary>
    Close,

    /// <summary>RFC 9000 section 10.1.</summary>
    Idle,

    KeepAlive,

    /// <summary>The handshake's time is up.</summary>
    Handshake,

    /// <summary>The earliest timer of any path: loss detection, acknowledgement, pacing, validation, MTU discovery.</summary>
    Paths,

    /// <summary>Keys of before a key update go, or those of 0-RTT.</summary>
    KeyDiscard,

    /// <summary>A queued datagram grows too old.</summary>
    Datagrams,

    /// <summary>The end of a lifetime, or credit for new streams that was held back.</summary>
    Streams,

    Count,
}
