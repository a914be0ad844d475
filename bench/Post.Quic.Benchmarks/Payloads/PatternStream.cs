namespace Post.Quic.Benchmarks.Payloads;

/// <summary>The pattern as a stream to send: of a length, or until it is told to end.</summary>
/// <param name="phase">Where in the pattern it begins.</param>
/// <param name="length">Its bytes; null: until <see cref="End"/>.</param>
internal sealed class PatternStream(long phase, long? length) : Stream
{
    private long _position;
    private volatile bool _isEnded;

    public override bool CanRead => true;

    public override bool CanSeek => length is not null;

    public override bool CanWrite => false;

    public override long Length => length ?? throw new NotSupportedException("It ends when it is told to.");

    public override long Position
    {
        get => Volatile.Read(ref _position);
        set => throw new NotSupportedException("It is read once.");
    }

    /// <summary>The next read finds the end.</summary>
    public void End() => _isEnded = true;

    public override int Read(Span<byte> buffer)
    {
        long left = _isEnded ? 0 : (length ?? long.MaxValue) - _position;
        int count = (int)Math.Min(Math.Min(buffer.Length, Pattern.MaxPiece), left);
        Pattern.At(phase + _position, count).Span.CopyTo(buffer);
        Volatile.Write(ref _position, _position + count);
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        new(Read(buffer.Span));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        Task.FromResult(Read(buffer.AsSpan(offset, count)));

    public override void Flush()
    {
        // Nothing is written.
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException("It is read once.");

    public override void SetLength(long value) => throw new NotSupportedException("Nothing is written.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("Nothing is written.");
}
