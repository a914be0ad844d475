namespace Post.Sockets.Protocol;

/// <summary>
/// GOAWAY: the sender of this frame serves no object of the peer from <see cref="FirstUnserved"/> on, and no new stream.
/// </summary>
internal readonly record struct GoAwayFrame(long FirstUnserved, PostErrorCode Reason)
{
    public const int MaxLength = 2 + (2 * PostInteger.MaxLength);

    public static bool TryParse(ReadOnlySpan<byte> payload, out GoAwayFrame frame)
    {
        var reader = new PostReader(payload);
        bool valid = reader.TryReadInteger(out long firstUnserved)
            & reader.TryReadInteger(out long reason)
            & reader.IsAtEnd;
        frame = new GoAwayFrame(firstUnserved, (PostErrorCode)reason);
        return valid;
    }

    /// <summary>Writes the whole frame; returns the number of bytes written.</summary>
    public int Write(Span<byte> destination)
    {
        var writer = new PostWriter(destination);
        writer.WriteInteger(ControlFrameType.GoAway);
        writer.WriteInteger(PostInteger.Length(FirstUnserved) + PostInteger.Length((long)Reason));
        writer.WriteInteger(FirstUnserved);
        writer.WriteInteger((long)Reason);
        return writer.Written;
    }
}
