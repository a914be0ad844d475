namespace Post.Quic.Engine.Wire.Frames;

/// <summary>NEW_CONNECTION_ID (RFC 9000 section 19.15).</summary>
internal readonly record struct NewConnectionIdFrame(
    ulong SequenceNumber,
    ulong RetirePriorTo,
    ConnectionId ConnectionId,
    StatelessResetToken ResetToken)
{
    public int Length =>
        1 + VarInt.Length(SequenceNumber) + VarInt.Length(RetirePriorTo) + 1 + ConnectionId.Length + StatelessResetToken.Length;

    public static bool TryParse(ref WireReader reader, out NewConnectionIdFrame frame)
    {
        frame = default;
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
            new StatelessResetToken(token));
        return true;
    }

    public void Write(ref WireWriter writer)
    {
        writer.WriteVarInt(FrameType.NewConnectionId);
        writer.WriteVarInt(SequenceNumber);
        writer.WriteVarInt(RetirePriorTo);
        writer.WriteByte((byte)ConnectionId.Length);
        writer.WriteBytes(ConnectionId.Span);
        writer.WriteBytes(ResetToken.Span);
    }
}
