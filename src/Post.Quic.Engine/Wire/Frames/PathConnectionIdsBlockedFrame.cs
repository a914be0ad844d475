namespace Post.Quic.Engine.Wire.Frames;

/// <summary>
/// PATH_CIDS_BLOCKED (draft-ietf-quic-multipath section 4.7): the sender lacks an unused connection id for the path, the next of
/// which would have this sequence number.
/// </summary>
internal readonly record struct PathConnectionIdsBlockedFrame(ulong PathId, ulong NextSequenceNumber)
{
    public int Length => VarInt.Length(FrameType.PathConnectionIdsBlocked) + VarInt.Length(PathId) + VarInt.Length(NextSequenceNumber);

    public static bool TryParse(ref WireReader reader, out PathConnectionIdsBlockedFrame frame)
    {
        if (reader.TryReadVarInt(out ulong pathId)
            && reader.TryReadVarInt(out ulong nextSequenceNumber))
        {
            frame = new PathConnectionIdsBlockedFrame(pathId, nextSequenceNumber);
            return true;
        }

        frame = default;
        return false;
    }

    public void Write(ref WireWriter writer)
    {
        writer.WriteVarInt(FrameType.PathConnectionIdsBlocked);
        writer.WriteVarInt(PathId);
        writer.WriteVarInt(NextSequenceNumber);
    }
}
