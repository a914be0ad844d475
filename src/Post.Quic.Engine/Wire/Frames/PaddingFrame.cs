namespace Post.Quic.Engine.Wire.Frames;

/// <summary>PADDING (RFC 9000 section 19.1), written as a run.</summary>
internal static class PaddingFrame
{
    public static void Write(ref WireWriter writer, int count)
    {
        // The buffer may hold an earlier packet.
        writer.Rest[..count].Clear();
        writer.Advance(count);
    }
}
