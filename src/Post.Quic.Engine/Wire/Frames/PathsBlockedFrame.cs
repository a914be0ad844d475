namespace Post.Quic.Engine.Wire.Frames;

/// <summary>PATHS_BLOCKED (draft-ietf-quic-multipath section 4.7): the limit of path ids keeps the sender from opening a path.</summary>
internal readonly record struct PathsBlockedFrame(ulong Maximum)
{
    public int Length => VarInt.Length(FrameType.PathsBlocked) + VarInt.Length(Maximum);

    public static bool TryParse(ref WireReader reader, out PathsBlockedFrame frame)
    {
        if (reader.TryReadVarInt(out ulong maximum))
        {
            frame = new PathsBlockedFrame(maximum);
            return true;
        }

        frame = default;
        return false;
    }

    public void Write(ref WireWriter writer)
    {
        writer.WriteVarInt(FrameType.PathsBlocked);
        writer.WriteVarInt(Maximum);
    }
}
