namespace Post.Sockets.Protocol;

/// <summary>
/// RECEIPT and ABANDON, which have one layout: a status or reason, and the ids that it holds for.
/// </summary>
internal static class IdListFrame
{
    /// <summary>Reads the payload of a RECEIPT.</summary>
    public static bool TryParseReceipt(ReadOnlySpan<byte> payload, out ReceiptStatus status, out IdRangeList ids)
    {
        bool valid = TryParse(payload, out long code, out ids);

        // A status that a later version invented is at least no delivery.
        status = code <= (long)ReceiptStatus.ReceiverLimit ? (ReceiptStatus)code : ReceiptStatus.Refused;
        return valid;
    }

    /// <summary>Reads the payload of an ABANDON.</summary>
    public static bool TryParseAbandon(ReadOnlySpan<byte> payload, out AbandonReason reason, out IdRangeList ids)
    {
        bool valid = TryParse(payload, out long code, out ids);

        // Whatever a later version's reason was: the object will not come.
        reason = code <= (long)AbandonReason.Lost ? (AbandonReason)code : AbandonReason.Expired;
        return valid;
    }

    /// <summary>
    /// Writes a whole RECEIPT frame of at most <see cref="ProtocolLimits.MaxRangesPerFrame"/> ascending ranges; returns
    /// the number of bytes written.
    /// </summary>
    public static int WriteReceipt(Span<byte> destination, ReceiptStatus status, ReadOnlySpan<IdRange> ids) =>
        Write(destination, ControlFrameType.Receipt, (long)status, ids);

    /// <summary>Likewise, an ABANDON frame.</summary>
    public static int WriteAbandon(Span<byte> destination, AbandonReason reason, ReadOnlySpan<IdRange> ids) =>
        Write(destination, ControlFrameType.Abandon, (long)reason, ids);

    /// <summary>The bytes that a frame of these ranges takes, to make the buffer large enough.</summary>
    public static int Length(long code, ReadOnlySpan<IdRange> ids)
    {
        int payload = PostInteger.Length(code) + IdRangeList.Length(ids);
        return PostInteger.Length(ControlFrameType.Receipt) + PostInteger.Length(payload) + payload;
    }

    private static int Write(Span<byte> destination, long type, long code, ReadOnlySpan<IdRange> ids)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(ids.Length, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ids.Length, ProtocolLimits.MaxRangesPerFrame);
        var writer = new PostWriter(destination);
        writer.WriteInteger(type);
        writer.WriteInteger(PostInteger.Length(code) + IdRangeList.Length(ids));
        writer.WriteInteger(code);
        IdRangeList.Write(ref writer, ids);
        return writer.Written;
    }

    private static bool TryParse(ReadOnlySpan<byte> payload, out long code, out IdRangeList ids)
    {
        ids = default;
        return PostInteger.TryRead(payload, out code, out int consumed)
            && IdRangeList.TryParse(payload[consumed..], out ids);
    }
}
