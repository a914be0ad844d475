namespace Post.Quic.Engine.Wire.Frames;

/// <summary>PATH_ABANDON (draft-ietf-quic-multipath section 4.2): the sender uses the path no more. The code is a <see cref="TransportErrorCode"/>.</summary>
internal readonly record struct PathAbandonFrame(ulong PathId, ulong ErrorCode)
{
    public int Length => VarInt.Length(FrameType.PathAbandon) + VarInt.Length(PathId) + VarInt.Length(ErrorCode);

    public static bool TryParse(ref WireReader reader, out PathAbandonFrame frame)
    {
        if (reader.TryReadVarInt(out ulong pathId)
            && reader.TryReadVarInt(out ulong errorCode))
        {
            frame = new PathAbandonFrame(pathId, errorCode);
            return true;
        }

        frame = default;
        return false;
    }

    public void Write(ref WireWriter writer)
    {
        writer.WriteVarInt(FrameType.PathAbandon);
        writer.WriteVarInt(PathId);
        writer.WriteVarInt(ErrorCode);
    }
}
