namespace Post.Quic.Engine.Wire.Frames;

/// <summary>MAX_PATH_ID (draft-ietf-quic-multipath section 4.6): the largest path id that the receiver may use.</summary>
/// <remarks>
/// A value above 2^32 - 1, or below what the sender gave as initial_max_path_id, is PROTOCOL_VIOLATION. That is for whoever knows
/// what it gave.
/// </remarks>
internal readonly record struct MaxPathIdFrame(ulong Maximum)
{
    public int Length => VarInt.Length(FrameType.MaxPathId) + VarInt.Length(Maximum);

    public static bool TryParse(ref WireReader reader, out MaxPathIdFrame frame)
    {
        if (reader.TryReadVarInt(out ulong maximum))
        {
            frame = new MaxPathIdFrame(maximum);
            return true;
        }

        frame = default;
        return false;
    }

    public void Write(ref WireWriter writer)
    {
        writer.WriteVarInt(FrameType.MaxPathId);
        writer.WriteVarInt(Maximum);
    }
}
