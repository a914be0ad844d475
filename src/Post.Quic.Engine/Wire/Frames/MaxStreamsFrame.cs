namespace Post.Quic.Engine.Wire.Frames;

/// <summary>MAX_STREAMS (RFC 9000 section 19.11).</summary>
internal readonly record struct MaxStreamsFrame(bool IsBidirectional, ulong Limit)
{
    /// <summary>RFC 9000 section 4.6: a stream id above 2^62 could not be written down.</summary>
    public const ulong MaxLimit = 1UL << 60;

    public int Length => 1 + VarInt.Length(Limit);

    public static bool TryParse(ulong type, ref WireReader reader, out MaxStreamsFrame frame)
    {
        // RFC 9000 section 19.11: a limit above 2^60 is FRAME_ENCODING_ERROR.
        if (reader.TryReadVarInt(out ulong limit) && limit <= MaxLimit)
        {
            frame = new MaxStreamsFrame(type == FrameType.MaxStreamsBidirectional, limit);
            return true;
        }

        frame = default;
        return false;
    }

    public void Write(ref WireWriter writer)
    {
        writer.WriteVarInt(IsBidirectional ? FrameType.MaxStreamsBidirectional : FrameType.MaxStreamsUnidirectional);
        writer.WriteVarInt(Limit);
    }
}
