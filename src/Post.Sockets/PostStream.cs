using System.IO.Pipelines;
using Post.Sockets.Associations.Streams;
using Post.Sockets.Protocol;

namespace Post.Sockets;

/// <summary>
/// An ordered stream of bytes in both directions, beside the objects of an association. One read and one write at a time. Disposing it
/// ends our direction in order and gives up the other; <see cref="Abort"/> breaks both off.
/// </summary>
public sealed class PostStream : Stream, IDuplexPipe
{
    private const string LengthUnknown = "A Post stream has no length: it ends when its writer completes it.";
    private const string CannotSeek = "A Post stream cannot seek: its bytes come once and in order.";

    private readonly StreamSender _sender;
    private ReadOnlyMemory<byte> _first;
    private bool _isReadEnded;
    private bool _isDisposed;
    private PipeReader? _input;
    private PipeWriter? _output;

    internal PostStream(StreamSender sender, int niceness, ReadOnlyMemory<byte> first, bool isReadEnded)
    {
        _sender = sender;
        _first = first;
        _isReadEnded = isReadEnded;
        Niceness = niceness;
    }

    /// <summary>A number that is unique on the connection.</summary>
    public long Id => _sender.Stream.Id;

    /// <summary>How much what we write yields; the opener chose it for both directions.</summary>
    public int Niceness { get; }

    /// <summary>Bits per second reserved for what we write; null: none.</summary>
    public long? Bandwidth => _sender.ReservedBitsPerSecond > 0 ? _sender.ReservedBitsPerSecond : null;

    /// <summary>The incoming bytes as a pipe. Use it or the reads of the stream, not both.</summary>
    public PipeReader Input => _input ??= PipeReader.Create(this, new StreamPipeReaderOptions(leaveOpen: true));

    /// <summary>The outgoing bytes as a pipe; completing it completes our direction. Use it or the writes of the stream, not both.</summary>
    public PipeWriter Output => _output ??= PipeWriter.Create(new WriteSide(this), new StreamPipeWriterOptions(leaveOpen: false));

    /// <inheritdoc/>
    public override bool CanRead => !_isDisposed;

    /// <inheritdoc/>
    public override bool CanWrite => !_isDisposed;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException(LengthUnknown);

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException(CannotSeek);
        set => throw new NotSupportedException(CannotSeek);
    }

    /// <summary>Ends the outgoing direction; the peer reads to its end.</summary>
    /// <param name="cancellationToken">Ends the wait, and breaks the stream off.</param>
    /// <returns>When the transport has taken the end.</returns>
    public Task CompleteWritesAsync(CancellationToken cancellationToken = default) =>
        WriteCoreAsync(ReadOnlyMemory<byte>.Empty, end: true, cancellationToken);

    /// <summary>Breaks both directions off: the peer's reads and writes fail, and so do ours.</summary>
    public void Abort() => _sender.Abort();

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        cancellationToken.ThrowIfCancellationRequested();
        if (!_first.IsEmpty)
        {
            var count = Math.Min(_first.Length, buffer.Length);
            _first[..count].CopyTo(buffer);
            _first = _first[count..];
            return count;
        }

        if (_isReadEnded || buffer.IsEmpty)
        {
            return 0;
        }

        try
        {
            var result = await _sender.Stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            if (result.IsReset)
            {
                throw new PostException(
                    PostErrorReason.StreamEnded,
                    result.ResetCode == (long)PostErrorCode.StreamRefused
                        ? "The peer takes no streams; it may be a listener with AcceptStreams off."
                        : $"The peer broke the stream off (code 0x{result.ResetCode:x}).");
            }

            _isReadEnded = result.IsCompleted;
            return result.Count;
        }
        catch (Transport.TransportException exception)
        {
            throw _sender.ToException(exception);
        }
    }

    /// <inheritdoc/>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        await WriteCoreAsync(buffer, end: false, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) =>
        ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) =>
        WriteAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException(CannotSeek);

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException(LengthUnknown);

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        try
        {
            await _sender.WriteAsync(ReadOnlyMemory<byte>.Empty, end: true).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is PostException or InvalidOperationException)
        {
            // It had broken off already, or a write is still under way: there is no end in order then.
            Abort();
        }

        _sender.Release(_isReadEnded);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && !_isDisposed)
        {
            // It must not block: the end is sent in the background.
            _ = DisposeAsync().AsTask();
        }

        base.Dispose(disposing);
    }

    private async Task WriteCoreAsync(ReadOnlyMemory<byte> buffer, bool end, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var writing = _sender.WriteAsync(buffer, end);
        if (writing.IsCompleted || !cancellationToken.CanBeCanceled)
        {
            await writing.ConfigureAwait(false);
            return;
        }

        // How much of the buffer went out is unknown, so a canceled write aborts the stream, as elsewhere in .NET.
        using var registration = cancellationToken.UnsafeRegister(static stream => ((PostStream)stream!).Abort(), this);
        try
        {
            await writing.ConfigureAwait(false);
        }
        catch (PostException) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
    }

    /// <summary>What <see cref="Output"/> writes to: completing it ends the direction, not the stream.</summary>
    private sealed class WriteSide(PostStream stream) : Stream
    {
        private bool _isDone;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException(LengthUnknown);

        public override long Position
        {
            get => throw new NotSupportedException(CannotSeek);
            set => throw new NotSupportedException(CannotSeek);
        }

        public override void Flush()
        {
        }

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public override int Read(byte[] buffer, int offset, int count) =>
            throw new NotSupportedException("This side of the stream is only written; read from Input.");

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException(CannotSeek);

        public override void SetLength(long value) => throw new NotSupportedException(LengthUnknown);

        public override void Write(byte[] buffer, int offset, int count) => stream.Write(buffer, offset, count);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            stream.WriteAsync(buffer, cancellationToken);

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            stream.WriteAsync(buffer, offset, count, cancellationToken);

        public override async ValueTask DisposeAsync()
        {
            if (_isDone)
            {
                return;
            }

            _isDone = true;
            try
            {
                await stream.CompleteWritesAsync().ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is PostException or InvalidOperationException)
            {
                // The direction was over before.
            }

            await base.DisposeAsync().ConfigureAwait(false);
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing && !_isDone)
            {
                _ = DisposeAsync().AsTask();
            }

            base.Dispose(disposing);
        }
    }
}
