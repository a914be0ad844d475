using Post.Sockets.Scheduling;
using Post.Sockets.Transport;

namespace Post.Sockets.Testing;

/// <summary>The sending direction of a stream: one write at a time, pieces that were lost, the end, the reset.</summary>
internal sealed class InMemorySendHalf
{
    private readonly InMemorySender _sender;
    private Queue<LostPiece>? _lost;
    private PendingOperation<TransportWriteResult>? _write;
    private ReadOnlyMemory<byte> _buffer;
    private byte[]? _tail;
    private TransportWriteResult _immediate;
    private TransportException? _failure;
    private bool _insideCall;
    private bool _writing;
    private bool _endOfBufferIsEnd;
    private bool _endSent;
    private bool _endAcknowledged;
    private bool _stopped;
    private long _stopCode;
    private long _acknowledged;
    private long _limit;
    private long _resetSize = -1;

    public InMemorySendHalf(InMemoryStream stream, InMemorySender sender, in TransportPriority priority, long limit)
    {
        Stream = stream;
        _sender = sender;
        _limit = limit;
        Rank = sender.RankOf(priority);
    }

    public InMemoryStream Stream { get; }

    /// <summary>Kept by the heap of those that stand in line; -1 while in none.</summary>
    public int HeapIndex { get; private set; } = -1;

    /// <summary>The priority as far as the connection honours it.</summary>
    public TransportPriority Rank { get; private set; }

    /// <summary>The place among equals that take turns.</summary>
    public long Turn { get; set; }

    /// <summary>Bytes sent for the first time.</summary>
    public long Sent { get; private set; }

    /// <summary>Everything was acknowledged, or the stream was reset: its user has no more to wait for.</summary>
    public bool IsDone => IsReset || (_endAcknowledged && _acknowledged == Sent);

    public bool IsFinishedByUser => _endOfBufferIsEnd || _endSent || _resetSize >= 0;

    public bool HasWork => _failure is null && (_lost is { Count: > 0 } || HasNew);

    /// <summary>Whether all that it could send are bytes for which the connection must have credit.</summary>
    public bool NeedsConnectionCredit => _lost is not { Count: > 0 } && !IsOnlyEnd;

    private TransportException? Failure => _failure ?? _sender.Failure;

    public bool IsReset => _resetSize >= 0;

    private long UnsentBytes => IsReset ? _tail?.Length ?? 0 : _writing ? _buffer.Length : 0;

    private bool IsOnlyEnd => _writing && !IsReset && _buffer.Length == 0 && _endOfBufferIsEnd && !_endSent;

    private bool HasNew => IsOnlyEnd || (UnsentBytes > 0 && Sent < _limit);

    /// <summary>Where it belongs in line now.</summary>
    public SendRank Place => new(Rank.Niceness, Rank.Deadline, Turn, Rank.Order, Stream.Id);

    public static int Compare(in TransportPriority left, in TransportPriority right)
    {
        int order = left.Niceness.CompareTo(right.Niceness);
        return order != 0 ? order : left.Deadline.CompareTo(right.Deadline);
    }

    public ValueTask<TransportWriteResult> WriteAsync(ReadOnlyMemory<byte> buffer, bool end, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            Reset(0, 0);
            return ValueTask.FromCanceled<TransportWriteResult>(cancellationToken);
        }

        if (Failure is { } failure)
        {
            return ValueTask.FromException<TransportWriteResult>(failure.Again());
        }

        if (_stopped || IsReset)
        {
            return ValueTask.FromResult(TransportWriteResult.Stopped(_stopCode));
        }

        if (_writing || _write is { IsUnderWay: true })
        {
            throw new InvalidOperationException("A write of this stream is still under way.");
        }

        if (_endOfBufferIsEnd)
        {
            throw new InvalidOperationException("This stream has been ended; nothing can be written after its end.");
        }

        if (buffer.IsEmpty && !end)
        {
            return ValueTask.FromResult(TransportWriteResult.Taken);
        }

        _buffer = buffer;
        _endOfBufferIsEnd = end;
        _writing = true;
        _insideCall = true;
        _sender.Activate(this);
        _sender.Pump();
        _insideCall = false;
        if (!_writing)
        {
            return ValueTask.FromResult(_immediate);
        }

        _write ??= new PendingOperation<TransportWriteResult>(_sender.Network.Clock);
        return _write.Start(this, static (half, token) => ((InMemorySendHalf)half!).CancelWrite(token), cancellationToken);
    }

    /// <summary>Writes all of the stream and its end, without anybody who waits for that.</summary>
    public void WriteWhole(ReadOnlyMemory<byte> bytes)
    {
        _buffer = bytes;
        _endOfBufferIsEnd = true;
        _writing = true;
        _sender.Activate(this);
        _sender.Pump();
    }

    /// <summary>Puts what fits into a packet; false when the connection's credit is used up.</summary>
    public bool AppendTo(Packet packet)
    {
        while (_lost is { Count: > 0 } && packet.Room > 0)
        {
            AppendLost(packet);
        }

        if (packet.Room < 0 || !HasNew)
        {
            return true;
        }

        ReadOnlySpan<byte> unsent = IsReset ? _tail : _buffer.Span;
        long credit = _sender.Credit;
        int length = (int)Math.Min(Math.Min(unsent.Length, packet.Room), Math.Min(_limit - Sent, credit));
        bool isEnd = !IsReset && _endOfBufferIsEnd && length == unsent.Length;
        if (length == 0 && !isEnd)
        {
            return credit > 0;
        }

        unsent[..length].CopyTo(packet.Append(this, Sent, length, isEnd));
        Sent += length;
        _sender.UseCredit(length);
        if (IsReset)
        {
            _tail = length == unsent.Length ? null : _tail.AsSpan(length).ToArray();
            return true;
        }

        _buffer = _buffer[length..];
        _endSent |= isEnd;
        if (isEnd)
        {
            _sender.OnEndSent(Stream);
        }

        if (_buffer.IsEmpty && (isEnd || !_endOfBufferIsEnd) && _sender.WritesCompleteWhenSent)
        {
            CompleteWrite(TransportWriteResult.Taken);
        }

        return true;
    }

    /// <summary>A piece arrived; true when with it everything did, the end included.</summary>
    public bool OnAcknowledged(in PacketFrame frame)
    {
        if (IsReset)
        {
            return false;
        }

        _acknowledged += frame.Length;
        _endAcknowledged |= frame.IsEnd;
        if (_writing && !_sender.WritesCompleteWhenSent && _buffer.IsEmpty && _acknowledged == Sent
            && (_endAcknowledged || !_endOfBufferIsEnd))
        {
            CompleteWrite(TransportWriteResult.Taken);
        }

        if (!_endAcknowledged || _acknowledged != Sent)
        {
            return false;
        }

        Stream.OnHalfDone();
        return true;
    }

    public void OnLost(Packet packet, in PacketFrame frame)
    {
        if (_failure is not null || (IsReset && frame.Offset >= _resetSize))
        {
            return;
        }

        packet.Retain();
        (_lost ??= new Queue<LostPiece>()).Enqueue(new LostPiece(packet, frame));
        _sender.Activate(this);
    }

    public void OnCredit(long limit)
    {
        _limit = Math.Max(_limit, limit);
        _sender.Activate(this);
    }

    /// <summary>The peer wants no more: its transport's request is answered with a reset, as QUIC does.</summary>
    public bool OnStopped(long code)
    {
        if (_stopped || IsDone)
        {
            return false;
        }

        _stopped = true;
        _stopCode = code;
        Reset(code, 0);
        return true;
    }

    public void Reset(long code, long reliableSize)
    {
        if (IsDone || Failure is not null)
        {
            return;
        }

        // A reset never takes back the end of a stream whose every byte was handed over and acknowledged; short of that it
        // does, whether or not the end was sent.
        long available = Sent + (_writing ? _buffer.Length : 0);
        _resetSize = _sender.HasReliableReset ? Math.Min(reliableSize, available) : 0;
        if (_resetSize > Sent)
        {
            _tail = _buffer[..(int)(_resetSize - Sent)].ToArray();
        }

        DropLostBeyond(_resetSize);
        CompleteWrite(TransportWriteResult.Stopped(_stopCode));
        _sender.SendReset(this, code, Math.Max(Sent, _resetSize), _resetSize);
        _sender.Activate(this);
        _sender.Pump();
        Stream.OnHalfDone();
    }

    public void SetPriority(in TransportPriority priority)
    {
        Rank = _sender.RankOf(priority);
        _sender.Activate(this);
    }

    /// <summary>The connection ended, or the early data that this stream was part of is void.</summary>
    public void Fail(TransportException failure)
    {
        _failure = failure;
        _sender.Activate(this);
        DropLostBeyond(-1);
        _tail = null;
        if (_writing)
        {
            _writing = false;
            _write?.Fail(failure.Again());
        }
    }

    private void AppendLost(Packet packet)
    {
        LostPiece piece = _lost!.Peek();
        PacketFrame frame = piece.Frame;
        int length = Math.Min(frame.Length, packet.Room);
        bool whole = length == frame.Length;
        piece.Packet.Bytes.AsSpan(frame.Start, length).CopyTo(packet.Append(this, frame.Offset, length, frame.IsEnd && whole));
        _lost.Dequeue();
        if (whole)
        {
            piece.Packet.Release();
            return;
        }

        // The rest goes behind the other pieces; the receiver puts them in order anyway.
        frame.Offset += length;
        frame.Start += length;
        frame.Length -= length;
        _lost.Enqueue(new LostPiece(piece.Packet, frame));
    }

    private void DropLostBeyond(long size)
    {
        for (int i = _lost?.Count ?? 0; i > 0; i--)
        {
            LostPiece piece = _lost!.Dequeue();
            if (piece.Frame.Offset < size)
            {
                _lost.Enqueue(piece);
            }
            else
            {
                piece.Packet.Release();
            }
        }
    }

    private void CompleteWrite(TransportWriteResult result)
    {
        if (!_writing)
        {
            return;
        }

        _writing = false;
        _buffer = default;
        if (_insideCall)
        {
            _immediate = result;
        }
        else
        {
            _write?.Complete(result);
        }
    }

    private void CancelWrite(CancellationToken cancellationToken)
    {
        lock (_sender.Network.Gate)
        {
            if (_write is { IsPending: true })
            {
                // First the outcome: the reset would report the write as stopped.
                _writing = false;
                _write.Fail(new OperationCanceledException(cancellationToken));
                Reset(0, 0);
            }
        }
    }

    private readonly record struct LostPiece(Packet Packet, PacketFrame Frame);

    internal readonly struct Slot : IHeapSlot<InMemorySendHalf>
    {
        public static int Get(InMemorySendHalf item) => item.HeapIndex;

        public static void Set(InMemorySendHalf item, int index) => item.HeapIndex = index;
    }
}
