namespace Post.Sockets.Protocol;

/// <summary>
/// Takes the control frames out of the bytes of a control stream, however those are split. A frame that stands whole in
/// the input is not copied; one in pieces is gathered in a buffer of at most <see cref="ProtocolLimits.MaxFrameLength"/>.
/// It holds the rules about the order of frames: HELLO first, and once.
/// </summary>
internal sealed class ControlFrameReader
{
    private byte[] _partial = [];
    private int _partialLength;
    private long _skip;
    private bool _helloSeen;
    private PostErrorCode _error;

    /// <summary>Whether no frame is begun and not ended: only there may a control stream be looked at as at rest.</summary>
    public bool IsBetweenFrames => _partialLength == 0 && _skip == 0;

    /// <summary>The bytes held of an unfinished frame.</summary>
    public int Buffered => _partialLength;

    /// <summary>
    /// Takes the next known frame off the front of <paramref name="input"/>. Call again while it says
    /// <see cref="ParseStatus.Done"/>; <see cref="ParseStatus.NeedMore"/> means that all of the input was consumed.
    /// After <see cref="ParseStatus.Invalid"/> the connection is to be closed with <paramref name="error"/>, and every
    /// further call says the same.
    /// </summary>
    public ParseStatus TryRead(scoped ref ReadOnlySpan<byte> input, out ControlFrame frame, out PostErrorCode error)
    {
        frame = default;
        while (true)
        {
            error = _error;
            if (_error != PostErrorCode.NoError)
            {
                return ParseStatus.Invalid;
            }

            if (_skip > 0)
            {
                int skipped = (int)Math.Min(_skip, input.Length);
                input = input[skipped..];
                _skip -= skipped;
            }

            if (input.IsEmpty)
            {
                return ParseStatus.NeedMore;
            }

            ParseStatus status = _partialLength == 0
                ? ReadWhole(ref input, out frame)
                : ReadGathered(ref input, out frame);
            if (status == ParseStatus.Done && !ControlFrameType.IsKnown(frame.Type))
            {
                frame = default;
                continue;
            }

            error = _error;
            return status;
        }
    }

    private ParseStatus ReadWhole(scoped ref ReadOnlySpan<byte> input, out ControlFrame frame)
    {
        frame = default;
        if (!TryReadHead(input, out long type, out int head, out int length))
        {
            if (_error != PostErrorCode.NoError)
            {
                return ParseStatus.Invalid;
            }

            Keep(input, input.Length);
            input = default;
            return ParseStatus.NeedMore;
        }

        if (!AllowNext(type))
        {
            return ParseStatus.Invalid;
        }

        if (!ControlFrameType.IsKnown(type))
        {
            // Nothing of it is kept: an unknown frame costs no memory.
            input = input[head..];
            _skip = length;
            frame = new ControlFrame(type, default);
            return ParseStatus.Done;
        }

        if (input.Length - head < length)
        {
            Keep(input, head + length);
            input = default;
            return ParseStatus.NeedMore;
        }

        frame = new ControlFrame(type, input.Slice(head, length));
        input = input[(head + length)..];
        Arrived(type);
        return ParseStatus.Done;
    }

    private ParseStatus ReadGathered(scoped ref ReadOnlySpan<byte> input, out ControlFrame frame)
    {
        frame = default;

        // The head comes first, byte by byte, since only it says how much of the input belongs to this frame.
        long type;
        int head;
        int length;
        while (!TryReadHead(_partial.AsSpan(0, _partialLength), out type, out head, out length))
        {
            if (_error != PostErrorCode.NoError)
            {
                return ParseStatus.Invalid;
            }

            if (input.IsEmpty)
            {
                return ParseStatus.NeedMore;
            }

            Keep(input[..1], 2 * PostInteger.MaxLength);
            input = input[1..];
        }

        if (!AllowNext(type))
        {
            return ParseStatus.Invalid;
        }

        if (!ControlFrameType.IsKnown(type))
        {
            _skip = head + length - _partialLength;
            _partialLength = 0;
            frame = new ControlFrame(type, default);
            return ParseStatus.Done;
        }

        int missing = Math.Min(head + length - _partialLength, input.Length);
        Keep(input[..missing], head + length);
        input = input[missing..];
        if (_partialLength < head + length)
        {
            return ParseStatus.NeedMore;
        }

        frame = new ControlFrame(type, _partial.AsSpan(head, length));
        _partialLength = 0;
        Arrived(type);
        return ParseStatus.Done;
    }

    private bool TryReadHead(ReadOnlySpan<byte> bytes, out long type, out int head, out int length)
    {
        head = 0;
        length = 0;
        var reader = new PostReader(bytes);
        if (!reader.TryReadInteger(out type) || !reader.TryReadInteger(out long longLength))
        {
            return false;
        }

        if (longLength > ProtocolLimits.MaxFramePayload)
        {
            _error = PostErrorCode.FrameTooLong;
            return false;
        }

        head = bytes.Length - reader.Remaining;
        length = (int)longLength;
        return true;
    }

    private bool AllowNext(long type)
    {
        if (!_helloSeen && type != ControlFrameType.Hello)
        {
            _error = PostErrorCode.MissingHello;
        }
        else if (_helloSeen && type == ControlFrameType.Hello)
        {
            _error = PostErrorCode.DuplicateHello;
        }

        return _error == PostErrorCode.NoError;
    }

    private void Arrived(long type) => _helloSeen |= type == ControlFrameType.Hello;

    private void Keep(ReadOnlySpan<byte> bytes, int expected)
    {
        int needed = Math.Max(expected, _partialLength + bytes.Length);
        if (needed > _partial.Length)
        {
            Array.Resize(ref _partial, Math.Max(64, needed));
        }

        bytes.CopyTo(_partial.AsSpan(_partialLength));
        _partialLength += bytes.Length;
    }
}
