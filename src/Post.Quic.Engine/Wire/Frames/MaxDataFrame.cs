namespace Post.Quic.Engine.Wire.Frames;

/// <summary>MAX_DATA (RFC 9000 section 19.9).</summary>
internal readonly record struct MaxDataFrame(ulong Limit)
{
    public int Length => VarInt.Length(FrameType.MaxData) + VarInt.Length(Limit);

    public static bool TryParse(ref WireReader reader, out MaxDataFrame frame)
    {
        if (reader.TryReadVarInt(out ulong limit))
        {
            frame = new MaxDataFrame(limit);
            return true;
        }

        frame = default;
        return false;
    }

    public void Write(ref WireWriter writer)
    {
        writer.WriteVarInt(FrameType.MaxData);
        writer.WriteVarInt(Limit);
    }
}
