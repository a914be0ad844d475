namespace Post.Quic.Engine.Wire.Frames;

/// <summary>DATA_BLOCKED (RFC 9000 section 19.12).</summary>
internal readonly record struct DataBlockedFrame(ulong Limit)
{
    public int Length => VarInt.Length(FrameType.DataBlocked) + VarInt.Length(Limit);

    public static bool TryParse(ref WireReader reader, out DataBlockedFrame frame)
    {
        if (reader.TryReadVarInt(out ulong limit))
        {
            frame = new DataBlockedFrame(limit);
            return true;
        }

        frame = default;
        return false;
    }

    public void Write(ref WireWriter writer)
    {
        writer.WriteVarInt(FrameType.DataBlocked);
        writer.WriteVarInt(Limit);
    }
}
