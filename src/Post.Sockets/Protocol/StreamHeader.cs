namespace Post.Sockets.Protocol;

/// <summary>What stands before the bytes of a Post stream, in the direction of the end that opened it.</summary>
internal readonly record struct StreamHeader(long Niceness, long BandwidthBitsPerSecond = 0)
{
    private const long HasBandwidth = 0x01;

    /// <summary>Reads a header with the type in front of it; it is invalid only where a type other than 0x02 stands.</summary>
    public static ParseStatus TryParse(ReadOnlySpan<byte> source, out StreamHeader header, out int consumed)
    {
        header = default;
        consumed = 0;
        var reader = new PostReader(source);
        if (!reader.TryReadInteger(out long type))
        {
            return ParseStatus.NeedMore;
        }

        if (type != StreamType.PostStream)
        {
            return ParseStatus.Invalid;
        }

        if (!reader.TryReadInteger(out long flags) || !reader.TryReadInteger(out long niceness))
        {
            return ParseStatus.NeedMore;
        }

        long bandwidth = 0;
        if ((flags & HasBandwidth) != 0 && !reader.TryReadInteger(out bandwidth))
        {
            return ParseStatus.NeedMore;
        }

        header = new StreamHeader(niceness, bandwidth);
        consumed = source.Length - reader.Remaining;
        return ParseStatus.Done;
    }

    /// <summary>
    /// Writes the header with the type in front of it; returns the number of bytes written, at most
    /// <see cref="ProtocolLimits.MaxStreamHeader"/>.
    /// </summary>
    public int Write(Span<byte> destination)
    {
        var writer = new PostWriter(destination);
        writer.WriteInteger(StreamType.PostStream);
        writer.WriteInteger(BandwidthBitsPerSecond > 0 ? HasBandwidth : 0);
        writer.WriteInteger(Niceness);
        if (BandwidthBitsPerSecond > 0)
        {
            writer.WriteInteger(BandwidthBitsPerSecond);
        }

        return writer.Written;
    }
}
