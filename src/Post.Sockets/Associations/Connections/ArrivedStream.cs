using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Connections;

/// <summary>
/// A stream that came whole and is read like any other after all, since it goes on with an object of which an earlier connection has brought
/// a part.
/// </summary>
internal sealed class ArrivedStream(byte[] bytes, long arrivedAt) : TransportStream
{
    private int _read;

    public override long Id => -1;

    public override TransportStreamKind Kind => TransportStreamKind.Unidirectional;

    public override bool IsLocal => false;

    public override long? ArrivedAt => arrivedAt;

    public override ValueTask<TransportReadResult> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var count = Math.Min(bytes.Length - _read, buffer.Length);
        bytes.AsSpan(_read, count).CopyTo(buffer.Span);
        _read += count;
        return ValueTask.FromResult(_read == bytes.Length ? TransportReadResult.Completed(count) : TransportReadResult.Data(count));
    }

    public override ValueTask<TransportWriteResult> WriteAsync(
        ReadOnlyMemory<byte> buffer, bool endOfStream, CancellationToken cancellationToken) =>
        throw new InvalidOperationException("The peer opened this unidirectional stream; it can only be read.");

    public override void Reset(long errorCode, long reliableSize = 0)
    {
    }

    public override void StopReading(long errorCode)
    {
    }

    public override void SetPriority(in TransportPriority priority)
    {
    }

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
