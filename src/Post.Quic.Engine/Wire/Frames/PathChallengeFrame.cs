namespace Post.Quic.Engine.Wire.Frames;

/// <summary>PATH_CHALLENGE (RFC 9000 section 19.17); the eight bytes as a number, since only equality matters.</summary>
internal readonly record struct PathChallengeFrame(ulong Data)
{
    public const int Length = 9;

    public static bool TryParse(ref WireReader reader, out PathChallengeFrame frame)
    {
        bool read = reader.TryReadUInt64(out ulong data);
        frame = new PathChallengeFrame(data);
        return read;
    }

    public void Write(ref WireWriter writer)
    {
        writer.WriteVarInt(FrameType.PathChallenge);
        writer.WriteUInt64(Data);
    }
}
