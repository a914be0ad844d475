namespace Post.Quic.Engine.Wire.Frames;

/// <summary>
/// NEW_CONNECTION_ID (RFC 9000 section 19.15), and PATH_NEW_CONNECTION_ID (draft-ietf-quic-multipath section 4.4) where
/// it names a path.
/// </summary>
/// <param name="SequenceNumber">Counted for each path by itself.</param>
/// <param name="RetirePriorTo">Of ids of the same path.</param>
/// <param name="ConnectionId">The new id.</param>
/// <param name="ResetToken">What a stateless reset for the id ends with.</param>
/// <param name="PathId">The path that the id is for; none in a NEW_CONNECTION_ID, which is for path 0.</param>
internal readonly record struct NewConnectionIdFrame(
    ulong SequenceNumber,
    ulong RetirePriorTo,
    ConnectionId ConnectionId,
    StatelessResetToken ResetToken,
    ulong? PathId = null)
{
    public int Length =>
        (PathId is { } path ? VarInt.Length(FrameType.PathNewConnectionId) + VarInt.Length(path) : VarInt.Length(FrameType.NewConnectionId))
        + VarInt.Length(SequenceNumber) + VarInt.Length(RetirePriorTo) + 1 + ConnectionId.Length + StatelessResetToken.Length;

    public static bool TryParse(ulong type, ref WireReader reader, out NewConnectionIdFrame frame)
    {
        frame = default;
        ulong? pathId = null;
        if (type == FrameType.PathNewConnectionId)
        {
            if (!reader.TryReadVarInt(out ulong path))
            {
                return false;
            }

            pathId = path;
        }

        if (!reader.TryReadVarInt(out ulong sequenceNumber)
            || !reader.TryReadVarInt(out ulong retirePriorTo)
            || !reader.TryReadByte(out byte length)

            // RFC 9000 section 19.15: a length below 1 or above 20, or a Retire Prior To above the sequence number,
            // is FRAME_ENCODING_ERROR.
            || length is < 1 or > ConnectionId.MaxLength
            || retirePriorTo > sequenceNumber
            || !reader.TryReadBytes(length, out ReadOnlySpan<byte> id)
            || !reader.TryReadBytes(StatelessResetToken.Length, out ReadOnlySpan<byte> token))
        {
            return false;
        }

        frame = new NewConnectionIdFrame(
            sequenceNumber,
            retirePriorTo,
            new ConnectionId(id),
            new StatelessResetToken(token),
            pathId);
        return true;
    }

    public void Write(ref WireWriter writer)
    {
        if (PathId is { } path)
        {
            writer.WriteVarInt(FrameType.PathNewConnectionId);
            writer.WriteVarInt(path);
        }
        else
        {
            writer.WriteVarInt(FrameType.NewConnectionId);
        }

        writer.WriteVarInt(SequenceNumber);
        writer.WriteVarInt(RetirePriorTo);
        writer.WriteByte((byte)ConnectionId.Length);
        writer.WriteBytes(ConnectionId.Span);
        writer.WriteBytes(ResetToken.Span);
    }
}
