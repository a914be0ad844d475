namespace Post.Quic.Engine.Wire.Frames;

/// <summary>What RFC 9000 section 12.4, table 3, says of a frame type.</summary>
[Flags]
internal enum FrameRule : byte
{
    /// <summary>A type that nobody told us of.</summary>
    None = 0,

    InInitial = 1 << 0,
    InHandshake = 1 << 1,
    InEarlyData = 1 << 2,
    InApplication = 1 << 3,

    /// <summary>A packet that holds it is to be acknowledged (RFC 9002 section 2). Table 3 marks the others with N.</summary>
    AckEliciting = 1 << 4,

    /// <summary>A packet that holds it counts as in flight (RFC 9002 section 2). Table 3 marks the others with C.</summary>
    InFlight = 1 << 5,

    /// <summary>Table 3's P: a packet of only such frames probes a path and does not migrate to it (section 9.1).</summary>
    Probing = 1 << 6,

    /// <summary>A client never sends it.</summary>
    ServerOnly = 1 << 7,
}
