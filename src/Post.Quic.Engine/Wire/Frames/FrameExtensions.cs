namespace Post.Quic.Engine.Wire.Frames;

/// <summary>The extensions whose frames the peer may send, since we told it that we understand them.</summary>
[Flags]
internal enum FrameExtensions : byte
{
    None = 0,

    /// <summary>RFC 9221: we sent max_datagram_frame_size above 0.</summary>
    Datagram = 1 << 0,

    /// <summary>draft-ietf-quic-reliable-stream-reset: we sent reset_stream_at.</summary>
    ResetStreamAt = 1 << 1,

    /// <summary>draft-ietf-quic-ack-frequency: we sent min_ack_delay.</summary>
    AckFrequency = 1 << 2,

    /// <summary>draft-ietf-quic-multipath: we sent initial_max_path_id, and so did the peer.</summary>
    Multipath = 1 << 3,
}
