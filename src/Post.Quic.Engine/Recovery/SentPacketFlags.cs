namespace Post.Quic.Engine.Recovery;

/// <summary>What sets a sent packet apart for acknowledgement, loss and congestion.</summary>
[Flags]
internal enum SentPacketFlags : byte
{
    None = 0,

    /// <summary>Holds a frame other than ACK, PADDING and CONNECTION_CLOSE (RFC 9002 section 2).</summary>
    AckEliciting = 1 << 0,

    /// <summary>Counts towards bytes in flight: ack-eliciting or padded (RFC 9002 section 2).</summary>
    InFlight = 1 << 1,

    /// <summary>Probes a larger datagram size: its loss is no sign of congestion (RFC 9000 section 14.4).</summary>
    MtuProbe = 1 << 2,

    /// <summary>Carries PATH_CHALLENGE: the path may not exist, so its loss says nothing (RFC 9000 section 9.4).</summary>
    PathProbe = 1 << 3,

    /// <summary>The network it was sent over is gone: no RTT sample and no congestion control from it.</summary>
    Orphaned = 1 << 4,

    /// <summary>Sent because the probe timeout expired (RFC 9002 section 6.2.4).</summary>
    PtoProbe = 1 << 5,

    /// <summary>Sent after the application had nothing to send: what its acknowledgement says of the rate is too little.</summary>
    AppLimited = 1 << 6,
}
