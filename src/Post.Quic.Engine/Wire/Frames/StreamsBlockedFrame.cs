namespace Post.Quic.Engine.Wire.Frames;

/// <summary>STREAMS_BLOCKED (RFC 9000 section 19.14).</summary>
internal readonly record struct StreamsBlockedFrame(bool IsBidirectional, ulong Limit)
{
    public int Length => 1 + VarInt.Length(Limit);

    public static bool TryParse(ulong type, ref WireReader reader, out StreamsBlockedFrame frame)
    {
        // RFC 9000 section 19.14: a limit above 2^60 is STREAM_LIMIT_ERROR or FRAME_ENCODING_ERROR.
        if (reader.TryReadVarInt(out ulong limit) && limit <= MaxStreamsFrame.MaxLimit)
        {
            frame = new StreamsBlockedFrame(type == FrameType.StreamsBlockedBidirectional, limit);
            return true;
        }

        frame = default;
        return false;
    }

    public void Write(ref WireWriter writer)
    {
        writer.WriteVarInt(IsBidirectional
            ? FrameType.StreamsBlockedBidirectional
            : FrameType.StreamsBlockedUnidirectional);
        writer.WriteVarInt(Limit);
    }
}
