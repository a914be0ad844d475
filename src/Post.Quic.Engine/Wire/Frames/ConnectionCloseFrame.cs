namespace Post.Quic.Engine.Wire.Frames;

/// <summary>CONNECTION_CLOSE (RFC 9000 section 19.19), of the transport or of the application.</summary>
internal readonly ref struct ConnectionCloseFrame
{
    private ConnectionCloseFrame(bool isApplication, ulong errorCode, ulong frameType, ReadOnlySpan<byte> reason)
    {
        IsApplication = isApplication;
        ErrorCode = errorCode;
        FrameType = frameType;
        Reason = reason;
    }

    public bool IsApplication { get; }

    public ulong ErrorCode { get; }

    /// <summary>The frame that the transport's error came from; 0 where unknown, and for the application.</summary>
    public ulong FrameType { get; }

    /// <summary>UTF-8 if the peer keeps to the rules; whoever shows it must not rely on that.</summary>
    public ReadOnlySpan<byte> Reason { get; }

    public static bool TryParse(ulong type, ref WireReader reader, out ConnectionCloseFrame frame)
    {
        frame = default;
        bool isApplication = type == Frames.FrameType.ConnectionCloseApplication;
        ulong frameType = 0;
        if (!reader.TryReadVarInt(out ulong errorCode)
            || (!isApplication && !reader.TryReadVarInt(out frameType))
            || !reader.TryReadVarBytes(out ReadOnlySpan<byte> reason))
        {
            return false;
        }

        frame = new ConnectionCloseFrame(isApplication, errorCode, frameType, reason);
        return true;
    }

    /// <summary>The most bytes of reason for which a frame takes at most <paramref name="budget"/> bytes; -1: none fits.</summary>
    public static int MaxReason(int budget, ulong errorCode, ulong? frameType) =>
        LengthPrefix.MaxData(budget - 1 - VarInt.Length(errorCode) - (frameType is { } type ? VarInt.Length(type) : 0));

    public static void WriteTransport(
        ref WireWriter writer,
        ulong errorCode,
        ulong frameType,
        scoped ReadOnlySpan<byte> reason)
    {
        writer.WriteVarInt(Frames.FrameType.ConnectionClose);
        writer.WriteVarInt(errorCode);
        writer.WriteVarInt(frameType);
        writer.WriteVarBytes(reason);
    }

    public static void WriteApplication(ref WireWriter writer, ulong errorCode, scoped ReadOnlySpan<byte> reason)
    {
        writer.WriteVarInt(Frames.FrameType.ConnectionCloseApplication);
        writer.WriteVarInt(errorCode);
        writer.WriteVarBytes(reason);
    }
}
