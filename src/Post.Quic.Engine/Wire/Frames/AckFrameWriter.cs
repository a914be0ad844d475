namespace Post.Quic.Engine.Wire.Frames;

/// <summary>Writes ACK and PATH_ACK frames from ranges of received packet numbers.</summary>
internal static class AckFrameWriter
{
    /// <summary>
    /// Writes an ACK of as many of the ranges, the newest first, as fit into the writer. False, with nothing
    /// written, where not even the first fits. How many were written is in <paramref name="written"/>.
    /// </summary>
    /// <param name="writer">Its remaining bytes are the budget.</param>
    /// <param name="descending">The ranges, largest first, with a gap of at least one number between any two.</param>
    /// <param name="ackDelay">Already shifted by our ack_delay_exponent.</param>
    /// <param name="ecnCounts">Written where any count is not zero.</param>
    /// <param name="written">How many of the ranges are in the frame.</param>
    /// <param name="pathId">The path whose packets are acknowledged, for a PATH_ACK; none for an ACK.</param>
    public static bool TryWrite(
        ref WireWriter writer,
        scoped ReadOnlySpan<PacketNumberRange> descending,
        ulong ackDelay,
        EcnCounts ecnCounts,
        out int written,
        uint? pathId = null)
    {
        written = 0;
        if (descending.IsEmpty)
        {
            return false;
        }

        bool withEcn = ecnCounts != default;
        PacketNumberRange first = descending[0];
        int budget = writer.Remaining
            - 1
            - (pathId is { } id ? VarInt.Length(id) : 0)
            - VarInt.Length(first.Largest)
            - VarInt.Length(ackDelay)
            - VarInt.Length((ulong)descending.Length - 1)
            - VarInt.Length(first.Largest - first.Smallest)
            - (withEcn ? ecnCounts.Length : 0);
        if (budget < 0)
        {
            return false;
        }

        int fits = 1;
        while (fits < descending.Length)
        {
            budget -= RangeLength(descending[fits - 1], descending[fits]);
            if (budget < 0)
            {
                break;
            }

            fits++;
        }

        if (pathId is { } path)
        {
            writer.WriteVarInt(withEcn ? FrameType.PathAckEcn : FrameType.PathAck);
            writer.WriteVarInt(path);
        }
        else
        {
            writer.WriteVarInt(withEcn ? FrameType.AckEcn : FrameType.Ack);
        }

        writer.WriteVarInt(first.Largest);
        writer.WriteVarInt(ackDelay);
        writer.WriteVarInt((ulong)fits - 1);
        writer.WriteVarInt(first.Largest - first.Smallest);
        for (int i = 1; i < fits; i++)
        {
            writer.WriteVarInt(Gap(descending[i - 1], descending[i]));
            writer.WriteVarInt(descending[i].Largest - descending[i].Smallest);
        }

        if (withEcn)
        {
            writer.WriteVarInt(ecnCounts.Ect0);
            writer.WriteVarInt(ecnCounts.Ect1);
            writer.WriteVarInt(ecnCounts.Ce);
        }

        written = fits;
        return true;
    }

    private static int RangeLength(PacketNumberRange newer, PacketNumberRange older) =>
        VarInt.Length(Gap(newer, older)) + VarInt.Length(older.Largest - older.Smallest);

    private static ulong Gap(PacketNumberRange newer, PacketNumberRange older) => newer.Smallest - older.Largest - 2;
}
