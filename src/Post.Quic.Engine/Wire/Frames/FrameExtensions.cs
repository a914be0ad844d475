namespace Post.Quic.Engine.Wire.Frames;

/// <summary>The extensions that we told the peer we understand: only then may it send their frames.</summary>
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
}
