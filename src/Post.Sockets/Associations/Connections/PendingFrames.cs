using Post.Sockets.Associations.Ownership;
using Post.Sockets.Protocol;
using Post.Sockets.Scheduling;

namespace Post.Sockets.Associations.Connections;

/// <summary>
/// What the control stream is to carry next: receipts and ABANDONs gathered by status, coalesced into ranges, and due at most a
/// moment later. By the owner.
/// </summary>
internal sealed class PendingFrames
{
    private static readonly int Statuses = Enum.GetValues<ReceiptStatus>().Length;
    private static readonly int Reasons = Enum.GetValues<AbandonReason>().Length;

    private readonly IdRangeSet?[] _receipts = new IdRangeSet?[Statuses];
    private readonly IdRangeSet?[] _abandons = new IdRangeSet?[Reasons];
    private readonly AssociationState _state;
    private readonly TimedAction _due;
    private Queue<StartAtFrame>? _starts;
    private GoAwayFrame? _goAway;
    private bool _isDue;
    private bool _isClockDue;
    private long _clockAt = long.MinValue / 2;
    private long _unreportedBytes;

    public PendingFrames(AssociationState state)
    {
        _state = state;
        _due = new TimedAction(_ => _isDue = true);
    }

    /// <summary>Something shall be written now.</summary>
    public bool IsDue => _isDue;

    public bool IsEmpty { get; private set; } = true;

    /// <summary>Adds a receipt.</summary>
    /// <param name="status">What became of the object.</param>
    /// <param name="id">Its id.</param>
    /// <param name="bytes">Its bytes: a receipt also gives back budget, which must not wait when it is much.</param>
    /// <param name="immediately">The sender asked not to hold it back.</param>
    public void AddReceipt(ReceiptStatus status, long id, long bytes, bool immediately)
    {
        var set = _receipts[(int)status] ??= new IdRangeSet();
        set.Add(id);
        IsEmpty = false;
        _unreportedBytes += bytes;
        if (immediately || set.RangeCount >= ProtocolLimits.MaxRangesPerFrame
            || _unreportedBytes > _state.Options.ReceiveBudget / 16)
        {
            _isDue = true;
        }
        else if (!_isDue && !_due.IsSet)
        {
            _state.Timers.Set(_due, _state.Clock.Now + _state.Trips.ReceiptDelay);
        }
    }

    public void AddAbandon(AbandonReason reason, long id)
    {
        (_abandons[(int)reason] ??= new IdRangeSet()).Add(id);
        IsEmpty = false;
        _isDue = true;
    }

    /// <summary>Adds the receipts of a range that are given again, since a lost connection may have swallowed them.</summary>
    public void AddReceipts(ReceiptStatus status, IdRange ids)
    {
        (_receipts[(int)status] ??= new IdRangeSet()).Add(ids);
        IsEmpty = false;
        _isDue = true;
    }

    public void AddAbandon(AbandonReason reason, IdRange ids)
    {
        (_abandons[(int)reason] ??= new IdRangeSet()).Add(ids);
        IsEmpty = false;
        _isDue = true;
    }

    /// <summary>Adds an answer to a header that asks; there is one for each object that arrives, at most.</summary>
    public void AddStart(long id, long offset)
    {
        (_starts ??= new Queue<StartAtFrame>()).Enqueue(new StartAtFrame(id, offset));
        IsEmpty = false;
        _isDue = true;
    }

    public void AddGoAway(GoAwayFrame frame)
    {
        _goAway = frame;
        IsEmpty = false;
        _isDue = true;
    }

    /// <summary>An object with a finite lifetime leaves: its receiver needs our clock, unless it was told not long ago.</summary>
    public void TellClock(long now)
    {
        if (now - _clockAt >= _state.Clock.Units(ProtocolLimits.ClockInterval))
        {
            _isClockDue = true;
            IsEmpty = false;
            _isDue = true;
        }
    }

    /// <summary>Writes our clock as it is now; returns the number of bytes written.</summary>
    public int WriteClock(Span<byte> destination)
    {
        _clockAt = _state.Clock.Now;
        _isClockDue = false;
        return new ClockFrame(_state.Clock.Microseconds(_clockAt - _state.ClockOrigin)).Write(destination);
    }

    /// <summary>Whatever there is shall be written now.</summary>
    public void Flush() => _isDue = !IsEmpty;

    /// <summary>Nothing of it will be written any more.</summary>
    public void Cancel() => _state.Timers.Cancel(_due);

    /// <summary>Writes as many frames as fit; the rest stays due.</summary>
    public int Write(Span<byte> destination)
    {
        _state.Timers.Cancel(_due);
        _unreportedBytes = 0;
        var written = _isClockDue ? WriteClock(destination) : 0;
        for (var status = 0; status < _receipts.Length; status++)
        {
            written += WriteSet(destination[written..], _receipts[status], status, isReceipt: true);
        }

        for (var reason = 0; reason < _abandons.Length; reason++)
        {
            written += WriteSet(destination[written..], _abandons[reason], reason, isReceipt: false);
        }

        while (_starts is not null && _starts.TryPeek(out var start) && destination.Length - written >= StartAtFrame.MaxLength)
        {
            written += start.Write(destination[written..]);
            _starts.Dequeue();
        }

        if (_goAway is { } goAway && destination.Length - written >= GoAwayFrame.MaxLength)
        {
            written += goAway.Write(destination[written..]);
            _goAway = null;
        }

        IsEmpty = _goAway is null
            && _starts is not { Count: > 0 }
            && Array.TrueForAll(_receipts, static set => set is not { IsEmpty: false })
            && Array.TrueForAll(_abandons, static set => set is not { IsEmpty: false });
        _isDue = !IsEmpty;
        return written;
    }

    private static int WriteSet(Span<byte> destination, IdRangeSet? set, int code, bool isReceipt)
    {
        var written = 0;
        while (set is { IsEmpty: false })
        {
            var ranges = set.Ranges[..Math.Min(set.RangeCount, ProtocolLimits.MaxRangesPerFrame)];
            if (IdListFrame.Length(code, ranges) > destination.Length - written)
            {
                break;
            }

            written += isReceipt
                ? IdListFrame.WriteReceipt(destination[written..], (ReceiptStatus)code, ranges)
                : IdListFrame.WriteAbandon(destination[written..], (AbandonReason)code, ranges);
            set.RemoveRanges(ranges.Length);
        }

        return written;
    }
}
