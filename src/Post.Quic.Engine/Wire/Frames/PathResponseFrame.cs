namespace Post.Quic.Engine.Wire.Frames;

/// <summary>PATH_RESPONSE (RFC 9000 section 19.18); the eight bytes as a number, since only equality matters.</summary>
internal readonly record struct PathResponseFrame(ulong Data)
{
    public const int Length = 9;

    public static bool TryParse(ref WireReader reader, out PathResponseFrame frame)
    {
        bool read = reader.TryReadUInt64(out ulong data);
        frame = new PathResponseFrame(data);
        return read;
    }

    public void Write(ref WireWriter writer)
    {
        writer.WriteVarInt(FrameType.PathResponse);
        writer.WriteUInt64(Data);
    }
}
