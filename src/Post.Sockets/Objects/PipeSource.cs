using System.IO.Pipelines;

namespace Post.Sockets.Objects;

/// <summary>An object that is read from a pipe while it is sent: a stream, another's pipe, or what the application writes bit by bit.</summary>
/// <param name="reader">The pipe.</param>
/// <param name="length">Bytes in all; null while unknown.</param>
/// <param name="heldBytes">What we hold of it at a time. Nothing of another's pipe, whose bounds are its owner's.</param>
internal class PipeSource(PipeReader reader, long? length, long heldBytes) : ObjectSource
{
    private PipeReader _reader = reader;
    private ReadResult _result;
    private bool _hasResult;
    private long _shown;

    public override long? Length => length;

    public override long HeldBytes => heldBytes;

    public override bool TryPeek(int limit, out ReadOnlyMemory<byte> chunk, out bool isLast)
    {
        chunk = default;
        isLast = false;
        if (!_hasResult)
        {
            if (!_reader.TryRead(out _result))
            {
                return false;
            }

            _hasResult = true;
        }

        if (_result.IsCanceled)
        {
            throw new OperationCanceledException("The pipe that an object is read from was canceled.");
        }

        foreach (var segment in _result.Buffer)
        {
            if (!segment.IsEmpty)
            {
                chunk = segment.Length > limit ? segment[..limit] : segment;
                break;
            }
        }

        if (chunk.IsEmpty && !_result.IsCompleted)
        {
            // Nothing but a wake-up: go and wait for more.
            _reader.AdvanceTo(_result.Buffer.Start, _result.Buffer.End);
            _hasResult = false;
            return false;
        }

        isLast = _result.IsCompleted && chunk.Length == _result.Buffer.Length;
        if (length is { } promised && (_shown + chunk.Length > promised || (isLast && _shown + chunk.Length < promised)))
        {
            throw new InvalidDataException(
                $"The source of an object said it had {promised} bytes and has {(isLast ? "fewer" : "more")}.");
        }

        // With a known length the end need not be waited for.
        isLast |= length == _shown + chunk.Length;
        return true;
    }

    public override void Advance(int count)
    {
        _shown += count;
        _reader.AdvanceTo(_result.Buffer.GetPosition(count));
        _hasResult = false;
    }

    public override async ValueTask WaitAsync()
    {
        _result = await _reader.ReadAsync().ConfigureAwait(false);
        _hasResult = true;
    }

    public override void Interrupt() => _reader.CancelPendingRead();

    public override void Release(Exception? error) => End(error);

    /// <summary>Reads from the beginning once more, by another reader of the same bytes.</summary>
    protected void StartOver(PipeReader again)
    {
        End(null);
        _reader = again;
        _shown = 0;
    }

    private void End(Exception? error)
    {
        if (_hasResult)
        {
            _hasResult = false;
            _reader.AdvanceTo(_result.Buffer.Start);
        }

        _reader.Complete(error);
    }
}
