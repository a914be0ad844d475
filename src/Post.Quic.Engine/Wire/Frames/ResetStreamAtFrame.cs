namespace Post.Quic.Engine.Wire.Frames;

/// <summary>RESET_STREAM_AT (draft-ietf-quic-reliable-stream-reset section 4): a reset that still delivers the first bytes.</summary>
internal readonly record struct ResetStreamAtFrame(ulong StreamId, ulong ErrorCode, ulong FinalSize, ulong ReliableSize)
{
    public int Length => VarInt.Length(FrameType.ResetStreamAt) + VarInt.Length(StreamId) + VarInt.Length(ErrorCode) + VarInt.Length(FinalSize) + VarInt.Length(ReliableSize);

    public static bool TryParse(ref WireReader reader, out ResetStreamAtFrame frame)
    {
        if (reader.TryReadVarInt(out ulong streamId)
            && reader.TryReadVarInt(out ulong errorCode)
            && reader.TryReadVarInt(out ulong finalSize)
            && reader.TryReadVarInt(out ulong reliableSize)

            // draft-ietf-quic-reliable-stream-reset section 4: a reliable size above the final size is
            // FRAME_ENCODING_ERROR.
            && reliableSize <= finalSize)
        {
            frame = new ResetStreamAtFrame(streamId, errorCode, finalSize, reliableSize);
            return true;
        }

        frame = default;
        return false;
    }

    public void Write(ref WireWriter writer)
    {
        writer.WriteVarInt(FrameType.ResetStreamAt);
        writer.WriteVarInt(StreamId);
        writer.WriteVarInt(ErrorCode);
        writer.WriteVarInt(FinalSize);
        writer.WriteVarInt(ReliableSize);
    }
}
