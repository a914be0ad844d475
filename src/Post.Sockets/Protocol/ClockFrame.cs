namespace Post.Sockets.Protocol;

/// <summary>CLOCK: what the association clock of its sender showed when the frame was written, in microseconds.</summary>
internal readonly record struct ClockFrame(long Shown)
{
    public const int MaxLength = 2 + PostInteger.MaxLength;

    public static bool TryParse(ReadOnlySpan<byte> payload, out ClockFrame frame)
    {
        var reader = new PostReader(payload);
        bool valid = reader.TryReadInteger(out long shown) & reader.IsAtEnd;
        frame = new ClockFrame(shown);
        return valid;
    }

    /// <summary>Writes the whole frame; returns the number of bytes written.</summary>
    public int Write(Span<byte> destination)
    {
        var writer = new PostWriter(destination);
        writer.WriteInteger(ControlFrameType.Clock);
        writer.WriteInteger(PostInteger.Length(Shown));
        writer.WriteInteger(Shown);
        return writer.Written;
    }
}
