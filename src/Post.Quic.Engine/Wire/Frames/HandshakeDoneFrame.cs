namespace Post.Quic.Engine.Wire.Frames;

/// <summary>HANDSHAKE_DONE (RFC 9000 section 19.20). A type and nothing else.</summary>
internal static class HandshakeDoneFrame
{
    public const int Length = 1;

    public static void Write(ref WireWriter writer) => writer.WriteVarInt(FrameType.HandshakeDone);
}
