namespace Post.Quic.Engine.Wire.Frames;

/// <summary>ACK_FREQUENCY (draft-ietf-quic-ack-frequency section 4): how seldom the peer would like to be acknowledged.</summary>
internal readonly record struct AckFrequencyFrame(ulong SequenceNumber, ulong AckElicitingThreshold, ulong RequestedMaxAckDelay, ulong ReorderingThreshold)
{
    // RequestedMaxAckDelay is in microseconds, unlike max_ack_delay. Whether it is below our min_ack_delay (a
    // PROTOCOL_VIOLATION) is for whoever knows what we announced.
    public int Length => VarInt.Length(FrameType.AckFrequency) + VarInt.Length(SequenceNumber) + VarInt.Length(AckElicitingThreshold) + VarInt.Length(RequestedMaxAckDelay) + VarInt.Length(ReorderingThreshold);

    public static bool TryParse(ref WireReader reader, out AckFrequencyFrame frame)
    {
        if (reader.TryReadVarInt(out ulong sequenceNumber)
            && reader.TryReadVarInt(out ulong ackElicitingThreshold)
            && reader.TryReadVarInt(out ulong requestedMaxAckDelay)
            && reader.TryReadVarInt(out ulong reorderingThreshold))
        {
            frame = new AckFrequencyFrame(sequenceNumber, ackElicitingThreshold, requestedMaxAckDelay, reorderingThreshold);
            return true;
        }

        frame = default;
        return false;
    }

    public void Write(ref WireWriter writer)
    {
        writer.WriteVarInt(FrameType.AckFrequency);
        writer.WriteVarInt(SequenceNumber);
        writer.WriteVarInt(AckElicitingThreshold);
        writer.WriteVarInt(RequestedMaxAckDelay);
        writer.WriteVarInt(ReorderingThreshold);
    }
}
