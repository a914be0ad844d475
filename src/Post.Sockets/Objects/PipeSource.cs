using System.IO.Pipelines;

namespace Post.Sockets.Objects;

/// <summary>An object that is read from a pipe while it is sent: a stream, another's pipe, or what the application writes bit by bit.</summary>
/// <param name="reader">The pipe.</param>
/// <param name="length">Bytes in all; null while unknown.</param>
/// <param name="heldBytes">What we hold of it at a time. Nothing of another's pipe, whose bounds are its owner's.</param>
/// <param name="position">Where in the object the pipe begins.</param>
internal class PipeSource(PipeReader reader, long? length, long heldBytes, long position = 0) : ObjectSource
{
    private PipeReader _reader = reader;
    private ReadResult _result;
    private bool _hasResult;
    private long _position = position;
    private long _skip;

    public override long? Length => length;

    public override long HeldBytes => heldBytes;

    public override long Position => _position + _skip;

    /// <summary>Goes forward by reading what is not wanted; there is no way back.</summary>
    public override void MoveTo(long offset)
    {
        if (offset < _position)
        {
            throw new NotSupportedException("These bytes can be read once only.");
        }

        _skip = offset - _position;
    }

    public override bool TryPeek(int limit, out ReadOnlyMemory<byte> chunk, out bool isLast)
    {
        chunk = default;
        isLast = Position == length;
        if (isLast)
        {
            // What a file has gained since then is not part of the object.
            return true;
        }

        limit = (int)Math.Min(limit, length - Position ?? limit);
        if (!TryRead())
        {
            return false;
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
        if (_skip > 0 || (isLast && _position + chunk.Length < length))
        {
            throw new InvalidDataException(
                $"The source of an object was to have {length ?? _position + _skip} bytes and has {_position + chunk.Length}.");
        }

        // With a known length the end need not be waited for.
        isLast |= length == _position + chunk.Length;
        return true;
    }

    public override void Advance(int count)
    {
        _position += count;
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

    /// <summary>Reads from an offset on, by another reader.</summary>
    protected void StartOver(PipeReader again, long offset)
    {
        End(null);
        _reader = again;
        _position = offset;
        _skip = 0;
    }

    private bool TryRead()
    {
        while (true)
        {
            if (!_hasResult && !_reader.TryRead(out _result))
            {
                return false;
            }

            _hasResult = true;
            if (_result.IsCanceled)
            {
                throw new OperationCanceledException("The pipe that an object is read from was canceled.");
            }

            if (_skip == 0 || _result.Buffer.IsEmpty)
            {
                return true;
            }

            var skipped = Math.Min(_skip, _result.Buffer.Length);
            _skip -= skipped;
            _position += skipped;
            _reader.AdvanceTo(_result.Buffer.GetPosition(skipped));
            _hasResult = false;
        }
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
