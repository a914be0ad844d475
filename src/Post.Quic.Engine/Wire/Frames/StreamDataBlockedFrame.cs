namespace Post.Quic.Engine.Wire.Frames;

/// <summary>STREAM_DATA_BLOCKED (RFC 9000 section 19.13).</summary>
internal readonly record struct StreamDataBlockedFrame(ulong StreamId, ulong Limit)
{
    public int Length => VarInt.Length(FrameType.StreamDataBlocked) + VarInt.Length(StreamId) + VarInt.Length(Limit);

    public static bool TryParse(ref WireReader reader, out StreamDataBlockedFrame frame)
    {
        if (reader.TryReadVarInt(out ulong streamId)
            && reader.TryReadVarInt(out ulong limit))
        {
            frame = new StreamDataBlockedFrame(streamId, limit);
            return true;
        }

        frame = default;
        return false;
    }

    public void Write(ref WireWriter writer)
    {
        writer.WriteVarInt(FrameType.StreamDataBlocked);
        writer.WriteVarInt(StreamId);
        writer.WriteVarInt(Limit);
    }
}
