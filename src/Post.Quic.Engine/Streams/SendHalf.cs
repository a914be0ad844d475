namespace Post.Quic.Engine.Streams;

/// <summary>The sending part of a stream (RFC 9000 section 3.1): its data, the peer's credit, and its reset.</summary>
internal sealed class SendHalf(BlockPool pool)
{
    private ulong _blockedAt;
    private ulong _highestSent;
    private bool _toldBlocked;

    public SendBuffer Buffer { get; } = new(pool);

    public SendState State { get; private set; }

    /// <summary>The peer's credit: no byte at or beyond this offset may be sent.</summary>
    public ulong MaxStreamData { get; private set; }

    public ulong ResetCode { get; private set; }

    public ulong FinalSize { get; private set; }

    /// <summary>Bytes that are delivered in spite of the reset (draft-ietf-quic-reliable-stream-reset).</summary>
    public ulong ReliableSize { get; private set; }

    public bool ResetAcked { get; private set; }

    /// <summary>The reset frame, as it is now, was sent at least once.</summary>
    public bool ResetAnnounced { get; set; }

    /// <summary>A write was taken in part: the writer wants to hear when there is room.</summary>
    public bool WriterWaits { get; set; }

    /// <summary>The writer wants to hear when all that was written has been sent once.</summary>
    public bool WriterAwaitsSent { get; set; }

    public bool IsReset => State is SendState.ResetSent or SendState.ResetReceived;

    public bool IsSettled => State is SendState.DataReceived or SendState.ResetReceived;

    /// <summary>The application may still write.</summary>
    public bool IsWritable => State == SendState.Open && !Buffer.FinQueued;

    public bool NeedsRepair => !IsSettled && (Buffer.HasLost || Buffer.HasBareFin);

    /// <summary>Bytes that the stream is expected to have in all, written or not; 0 where nothing is known.</summary>
    public ulong ExpectedLength { get; set; }

    /// <summary>Bytes that are still to be sent for the first time, as far as is known: those that were not written yet, too.</summary>
    public long DueBytes => IsSettled || IsReset
        ? 0
        : Math.Max(0, (long)(Buffer.FinQueued ? Buffer.WrittenOffset : Math.Max(Buffer.WrittenOffset, ExpectedLength)) - (long)Buffer.SentOffset);

    public bool HasFreshData => SendableBytes > 0;

    /// <summary>Written bytes that the peer's credit for the stream lets out and that were not sent yet.</summary>
    public long SendableBytes =>
        IsSettled ? 0 : Math.Max(0, (long)Math.Min(Buffer.WrittenOffset, MaxStreamData) - (long)Buffer.SentOffset);

    /// <summary>The reset frame waits until what it promises has been sent once, so that its final size has credit.</summary>
    public bool IsResetReady => State == SendState.ResetSent && !ResetAcked && Buffer.SentOffset >= ReliableSize;

    public void Open(ulong credit, int copyCapacity)
    {
        MaxStreamData = credit;
        Buffer.CopyCapacity = copyCapacity;
    }

    public bool RaiseCredit(ulong limit)
    {
        if (limit <= MaxStreamData)
        {
            return false;
        }

        MaxStreamData = limit;
        return true;
    }

    /// <summary>True once for each limit at which data waits for the peer's credit (RFC 9000 section 4.1).</summary>
    public bool TryBlock()
    {
        if (!IsBlockedAt(MaxStreamData) || (_toldBlocked && _blockedAt == MaxStreamData))
        {
            return false;
        }

        _toldBlocked = true;
        _blockedAt = MaxStreamData;
        return true;
    }

    public bool IsBlockedAt(ulong limit) =>
        !IsSettled && limit == MaxStreamData && Buffer.SentOffset == MaxStreamData && Buffer.WrittenOffset > MaxStreamData;

    public void OnSent(ulong offset, int length, bool fin)
    {
        Buffer.OnSent(offset, length, fin);
        if (State == SendState.Open && Buffer.FinSent)
        {
            State = SendState.DataSent;
        }
    }

    public void OnAcked(ulong offset, uint length, bool fin)
    {
        Buffer.OnAcked(offset, length, fin);
        Settle();
    }

    public void OnLost(ulong offset, uint length, bool fin)
    {
        if (!IsSettled)
        {
            Buffer.OnLost(offset, length, fin);
        }
    }

    /// <summary>
    /// Stops the stream; data up to <paramref name="reliableSize"/> is still delivered. A second reset can only
    /// lower that size: code and final size stay (draft-ietf-quic-reliable-stream-reset section 5).
    /// </summary>
    public bool Reset(ulong code, ulong reliableSize)
    {
        if (IsSettled)
        {
            return false;
        }

        reliableSize = Math.Min(reliableSize, Buffer.WrittenOffset);
        if (State == SendState.ResetSent)
        {
            if (reliableSize >= ReliableSize)
            {
                return false;
            }
        }
        else
        {
            ResetCode = code;
            State = SendState.ResetSent;
        }

        // RFC 9000 section 4.5: the final size is what was sent, and cannot change once the peer may know it. The
        // frame is not sent before the reliable size is reached, so a later, lower promise contradicts nothing.
        _highestSent = Math.Max(_highestSent, Buffer.SentOffset);
        ReliableSize = reliableSize;
        FinalSize = Math.Max(_highestSent, reliableSize);
        ResetAcked = false;
        ResetAnnounced = false;
        WriterWaits = false;
        WriterAwaitsSent = false;
        Buffer.Truncate(reliableSize);
        return true;
    }

    /// <summary>An acknowledged reset settles the stream only if it promised no more than we still owe.</summary>
    public void OnResetAcked(ulong reliableSize)
    {
        if (State == SendState.ResetSent && reliableSize <= ReliableSize)
        {
            ResetAcked = true;
            Settle();
        }
    }

    public void Clear()
    {
        Buffer.Clear();
        State = SendState.Open;
        MaxStreamData = 0;
        ExpectedLength = 0;
        ResetCode = 0;
        FinalSize = 0;
        ReliableSize = 0;
        ResetAcked = false;
        ResetAnnounced = false;
        WriterWaits = false;
        WriterAwaitsSent = false;
        _blockedAt = 0;
        _highestSent = 0;
        _toldBlocked = false;
    }

    private void Settle()
    {
        if (State == SendState.DataSent && Buffer.IsComplete)
        {
            State = SendState.DataReceived;
        }
        else if (State == SendState.ResetSent && ResetAcked && Buffer.AckedOffset >= ReliableSize)
        {
            State = SendState.ResetReceived;
        }
    }
}
