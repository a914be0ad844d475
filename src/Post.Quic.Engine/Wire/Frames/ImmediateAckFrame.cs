namespace Post.Quic.Engine.Wire.Frames;

/// <summary>IMMEDIATE_ACK (draft-ietf-quic-ack-frequency section 5): acknowledge what has come, now. A type and nothing else.</summary>
internal static class ImmediateAckFrame
{
    public const int Length = 1;

    public static void Write(ref WireWriter writer) => writer.WriteVarInt(FrameType.ImmediateAck);
}
