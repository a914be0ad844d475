using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.InFlight;
using Post.Quic.Engine.Lanes;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Datagrams;

/// <summary>
/// Datagrams on their way out (RFC 9221): bounded in number and bytes, in the same order of urgency as streams, each
/// with an age limit, and each with its state told until it is settled. The transport never sends one twice.
/// </summary>
internal sealed class DatagramQueue(DatagramQueueOptions options, IDatagramEvents events)
{
    private readonly Dictionary<ulong, OutgoingDatagram> _waiting = [];
    private readonly LaneHeap<OutgoingDatagram> _order = new(UrgencyHeapSlot.Fresh, options.Lanes);
    private readonly UrgencyHeap<OutgoingDatagram> _expiries = new(UrgencyHeapSlot.Expiry);
    private readonly FreeList<OutgoingDatagram> _free = new(Limits.PooledStreamObjects);
    private readonly Dictionary<ulong, long> _suspects = [];
    private readonly Queue<(ulong Number, long Until)> _suspectOrder = new();
    private readonly HashSet<ulong> _sentEarly = [];
    private readonly Dictionary<ulong, (int Underway, bool IsAcked)> _copied = [];
    private ulong _nextNumber;
    private int _bytes;
    private int _peerFrameSize;
    private int _packetRoom;

    /// <summary>The largest datagram that can be sent now; 0 while the peer takes none.</summary>
    public int MaxSize { get; private set; }

    public int Count => _order.Count;

    public int QueuedBytes => _bytes;

    /// <summary>Bytes of the most urgent datagram.</summary>
    public int FirstLength => _order.TryPeek(out OutgoingDatagram first, out _) ? first.Data.Length : 0;

    public bool HasDataToSend => _order.HasOpen;

    /// <summary>
    /// How long after a suspected loss an acknowledgement is still waited for, in microseconds; three times the PTO is
    /// what a late packet can need.
    /// </summary>
    public long SuspicionTime { get; set; } = 3_000_000;

    /// <summary>A repetition with less time left than this is the last: its loss would be noticed too late. Microseconds.</summary>
    public long LastTryTime { get; set; }

    /// <summary>Datagrams are going out as 0-RTT data, whose rejection undoes them.</summary>
    public bool IsEarlyData { get; set; }

    /// <summary>When <see cref="HandleTimeout"/> wants to be called.</summary>
    public long NextTimeout => Math.Min(
        _expiries.Count > 0 ? _expiries.FirstUrgency.Deadline : long.MaxValue,
        _suspectOrder.TryPeek(out (ulong Number, long Until) oldest) ? oldest.Until : long.MaxValue);

    /// <summary>
    /// The peer's max_datagram_frame_size (RFC 9221 section 3; 0: it takes none) and the room for frames in a packet
    /// of the current path. Datagrams in the queue that no longer fit are reported. True where <see cref="MaxSize"/>
    /// changed.
    /// </summary>
    public bool SetSizes(ulong peerFrameSize, int packetRoom)
    {
        _peerFrameSize = (int)Math.Min(peerFrameSize, ushort.MaxValue);
        _packetRoom = packetRoom;

        // A frame has a type; its length is left out where it ends its packet, but counts for the peer's limit, since a
        // datagram that finds more room than it needs is written with it.
        int size = Math.Max(0, Math.Min(LengthPrefix.MaxData(_peerFrameSize - 1), _packetRoom - 1));
        if (size == MaxSize)
        {
            return false;
        }

        bool shrunk = size < MaxSize;
        MaxSize = size;
        if (shrunk)
        {
            ReportTooLarge();
        }

        return true;
    }

    /// <summary>
    /// Queues a datagram. Its memory is lent until its state is told the first time. <paramref name="deadline"/> is its
    /// age limit (<see cref="long.MaxValue"/>: none) and orders it inside its class. <paramref name="paths"/> says by which paths it may go;
    /// null: by any. <paramref name="isRepair"/> says that what it holds was sent before, in another.
    /// </summary>
    public DatagramEnqueueResult TryEnqueue(
        ReadOnlyMemory<byte> data,
        int priority,
        long deadline,
        out ulong number,
        PathSet? paths = null,
        int copies = 1,
        bool isRepair = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(priority);
        number = 0;
        if (_peerFrameSize == 0)
        {
            return DatagramEnqueueResult.NotSupported;
        }

        if (data.Length > MaxSize)
        {
            return DatagramEnqueueResult.TooLarge;
        }

        if (_order.Count >= options.MaxCount || data.Length > options.MaxBytes - _bytes)
        {
            return DatagramEnqueueResult.QueueFull;
        }

        number = _nextNumber++;
        OutgoingDatagram datagram = _free.Take() ?? new OutgoingDatagram();
        datagram.Number = number;
        datagram.Data = data;
        datagram.IsRepair = isRepair;
        datagram.Lane = paths is null && copies == 1 ? null : options.Lanes.Join(paths ?? PathSet.Any, copies);
        _bytes += data.Length;
        _waiting.Add(number, datagram);
        _order.Set(datagram, new SendUrgency(priority, deadline), number);
        if (deadline != long.MaxValue)
        {
            _expiries.Set(datagram, new SendUrgency(0, deadline), number);
        }

        return DatagramEnqueueResult.Queued;
    }

    public bool TryPeekUrgency(out SendUrgency urgency)
    {
        return _order.TryPeek(out _, out urgency);
    }

    /// <summary>
    /// Writes datagrams that are at least as urgent as <paramref name="limit"/>, while they fit. One that does not is
    /// the first of the next packet: nothing less urgent of its kind overtakes it.
    /// </summary>
    public bool WriteFrames(ref WireWriter writer, SentFrameLog log, SendUrgency limit, long now)
    {
        int start = writer.Position;
        while (_order.TryPeek(out OutgoingDatagram datagram, out SendUrgency urgency) && urgency <= limit)
        {
            if (urgency.Deadline <= now)
            {
                Settle(datagram, DatagramState.Expired);
                continue;
            }

            if (!TryWrite(ref writer, datagram.Data.Span))
            {
                break;
            }

            if (datagram.IsRepair && urgency.Deadline - now < LastTryTime)
            {
                log.Mark(new LastTry(urgency.Class, urgency.Deadline));
            }

            log.Record(new SentFrame(SentFrameKind.Datagram, datagram.Number, 0, (uint)datagram.Data.Length));
            if (IsEarlyData)
            {
                _sentEarly.Add(datagram.Number);
            }

            Settle(datagram, DatagramState.Sent);
        }

        return writer.Position > start;
    }

    /// <summary>
    /// A datagram that was sent goes by other paths as well. Its states are those of the copy that fares best; one that is not sent after
    /// all counts as lost.
    /// </summary>
    public void OnCopied(in SentFrame frame, int copies) => _copied[frame.Id] = (1 + copies, false);

    /// <summary>No copy of it is acknowledged yet.</summary>
    public bool IsOwed(in SentFrame frame) => _copied.TryGetValue(frame.Id, out (int Underway, bool IsAcked) copied) && !copied.IsAcked;

    public void OnAcked(in SentFrame frame)
    {
        if (_sentEarly.Count > 0)
        {
            _sentEarly.Remove(frame.Id);
        }

        if (_copied.Count > 0 && _copied.TryGetValue(frame.Id, out (int Underway, bool IsAcked) copied))
        {
            SetCopied(frame.Id, copied.Underway - 1, isAcked: true);
            if (copied.IsAcked)
            {
                return;
            }
        }

        events.OnDatagramState(frame.Id, DatagramState.Acknowledged);
    }

    /// <summary>The probe timeout expired for it.</summary>
    public void OnOverdue(in SentFrame frame) => events.OnDatagramState(frame.Id, DatagramState.Overdue);

    /// <summary>The suspected loss was none, unless the datagram was given up meanwhile: it has one end only.</summary>
    public void OnArrivedLate(in SentFrame frame)
    {
        bool isNews = _suspects.Remove(frame.Id);
        if (_copied.TryGetValue(frame.Id, out (int Underway, bool IsAcked) copied) && !copied.IsAcked)
        {
            _copied[frame.Id] = (copied.Underway, true);
            isNews = true;
        }

        if (isNews)
        {
            events.OnDatagramState(frame.Id, DatagramState.Acknowledged);
        }
    }

    public void OnLost(in SentFrame frame, long now)
    {
        if (_sentEarly.Count > 0)
        {
            _sentEarly.Remove(frame.Id);
        }

        if (_copied.Count > 0 && _copied.TryGetValue(frame.Id, out (int Underway, bool IsAcked) copied))
        {
            SetCopied(frame.Id, copied.Underway - 1, copied.IsAcked);
            if (copied.IsAcked || copied.Underway > 1)
            {
                // It has arrived by another path, or may still.
                return;
            }
        }

        if (!_suspects.TryAdd(frame.Id, now))
        {
            return;
        }

        events.OnDatagramState(frame.Id, DatagramState.SuspectedLost);
        _suspectOrder.Enqueue((frame.Id, now > long.MaxValue - SuspicionTime ? long.MaxValue : now + SuspicionTime));
        if (_suspectOrder.Count > Limits.SuspectedDatagrams)
        {
            SettleOldestSuspect();
        }
    }

    /// <summary>Keeps nothing for datagrams to come.</summary>
    public void Rest()
    {
        _free.Clear();
        _waiting.TrimExcess();
        _suspects.TrimExcess();
        _suspectOrder.TrimExcess();
        _sentEarly.TrimExcess();
    }

    /// <summary>Ends datagrams whose age limit is reached, and suspicions that have become certain.</summary>
    public void HandleTimeout(long now)
    {
        while (_expiries.Count > 0 && _expiries.FirstUrgency.Deadline <= now)
        {
            Settle(_expiries.First, DatagramState.Expired);
        }

        while (_suspectOrder.TryPeek(out (ulong Number, long Until) oldest) && oldest.Until <= now)
        {
            SettleOldestSuspect();
        }
    }

    /// <summary>0-RTT was rejected: what went out in it is lost; what still waits is sent under the new keys.</summary>
    public void UndoEarlyData()
    {
        IsEarlyData = false;
        foreach (ulong number in _sentEarly)
        {
            events.OnDatagramState(number, DatagramState.Lost);
        }

        _sentEarly.Clear();
    }

    /// <summary>The connection is over: what waits is canceled, what is suspected is lost.</summary>
    public void Abandon()
    {
        while (_order.Count > 0)
        {
            Settle(_order.FirstOfAll, DatagramState.Canceled);
        }

        _copied.Clear();

        while (_suspectOrder.Count > 0)
        {
            SettleOldestSuspect();
        }
    }

    private static bool TryWrite(ref WireWriter writer, ReadOnlySpan<byte> data)
    {
        int room = writer.Remaining;
        if (room >= DatagramFrame.LengthOf(data.Length, withLength: true)
            && room != DatagramFrame.LengthOf(data.Length, withLength: false))
        {
            DatagramFrame.Write(ref writer, data, withLength: true);
            return true;
        }

        if (room < DatagramFrame.LengthOf(data.Length, withLength: false))
        {
            return false;
        }

        // Without a length the frame ends with the packet; a byte or two too many become PADDING in front of it.
        for (int i = room - DatagramFrame.LengthOf(data.Length, withLength: false); i > 0; i--)
        {
            writer.WriteByte((byte)FrameType.Padding);
        }

        DatagramFrame.Write(ref writer, data, withLength: false);
        return true;
    }

    private void ReportTooLarge()
    {
        var tooLarge = new List<OutgoingDatagram>();
        foreach (OutgoingDatagram datagram in _waiting.Values)
        {
            if (datagram.Data.Length > MaxSize)
            {
                tooLarge.Add(datagram);
            }
        }

        foreach (OutgoingDatagram datagram in tooLarge)
        {
            Settle(datagram, DatagramState.TooLarge);
        }
    }

    private void Settle(OutgoingDatagram datagram, DatagramState state)
    {
        ulong number = datagram.Number;
        _order.Remove(datagram);
        _expiries.Remove(datagram);
        _waiting.Remove(number);
        _bytes -= datagram.Data.Length;
        datagram.Data = default;
        if (datagram.Lane is { } lane)
        {
            datagram.Lane = null;
            options.Lanes.Leave(lane);
        }

        _free.Give(datagram);
        events.OnDatagramState(number, state);
    }

    private void SetCopied(ulong number, int underway, bool isAcked)
    {
        if (underway > 0)
        {
            _copied[number] = (underway, isAcked);
        }
        else
        {
            _copied.Remove(number);
        }
    }

    private void SettleOldestSuspect()
    {
        (ulong number, _) = _suspectOrder.Dequeue();
        if (_suspects.Remove(number))
        {
            events.OnDatagramState(number, DatagramState.Lost);
        }
    }
}
