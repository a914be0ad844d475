namespace Post.Quic.Engine.Connection;

/// <summary>What the frames of a packet together mean for its acknowledgement and its path.</summary>
internal struct PacketSummary
{
    public bool IsAckEliciting;

    /// <summary>It holds more than probing frames (RFC 9000 section 9.1).</summary>
    public bool IsNonProbing;

    /// <summary>It held IMMEDIATE_ACK.</summary>
    public bool WantsImmediateAck;
}
