namespace Post.Quic.Engine.Wire.Frames;

/// <summary>RETIRE_CONNECTION_ID (RFC 9000 section 19.16).</summary>
internal readonly record struct RetireConnectionIdFrame(ulong SequenceNumber)
{
    public int Length => VarInt.Length(FrameType.RetireConnectionId) + VarInt.Length(SequenceNumber);

    public static bool TryParse(ref WireReader reader, out RetireConnectionIdFrame frame)
    {
        if (reader.TryReadVarInt(out ulong sequenceNumber))
        {
            frame = new RetireConnectionIdFrame(sequenceNumber);
            return true;
        }

        frame = default;
        return false;
    }

    public void Write(ref WireWriter writer)
    {
        writer.WriteVarInt(FrameType.RetireConnectionId);
        writer.WriteVarInt(SequenceNumber);
    }
}
