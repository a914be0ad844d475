using System.IO.Pipelines;

namespace Post.Sockets.Objects;

/// <summary>
/// An object whose bytes the application opens when they are needed, at whatever offset they are needed from: what waits in the queue
/// holds no file open.
/// </summary>
/// <param name="open">Opens the bytes from an offset on.</param>
/// <param name="length">Bytes in all; null while unknown.</param>
/// <param name="elsewhere">Completes where the work of associations runs, apart from whoever calls.</param>
internal sealed class OpenedSource(
    Func<long, CancellationToken, ValueTask<Stream>> open, long? length, Func<Task> elsewhere) : ObjectSource, IDisposable
{
    private readonly CancellationTokenSource _notNeeded = new();
    private PipeSource? _opened;
    private Stream? _stream;
    private long _position;

    public override long? Length => length;

    /// <summary>Nothing while it waits; and few are open at a time.</summary>
    public override long HeldBytes => 0;

    public override long Position => _opened?.Position ?? _position;

    public override bool CanGoBack => true;

    public override void MoveTo(long offset)
    {
        Close(null);
        _position = offset;
    }

    public override bool TryPeek(int limit, out ReadOnlyMemory<byte> chunk, out bool isLast)
    {
        if (_opened is not null)
        {
            return _opened.TryPeek(limit, out chunk, out isLast);
        }

        chunk = default;
        isLast = _position == length;
        return isLast;
    }

    public override void Advance(int count)
    {
        _opened!.Advance(count);
        if (_opened.Position == length)
        {
            // The receipt may take its time; were it needed again, it would be opened again.
            Close(null);
        }
    }

    public override async ValueTask WaitAsync()
    {
        if (_opened is null)
        {
            // Whoever calls sends for everybody, and to open may take its time.
            await elsewhere().ConfigureAwait(false);
            _stream = await open(_position, _notNeeded.Token).ConfigureAwait(false)
                ?? throw new InvalidOperationException("What opens the source of an object returned null.");
            var reader = PipeReader.Create(_stream, new StreamPipeReaderOptions(bufferSize: Outbox.LargeObject, leaveOpen: true));
            Interlocked.Exchange(ref _opened, new PipeSource(reader, length, Outbox.LargeObject, _position));

            // Whoever interrupted before saw nothing to interrupt.
            _notNeeded.Token.ThrowIfCancellationRequested();
        }

        await _opened.WaitAsync().ConfigureAwait(false);
    }

    public override void Interrupt()
    {
        _notNeeded.Cancel();
        _opened?.Interrupt();
    }

    public override void Release(Exception? error)
    {
        _notNeeded.Cancel();
        Close(error);
        Dispose();
    }

    public void Dispose() => _notNeeded.Dispose();

    private void Close(Exception? error)
    {
        _position = Position;
        _opened?.Release(error);
        _opened = null;
        _stream?.Dispose();
        _stream = null;
    }
}
