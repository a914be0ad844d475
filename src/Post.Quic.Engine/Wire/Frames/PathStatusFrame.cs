namespace Post.Quic.Engine.Wire.Frames;

/// <summary>
/// PATH_STATUS_BACKUP and PATH_STATUS_AVAILABLE (draft-ietf-quic-multipath section 4.3): whether the sender would rather not be sent
/// to on a path while there is another.
/// </summary>
/// <param name="IsBackup">PATH_STATUS_BACKUP rather than PATH_STATUS_AVAILABLE.</param>
/// <param name="PathId">The path.</param>
/// <param name="SequenceNumber">Counted for each path by itself; an older status than the last one means nothing.</param>
internal readonly record struct PathStatusFrame(bool IsBackup, ulong PathId, ulong SequenceNumber)
{
    public int Length => VarInt.Length(Type) + VarInt.Length(PathId) + VarInt.Length(SequenceNumber);

    private ulong Type => IsBackup ? FrameType.PathStatusBackup : FrameType.PathStatusAvailable;

    public static bool TryParse(ulong type, ref WireReader reader, out PathStatusFrame frame)
    {
        if (reader.TryReadVarInt(out ulong pathId) && reader.TryReadVarInt(out ulong sequenceNumber))
        {
            frame = new PathStatusFrame(type == FrameType.PathStatusBackup, pathId, sequenceNumber);
            return true;
        }

        frame = default;
        return false;
    }

    public void Write(ref WireWriter writer)
    {
        writer.WriteVarInt(Type);
        writer.WriteVarInt(PathId);
        writer.WriteVarInt(SequenceNumber);
    }
}
