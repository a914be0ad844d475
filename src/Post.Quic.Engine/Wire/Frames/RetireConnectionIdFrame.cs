namespace Post.Quic.Engine.Wire.Frames;

/// <summary>
/// RETIRE_CONNECTION_ID (RFC 9000 section 19.16), and PATH_RETIRE_CONNECTION_ID (draft-ietf-quic-multipath section 4.5) where
/// it names a path.
/// </summary>
/// <param name="SequenceNumber">Counted for each path by itself.</param>
/// <param name="PathId">The path that the id was for; none in a RETIRE_CONNECTION_ID, which is for path 0.</param>
internal readonly record struct RetireConnectionIdFrame(ulong SequenceNumber, ulong? PathId = null)
{
    public int Length =>
        (PathId is { } path
            ? VarInt.Length(FrameType.PathRetireConnectionId) + VarInt.Length(path)
            : VarInt.Length(FrameType.RetireConnectionId))
        + VarInt.Length(SequenceNumber);

    public static bool TryParse(ulong type, ref WireReader reader, out RetireConnectionIdFrame frame)
    {
        frame = default;
        ulong? pathId = null;
        if (type == FrameType.PathRetireConnectionId)
        {
            if (!reader.TryReadVarInt(out ulong path))
            {
                return false;
            }

            pathId = path;
        }

        if (!reader.TryReadVarInt(out ulong sequenceNumber))
        {
            return false;
        }

        frame = new RetireConnectionIdFrame(sequenceNumber, pathId);
        return true;
    }

    public void Write(ref WireWriter writer)
    {
        if (PathId is { } path)
        {
            writer.WriteVarInt(FrameType.PathRetireConnectionId);
            writer.WriteVarInt(path);
        }
        else
        {
            writer.WriteVarInt(FrameType.RetireConnectionId);
        }

        writer.WriteVarInt(SequenceNumber);
    }
}
