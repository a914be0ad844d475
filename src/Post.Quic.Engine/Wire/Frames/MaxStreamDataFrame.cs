namespace Post.Quic.Engine.Wire.Frames;

/// <summary>MAX_STREAM_DATA (RFC 9000 section 19.10).</summary>
internal readonly record struct MaxStreamDataFrame(ulong StreamId, ulong Limit)
{
    public int Length => VarInt.Length(FrameType.MaxStreamData) + VarInt.Length(StreamId) + VarInt.Length(Limit);

    public static bool TryParse(ref WireReader reader, out MaxStreamDataFrame frame)
    {
        if (reader.TryReadVarInt(out ulong streamId)
            && reader.TryReadVarInt(out ulong limit))
        {
            frame = new MaxStreamDataFrame(streamId, limit);
            return true;
        }

        frame = default;
        return false;
    }

    public void Write(ref WireWriter writer)
    {
        writer.WriteVarInt(FrameType.MaxStreamData);
        writer.WriteVarInt(StreamId);
        writer.WriteVarInt(Limit);
    }
}
