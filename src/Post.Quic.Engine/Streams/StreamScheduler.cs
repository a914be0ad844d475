using Post.Quic.Engine.Lanes;

namespace Post.Quic.Engine.Streams;

/// <summary>
/// Who is sent next: streams that owe a control frame, then by class, deadline, and turns of
/// <see cref="TurnLength"/> bytes among equals. Small streams are done in one turn and so leave in the order they
/// came; large ones share.
/// </summary>
/// <remarks>
/// Streams with lost data and streams with new data stand in two heaps, so that a connection without credit finds
/// what it may still send without looking at the 10,000 streams that wait.
/// </remarks>
internal sealed class StreamScheduler(LaneTable lanes)
{
    /// <summary>A few packets: a turn is long enough to fill them, and short enough to seem simultaneous.</summary>
    internal const int TurnLength = 4096;

    private readonly LaneHeap<StreamState> _repair = new(UrgencyHeapSlot.Repair, lanes);
    private readonly LaneHeap<StreamState> _fresh = new(UrgencyHeapSlot.Fresh, lanes);
    private readonly DueBytes _due = new();
    private ulong _nextTurn;

    private StreamState? _firstPending;
    private StreamState? _lastPending;

    public bool HasPending => _firstPending is not null;

    public StreamState? FirstPending => _firstPending;

    /// <summary>Whether any stream of an open lane has data that may be sent.</summary>
    public bool HasData(bool credit) => _repair.HasOpen || (credit && _fresh.HasOpen);

    public bool HasRepair => _repair.HasOpen;

    /// <summary>New data waits, whether the connection has credit or not.</summary>
    public bool HasFresh => _fresh.Count > 0;

    /// <summary>Bytes of all streams that were written, may be sent as far as their own credit goes, and were not sent yet.</summary>
    public long UnsentBytes { get; private set; }

    /// <summary>Bytes of a class and of more urgent ones that are still to be sent for the first time, written or expected.</summary>
    public long DueUpTo(int urgencyClass) => _due.UpTo(urgencyClass);

    /// <summary>Puts the stream where its state wants it.</summary>
    public void Update(StreamState stream)
    {
        SendHalf send = stream.Send!;
        Count(stream, send.SendableBytes, send.DueBytes);
        bool repair = send.NeedsRepair;
        bool fresh = send.HasFreshData;
        if ((repair || fresh) && !_repair.Contains(stream) && !_fresh.Contains(stream))
        {
            stream.Turn = _nextTurn++;
            if (stream.TurnBytes <= 0)
            {
                stream.TurnBytes = TurnLength;
            }
        }

        Place(_repair, stream, repair, move: false);
        Place(_fresh, stream, fresh, move: false);
    }

    /// <summary>The stream's urgency changed.</summary>
    public void Move(StreamState stream)
    {
        Count(stream, stream.CountedUnsent, stream.CountedDue.Bytes);
        Place(_repair, stream, _repair.Contains(stream), move: true);
        Place(_fresh, stream, _fresh.Contains(stream), move: true);
    }

    public void Remove(StreamState stream)
    {
        Count(stream, 0, 0);
        _repair.Remove(stream);
        _fresh.Remove(stream);
    }

    /// <summary>The stream to send from next; lost data goes before new data of the same urgency.</summary>
    public bool TryPeek(bool credit, out StreamState stream, out SendUrgency urgency)
    {
        bool repairs = _repair.TryPeek(out stream, out urgency);
        if (credit && _fresh.TryPeek(out StreamState fresh, out SendUrgency freshUrgency) && (!repairs || freshUrgency < urgency))
        {
            stream = fresh;
            urgency = freshUrgency;
            return true;
        }

        return repairs;
    }

    /// <summary>Bytes of the stream were written into a packet: counts them and passes the turn on where it is used up.</summary>
    public void Charge(StreamState stream, int bytes)
    {
        stream.TurnBytes -= bytes;
        bool rotate = stream.TurnBytes <= 0;
        if (rotate)
        {
            // A frame larger than a turn is paid for with the turns after it.
            stream.TurnBytes += TurnLength;
            stream.Turn = _nextTurn++;
        }

        SendHalf send = stream.Send!;
        Count(stream, send.SendableBytes, send.DueBytes);
        Place(_repair, stream, send.NeedsRepair, rotate);
        Place(_fresh, stream, send.HasFreshData, rotate);
    }

    public void AddPending(StreamState stream, PendingStreamFrames frames)
    {
        stream.Pending |= frames;
        if (stream.IsInPendingList)
        {
            return;
        }

        stream.IsInPendingList = true;
        stream.NextPending = null;
        if (_lastPending is null)
        {
            _firstPending = stream;
        }
        else
        {
            _lastPending.NextPending = stream;
        }

        _lastPending = stream;
    }

    public void RemoveFirstPending()
    {
        StreamState stream = _firstPending!;
        _firstPending = stream.NextPending;
        if (_firstPending is null)
        {
            _lastPending = null;
        }

        stream.NextPending = null;
        stream.IsInPendingList = false;
    }

    private void Count(StreamState stream, long unsent, long due)
    {
        _due.Add(stream.CountedDue.Class, -stream.CountedDue.Bytes);
        _due.Add(stream.Urgency.Class, due);
        stream.CountedDue = (stream.Urgency.Class, due);
        UnsentBytes += unsent - stream.CountedUnsent;
        stream.CountedUnsent = unsent;
    }

    private static void Place(LaneHeap<StreamState> heap, StreamState stream, bool belongs, bool move)
    {
        bool present = heap.Contains(stream);
        if (!belongs)
        {
            if (present)
            {
                heap.Remove(stream);
            }
        }
        else if (!present || move)
        {
            heap.Set(stream, stream.Urgency, stream.Turn);
        }
    }
}
