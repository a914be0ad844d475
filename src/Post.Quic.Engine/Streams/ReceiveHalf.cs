using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Streams;

/// <summary>The receiving part of a stream (RFC 9000 section 3.2): its data, our credit, its final size and its reset.</summary>
internal sealed class ReceiveHalf(BlockPool pool)
{
    private const ulong Unknown = ulong.MaxValue;

    private ReceiveWindow _window;
    private Memory<byte> _target;
    private int _targetFilled;
    private ulong _reliableSize;
    private bool _resetSeen;

    public ReceiveAssembler Assembler { get; } = new(pool, AssemblerLimits.Stream);

    /// <summary>When the last packet with bytes of this stream reached the machine.</summary>
    public long ArrivedAt { get; set; }

    public ReceiveState State { get; private set; }

    /// <summary>The highest offset received, which is what flow control counts (RFC 9000 section 4.1).</summary>
    public ulong HighestOffset { get; private set; }

    public ulong FinalSize { get; private set; } = Unknown;

    public bool IsFinalSizeKnown => FinalSize != Unknown;

    /// <summary>The application wants no more: what arrives is counted and dropped.</summary>
    public bool IsStopped { get; private set; }

    public ulong StopCode { get; private set; }

    public ulong ResetCode { get; private set; }

    public ref ReceiveWindow Window => ref _window;

    public bool IsReset => State is ReceiveState.ResetReceived or ReceiveState.ResetRead;

    /// <summary>Nothing more will happen on this side.</summary>
    public bool IsSettled => State is ReceiveState.DataRead or ReceiveState.ResetRead;

    /// <summary>Credit that leads nowhere is not given: the peer has nothing more to send.</summary>
    public bool WantsCredit => !IsFinalSizeKnown && !IsStopped;

    /// <summary>The limit in the newest MAX_STREAM_DATA.</summary>
    public ulong LastCredit { get; set; }

    /// <summary>The connection had less credit than the stream's next limit: the rest follows with the connection's.</summary>
    public bool IsCreditWithheld { get; set; }

    /// <summary>Bytes of this stream that count as consumed for the connection.</summary>
    public ulong Credited { get; private set; }

    public void Open(ulong window, ulong maximum) => _window = new ReceiveWindow(window, maximum);

    /// <summary>
    /// Checks a STREAM or reset frame against the final size and the stream's credit; <paramref name="growth"/> is
    /// what the connection's flow control has to count.
    /// </summary>
    public TransportError Check(ulong end, bool isFinal, out ulong growth)
    {
        growth = 0;

        // RFC 9000 section 4.5: once known, the final size cannot change, and nothing lies beyond it.
        if (IsFinalSizeKnown && (end > FinalSize || (isFinal && end != FinalSize)))
        {
            return new TransportError(TransportErrorCode.FinalSizeError, "final size changed or exceeded");
        }

        // RFC 9000 section 4.5: nor may it lie below what was received already.
        if (isFinal && end < HighestOffset)
        {
            return new TransportError(TransportErrorCode.FinalSizeError, "final size below received data");
        }

        // RFC 9000 section 4.1: exceeding the credit is FLOW_CONTROL_ERROR, for data and for final sizes alike.
        if (end > _window.Limit)
        {
            return new TransportError(TransportErrorCode.FlowControlError, "stream credit exceeded");
        }

        if (end > HighestOffset)
        {
            growth = end - HighestOffset;
        }

        return TransportError.None;
    }

    /// <summary>Takes a checked STREAM frame; true where the reader has something new.</summary>
    public TransportError Receive(ulong offset, ReadOnlySpan<byte> data, bool fin, out bool readable)
    {
        readable = false;
        HighestOffset = Math.Max(HighestOffset, offset + (ulong)data.Length);
        if (fin && !IsFinalSizeKnown)
        {
            FinalSize = HighestOffset;
            if (State == ReceiveState.Open)
            {
                State = ReceiveState.SizeKnown;
            }
        }

        if (IsStopped || State is ReceiveState.ResetReceived or ReceiveState.ResetRead or ReceiveState.DataRead)
        {
            Advance();
            return TransportError.None;
        }

        ulong ready = Assembler.ReadyOffset;
        if (_targetFilled < _target.Length)
        {
            // A reader waits: its memory takes the bytes straight from the packet.
            ReadOnlySpan<byte> direct = Assembler.TakeInOrder(offset, data, _target.Length - _targetFilled);
            direct.CopyTo(_target.Span[_targetFilled..]);
            _targetFilled += direct.Length;
        }

        if (Assembler.Insert(offset, data) != AssemblyResult.Accepted)
        {
            return new TransportError(TransportErrorCode.InternalError, "too many gaps in stream data");
        }

        ReceiveState before = State;
        Advance();
        readable = Assembler.ReadyOffset > ready || (State != before && State != ReceiveState.Open);
        return TransportError.None;
    }

    /// <summary>Takes a checked RESET_STREAM (reliable size 0) or RESET_STREAM_AT.</summary>
    public TransportError ReceiveReset(ulong code, ulong finalSize, ulong reliableSize, out bool readable)
    {
        readable = false;
        HighestOffset = Math.Max(HighestOffset, finalSize);
        FinalSize = finalSize;
        if (_resetSeen)
        {
            // draft-ietf-quic-reliable-stream-reset section 5: the code cannot change, the promise only shrink; a
            // larger one is an older frame that was overtaken.
            if (code != ResetCode)
            {
                return new TransportError(TransportErrorCode.StreamStateError, "error code of a reset changed");
            }

            _reliableSize = Math.Min(_reliableSize, reliableSize);
        }
        else
        {
            // RFC 9000 section 3.2: a reset that comes after all data may be ignored, and is.
            if (State is ReceiveState.DataReceived or ReceiveState.DataRead)
            {
                return TransportError.None;
            }

            _resetSeen = true;
            ResetCode = code;
            _reliableSize = reliableSize;
        }

        ReceiveState before = State;
        Advance();
        readable = State != before && !IsStopped;
        return TransportError.None;
    }

    /// <summary>Lends memory that the next bytes in order are copied into; refused while something can be read.</summary>
    public bool TryRegisterTarget(Memory<byte> target)
    {
        if (Assembler.ReadableBytes > 0 || State is not (ReceiveState.Open or ReceiveState.SizeKnown) || target.IsEmpty)
        {
            return false;
        }

        _target = target;
        _targetFilled = 0;
        return true;
    }

    /// <summary>Takes the lent memory back; returns how many bytes are in it.</summary>
    public int TakeTarget()
    {
        int filled = _targetFilled;
        _target = default;
        _targetFilled = 0;
        return filled;
    }

    /// <summary>Moves the states on; returns how many bytes became free for the connection's credit.</summary>
    public ulong Settle()
    {
        Advance();

        // What a reset or STOP_SENDING leaves unread is consumed as well: its sender has spent the credit.
        ulong consumed = State is ReceiveState.ResetReceived or ReceiveState.ResetRead || IsStopped
            ? HighestOffset
            : Assembler.ReadOffset;
        ulong fresh = consumed - Credited;
        Credited = consumed;
        return fresh;
    }

    /// <summary>The application has seen the reset.</summary>
    public void AcknowledgeReset()
    {
        if (State == ReceiveState.ResetReceived)
        {
            State = ReceiveState.ResetRead;
        }
    }

    /// <summary>The application wants no more data; true where the peer is to be told (RFC 9000 section 3.5).</summary>
    public bool Stop(ulong code)
    {
        if (IsStopped || IsSettled)
        {
            return false;
        }

        IsStopped = true;
        StopCode = code;
        TakeTarget();
        Assembler.Discard();
        bool tell = !IsFinalSizeKnown;
        Advance();
        return tell;
    }

    public void Clear()
    {
        Assembler.Clear();
        TakeTarget();
        State = ReceiveState.Open;
        HighestOffset = 0;
        FinalSize = Unknown;
        IsStopped = false;
        StopCode = 0;
        ResetCode = 0;
        Credited = 0;
        LastCredit = 0;
        IsCreditWithheld = false;
        _reliableSize = 0;
        _resetSeen = false;
    }

    private void Advance()
    {
        if (IsSettled)
        {
            return;
        }

        if (IsStopped)
        {
            // Nobody reads: the stream is over as soon as its size is known, and with it what it costs.
            if (IsFinalSizeKnown)
            {
                State = _resetSeen ? ReceiveState.ResetRead : ReceiveState.DataRead;
            }

            return;
        }

        if (_resetSeen)
        {
            // Data up to the reliable size is read first; the reset stands where the data ends.
            if (State != ReceiveState.ResetReceived && Assembler.ReadOffset >= _reliableSize)
            {
                Assembler.Discard();
                State = ReceiveState.ResetReceived;
            }

            return;
        }

        if (State == ReceiveState.SizeKnown && Assembler.ReadyOffset == FinalSize)
        {
            State = ReceiveState.DataReceived;
        }

        if (State == ReceiveState.DataReceived && Assembler.ReadOffset == FinalSize)
        {
            State = ReceiveState.DataRead;
        }
    }
}
