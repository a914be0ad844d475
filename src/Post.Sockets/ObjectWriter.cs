using System.IO.Pipelines;

namespace Post.Sockets;

/// <summary>
/// An object that is written piece by piece while it is sent: a <see cref="PipeWriter"/> whose completion is the end of the object. Completing it
/// with an exception lets the object fail; the receiver never sees part of it (unless it reads incrementally).
/// </summary>
public sealed class ObjectWriter : PipeWriter
{
    private readonly PipeWriter _writer;

    internal ObjectWriter(PipeWriter writer, SentObject sentObject)
    {
        _writer = writer;
        Object = sentObject;
    }

    /// <summary>The handle of the object.</summary>
    public SentObject Object { get; }

    /// <inheritdoc/>
    public override bool CanGetUnflushedBytes => _writer.CanGetUnflushedBytes;

    /// <inheritdoc/>
    public override long UnflushedBytes => _writer.UnflushedBytes;

    /// <inheritdoc/>
    public override void Advance(int bytes) => _writer.Advance(bytes);

    /// <inheritdoc/>
    public override Memory<byte> GetMemory(int sizeHint = 0) => _writer.GetMemory(sizeHint);

    /// <inheritdoc/>
    public override Span<byte> GetSpan(int sizeHint = 0) => _writer.GetSpan(sizeHint);

    /// <inheritdoc/>
    public override void CancelPendingFlush() => _writer.CancelPendingFlush();

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null) => _writer.Complete(exception);

    /// <inheritdoc/>
    public override ValueTask CompleteAsync(Exception? exception = null) => _writer.CompleteAsync(exception);

    /// <inheritdoc/>
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) =>
        _writer.FlushAsync(cancellationToken);

    /// <inheritdoc/>
    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default) =>
        _writer.WriteAsync(source, cancellationToken);
}
