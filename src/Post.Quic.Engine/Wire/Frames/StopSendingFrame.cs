namespace Post.Quic.Engine.Wire.Frames;

/// <summary>STOP_SENDING (RFC 9000 section 19.5).</summary>
internal readonly record struct StopSendingFrame(ulong StreamId, ulong ErrorCode)
{
    public int Length => VarInt.Length(FrameType.StopSending) + VarInt.Length(StreamId) + VarInt.Length(ErrorCode);

    public static bool TryParse(ref WireReader reader, out StopSendingFrame frame)
    {
        if (reader.TryReadVarInt(out ulong streamId)
            && reader.TryReadVarInt(out ulong errorCode))
        {
            frame = new StopSendingFrame(streamId, errorCode);
            return true;
        }

        frame = default;
        return false;
    }

    public void Write(ref WireWriter writer)
    {
        writer.WriteVarInt(FrameType.StopSending);
        writer.WriteVarInt(StreamId);
        writer.WriteVarInt(ErrorCode);
    }
}
