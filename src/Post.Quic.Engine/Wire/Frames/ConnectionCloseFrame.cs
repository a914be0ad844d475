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

    public int Length =>
        1 + VarInt.Length(ErrorCode)
        + (IsApplication ? 0 : VarInt.Length(FrameType))
        + VarInt.Length((ulong)Reason.Length) + Reason.Length;

    public static ConnectionCloseFrame Transport(ulong errorCode, ulong frameType, ReadOnlySpan<byte> reason) =>
        new(isApplication: false, errorCode, frameType, reason);

    public static ConnectionCloseFrame Application(ulong errorCode, ReadOnlySpan<byte> reason) =>
        new(isApplication: true, errorCode, frameType: 0, reason);

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

    public void Write(ref WireWriter writer)
    {
        writer.WriteVarInt(IsApplication ? Frames.FrameType.ConnectionCloseApplication : Frames.FrameType.ConnectionClose);
        writer.WriteVarInt(ErrorCode);
        if (!IsApplication)
        {
            writer.WriteVarInt(FrameType);
        }

        writer.WriteVarBytes(Reason);
    }
}
