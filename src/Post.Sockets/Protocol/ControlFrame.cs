namespace Post.Sockets.Protocol;

/// <summary>One known control frame as it stands on the stream: its type and its undecoded payload.</summary>
internal readonly ref struct ControlFrame(long type, ReadOnlySpan<byte> payload)
{
    public long Type { get; } = type;

    /// <summary>Valid until the reader is given its next bytes.</summary>
    public ReadOnlySpan<byte> Payload { get; } = payload;

    /// <summary>Writes a frame around a payload that is already there; returns the number of bytes written.</summary>
    public static int Write(Span<byte> destination, long type, ReadOnlySpan<byte> payload)
    {
        var writer = new PostWriter(destination);
        writer.WriteInteger(type);
        writer.WriteInteger(payload.Length);
        writer.WriteBytes(payload);
        return writer.Written;
    }

    /// <summary>
    /// Writes a frame that means nothing (docs/protocol.md, section "Greasing"); returns the number of bytes written, at
    /// most 16.
    /// </summary>
    public static int WriteGrease(Span<byte> destination, ulong random)
    {
        Span<byte> payload = stackalloc byte[(int)(random >> 61)];
        payload.Fill((byte)(random >> 32));
        return Write(destination, Grease.Pick(random), payload);
    }
}
