namespace Post.Quic.Engine.Wire.Frames;

/// <summary>RESET_STREAM (RFC 9000 section 19.4).</summary>
internal readonly record struct ResetStreamFrame(ulong StreamId, ulong ErrorCode, ulong FinalSize)
{
    public int Length => VarInt.Length(FrameType.ResetStream) + VarInt.Length(StreamId) + VarInt.Length(ErrorCode) + VarInt.Length(FinalSize);

    public static bool TryParse(ref WireReader reader, out ResetStreamFrame frame)
    {
        if (reader.TryReadVarInt(out ulong streamId)
            && reader.TryReadVarInt(out ulong errorCode)
            && reader.TryReadVarInt(out ulong finalSize))
        {
            frame = new ResetStreamFrame(streamId, errorCode, finalSize);
            return true;
        }

        frame = default;
        return false;
    }

    public void Write(ref WireWriter writer)
    {
        writer.WriteVarInt(FrameType.ResetStream);
        writer.WriteVarInt(StreamId);
        writer.WriteVarInt(ErrorCode);
        writer.WriteVarInt(FinalSize);
    }
}
