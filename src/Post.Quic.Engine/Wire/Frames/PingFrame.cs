namespace Post.Quic.Engine.Wire.Frames;

/// <summary>PING (RFC 9000 section 19.2). A type and nothing else.</summary>
internal static class PingFrame
{
    public const int Length = 1;

    public static void Write(ref WireWriter writer) => writer.WriteVarInt(FrameType.Ping);
}
