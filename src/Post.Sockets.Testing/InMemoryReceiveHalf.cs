using Post.Sockets.Transport;

namespace Post.Sockets.Testing;

/// <summary>The receiving direction of a stream: puts pieces in order, and gives credit for what was read.</summary>
internal sealed class InMemoryReceiveHalf(InMemoryStream stream, InMemoryConnection connection, int window)
{
    private readonly List<Piece> _gapped = [];
    private Piece[] _ready = [];
    private int _readyHead;
    private int _readyCount;
    private PendingOperation<TransportReadResult>? _read;
    private Memory<byte> _readBuffer;
    private long _received;
    private long _highest;
    private long _consumed;
    private long _credited;
    private long _limit = window;
    private long _finalSize = -1;
    private long _resetCode;
    private long _resetSize = -1;
    private bool _stopped;
    private bool _done;

    /// <summary>Nothing more will come, and its end was told to the reader (who may have said that it does not care).</summary>
    public bool IsDone => _done;

    /// <summary>When the last packet with bytes of it arrived.</summary>
    public long? ArrivedAt { get; private set; }

    private bool IsReset => _resetSize >= 0;

    public ValueTask<TransportReadResult> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (_read is { IsUnderWay: true })
        {
            throw new InvalidOperationException("A read of this stream is still under way.");
        }

        ArgumentOutOfRangeException.ThrowIfZero(buffer.Length, nameof(buffer));
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<TransportReadResult>(cancellationToken);
        }

        if (_stopped)
        {
            throw new InvalidOperationException("Reading of this stream was stopped.");
        }

        if (TryTake(buffer.Span, out TransportReadResult result))
        {
            return ValueTask.FromResult(result);
        }

        if (connection.Failure is { } failure)
        {
            return ValueTask.FromException<TransportReadResult>(failure.Again());
        }

        _readBuffer = buffer;
        _read ??= new PendingOperation<TransportReadResult>(connection.Network.Clock);
        return _read.Start(this, static (half, token) => ((InMemoryReceiveHalf)half!).CancelRead(token), cancellationToken);
    }

    public void Receive(Packet packet, in PacketFrame frame, long arrivedAt)
    {
        long end = frame.Offset + frame.Length;
        ArrivedAt = arrivedAt;
        _highest = Math.Max(_highest, end);
        if (frame.IsEnd)
        {
            _finalSize = end;
        }

        if (_stopped || _done)
        {
            Credit(_highest);
            FinishIfStopped();
            return;
        }

        if (end > _received || (frame.IsEnd && end == _received))
        {
            Insert(packet, frame);
        }

        WakeReader();
    }

    public void OnReset(long code, long size, long reliableSize)
    {
        _finalSize = size;
        _highest = size;
        _resetCode = code;
        _resetSize = reliableSize;
        if (_stopped || _done)
        {
            Credit(size);
            FinishIfStopped();
            return;
        }

        DropBeyond(reliableSize);
        WakeReader();
    }

    public bool Stop()
    {
        if (_stopped || _done)
        {
            return false;
        }

        _stopped = true;
        bool tellPeer = _finalSize < 0 || (_received < _finalSize && !IsReset);
        Clear();
        Credit(_highest);
        _read?.Complete(TransportReadResult.Reset(0));
        if (_finalSize >= 0)
        {
            Credit(_finalSize);
            Finish();
        }

        return tellPeer;
    }

    /// <summary>All of its bytes are there, and were taken.</summary>
    public void Consume()
    {
        if (!_done)
        {
            Credit(_finalSize);
            Finish();
        }
    }

    public void Fail(TransportException failure)
    {
        // What came before the connection ended can still be read.
        if (_read is { IsPending: true } && !TryServe())
        {
            _read.Fail(failure.Again());
        }
    }

    private void Insert(Packet packet, in PacketFrame frame)
    {
        var piece = new Piece(packet, frame.Offset, frame.Start, frame.Length);
        if (frame.Offset > _received)
        {
            int index = _gapped.Count;
            while (index > 0 && _gapped[index - 1].Offset > frame.Offset)
            {
                index--;
            }

            packet.Retain();
            _gapped.Insert(index, piece);
            return;
        }

        packet.Retain();
        MakeReady(piece);
        int taken = 0;
        while (taken < _gapped.Count && _gapped[taken].Offset <= _received)
        {
            MakeReady(_gapped[taken++]);
        }

        _gapped.RemoveRange(0, taken);
    }

    private void MakeReady(Piece piece)
    {
        // The part that is there already (sent twice, since an acknowledgement was lost) is skipped.
        int known = (int)(_received - piece.Offset);
        if (known >= piece.Length)
        {
            piece.Packet.Release();
            return;
        }

        if (_readyCount == _ready.Length)
        {
            GrowReady();
        }

        _ready[(_readyHead + _readyCount++) & (_ready.Length - 1)] =
            new Piece(piece.Packet, _received, piece.Start + known, piece.Length - known);
        _received = piece.Offset + piece.Length;
    }

    private void GrowReady()
    {
        var larger = new Piece[Math.Max(1, _ready.Length * 2)];
        for (int i = 0; i < _readyCount; i++)
        {
            larger[i] = _ready[(_readyHead + i) & (_ready.Length - 1)];
        }

        _ready = larger;
        _readyHead = 0;
    }

    private void WakeReader()
    {
        if (_read is { IsPending: true })
        {
            TryServe();
        }
    }

    private bool TryServe()
    {
        if (!TryTake(_readBuffer.Span, out TransportReadResult result))
        {
            return false;
        }

        _readBuffer = default;
        _read!.Complete(result);
        return true;
    }

    private bool TryTake(Span<byte> destination, out TransportReadResult result)
    {
        if (IsReset && _consumed >= _resetSize)
        {
            result = TransportReadResult.Reset(_resetCode);
            Credit(_finalSize);
            Finish();
            return true;
        }

        int count = 0;
        while (_readyCount > 0 && count < destination.Length)
        {
            ref Piece piece = ref _ready[_readyHead];
            int length = Math.Min(piece.Length, destination.Length - count);
            if (IsReset)
            {
                length = (int)Math.Min(length, _resetSize - _consumed);
                if (length == 0)
                {
                    break;
                }
            }

            piece.Packet.Bytes.AsSpan(piece.Start, length).CopyTo(destination[count..]);
            count += length;
            _consumed += length;
            if (length == piece.Length)
            {
                piece.Packet.Release();
                piece = default;
                _readyHead = (_readyHead + 1) & (_ready.Length - 1);
                _readyCount--;
            }
            else
            {
                piece = new Piece(piece.Packet, piece.Offset + length, piece.Start + length, piece.Length - length);
            }
        }

        Credit(_consumed);
        if (!IsReset && _consumed == _finalSize)
        {
            result = TransportReadResult.Completed(count);
            Finish();
            return true;
        }

        result = count > 0 ? TransportReadResult.Data(count) : default;
        return count > 0;
    }

    private void Credit(long upTo)
    {
        if (upTo <= _credited)
        {
            return;
        }

        connection.GiveCredit(upTo - _credited);
        _credited = upTo;
        if (_finalSize < 0 && !_stopped && upTo + window - _limit >= window / 2)
        {
            _limit = upTo + window;
            connection.Tell(new LinkMessage(LinkMessageKind.StreamCredit, stream.Peer!.Send, _limit));
        }
    }

    private void DropBeyond(long size)
    {
        for (int i = _gapped.Count - 1; i >= 0; i--)
        {
            if (_gapped[i].Offset >= size)
            {
                _gapped[i].Packet.Release();
                _gapped.RemoveAt(i);
            }
        }
    }

    private void FinishIfStopped()
    {
        if (_finalSize >= 0 && _highest >= _finalSize)
        {
            Credit(_finalSize);
            Finish();
        }
    }

    private void Finish()
    {
        if (!_done)
        {
            _done = true;
            Clear();
            stream.OnHalfDone();
        }
    }

    private void Clear()
    {
        for (int i = 0; i < _readyCount; i++)
        {
            _ready[(_readyHead + i) & (_ready.Length - 1)].Packet.Release();
        }

        foreach (Piece piece in _gapped)
        {
            piece.Packet.Release();
        }

        _ready = [];
        _readyHead = 0;
        _readyCount = 0;
        _gapped.Clear();
    }

    private void CancelRead(CancellationToken cancellationToken)
    {
        lock (connection.Network.Gate)
        {
            _readBuffer = default;
            _read!.Fail(new OperationCanceledException(cancellationToken));
        }
    }

    private readonly record struct Piece(Packet Packet, long Offset, int Start, int Length);
}
