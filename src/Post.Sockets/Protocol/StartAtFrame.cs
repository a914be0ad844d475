namespace Post.Sockets.Protocol;

/// <summary>
/// START_AT: the receiver of an object with a durable id says from which offset on it wants the payload. It answers the header.
/// </summary>
internal readonly record struct StartAtFrame(long Id, long Offset)
{
    public const int MaxLength = 2 + (2 * PostInteger.MaxLength);

    public static bool TryParse(ReadOnlySpan<byte> payload, out StartAtFrame frame)
    {
        var reader = new PostReader(payload);
        bool valid = reader.TryReadInteger(out long id)
            & reader.TryReadInteger(out long offset)
            & reader.IsAtEnd;
        frame = new StartAtFrame(id, offset);
        return valid;
    }

    /// <summary>Writes the whole frame; returns the number of bytes written.</summary>
    public int Write(Span<byte> destination)
    {
        var writer = new PostWriter(destination);
        writer.WriteInteger(ControlFrameType.StartAt);
        writer.WriteInteger(PostInteger.Length(Id) + PostInteger.Length(Offset));
        writer.WriteInteger(Id);
        writer.WriteInteger(Offset);
        return writer.Written;
    }
}
