namespace Post.Sockets.Protocol;

/// <summary>Reads the fields of post/1 off the front of a span, never past its end.</summary>
internal ref struct PostReader(ReadOnlySpan<byte> source)
{
    private ReadOnlySpan<byte> _rest = source;

    public readonly int Remaining => _rest.Length;

    public readonly bool IsAtEnd => _rest.IsEmpty;

    public bool TryReadInteger(out long value)
    {
        if (!PostInteger.TryRead(_rest, out value, out int consumed))
        {
            return false;
        }

        _rest = _rest[consumed..];
        return true;
    }

    public bool TryReadBytes(long count, out ReadOnlySpan<byte> bytes)
    {
        // The count comes from the wire as 62 bits: it is compared before it is narrowed.
        if ((ulong)count > (ulong)_rest.Length)
        {
            bytes = default;
            return false;
        }

        bytes = _rest[..(int)count];
        _rest = _rest[(int)count..];
        return true;
    }
}
