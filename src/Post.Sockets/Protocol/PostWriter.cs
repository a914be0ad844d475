namespace Post.Sockets.Protocol;

/// <summary>Writes the fields of post/1 into a span that the caller made large enough.</summary>
internal ref struct PostWriter(Span<byte> destination)
{
    private readonly Span<byte> _destination = destination;

    public int Written { get; private set; }

    public void WriteInteger(long value) => Written += PostInteger.Write(_destination[Written..], value);

    public void WriteBytes(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_destination[Written..]);
        Written += bytes.Length;
    }
}
