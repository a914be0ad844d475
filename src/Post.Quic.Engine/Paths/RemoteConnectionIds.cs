using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.InFlight;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Paths;

/// <summary>
/// The connection ids that the peer gave to us (RFC 9000 section 5.1.2): hands one to each path, gives up the ones the
/// peer wants back, and knows which RETIRE_CONNECTION_ID frames have still to go out.
/// </summary>
/// <remarks>
/// Which sequence numbers have been seen is a bit each in a window below the highest: a late copy of a frame whose id
/// was given up long ago must not bring the id back to life.
/// </remarks>
internal sealed class RemoteConnectionIds
{
    private const int WindowBits = 64;

    private const int FirstCapacity = 4;

    private readonly uint _pathId;
    private readonly int _limit;
    private Entry[] _entries = [];
    private ulong[] _retirements = [];
    private int _count;
    private int _pendingRetirements;
    private int _unacknowledgedRetirements;
    private ulong _retirePriorTo;
    private ulong _highest;
    private ulong _seen;
    private bool _stopped;

    /// <param name="limit">The active_connection_id_limit that we announced.</param>
    /// <param name="pathId">The path that they are for.</param>
    public RemoteConnectionIds(ulong limit, uint pathId = 0)
    {
        _limit = (int)Math.Min(limit, Limits.MaxActiveConnectionIds);
        _pathId = pathId;
    }

    /// <summary>The peer wants to be addressed without ids: paths share the empty one.</summary>
    public bool IsZeroLength { get; private set; }

    /// <summary>RETIRE_CONNECTION_ID frames wait for a packet that is sent to another id than theirs.</summary>
    public bool HasDataToSend(ulong carrier) =>
        _pendingRetirements > 1 || (_pendingRetirements == 1 && _retirements[0] != carrier);

    /// <summary>The sequence number that the peer gives next.</summary>
    public ulong Next => _seen == 0 ? 0 : _highest + 1;

    /// <summary>Ids that no network uses yet.</summary>
    public int AvailableCount
    {
        get
        {
            int available = 0;
            for (int i = 0; i < _count; i++)
            {
                available += _entries[i].InUse ? 0 : 1;
            }

            return available;
        }
    }

    /// <summary>
    /// The id of the handshake (sequence number 0), in use by the first path. A client sets it twice: first what it
    /// made up itself, then what the server chose (RFC 9000 section 7.2).
    /// </summary>
    public RemoteConnectionId SetFirst(in ConnectionId id)
    {
        _count = 0;
        Add(new Entry { Id = id, InUse = true });
        _seen = 1;
        IsZeroLength = id.IsEmpty;
        return new RemoteConnectionId(0, id);
    }

    /// <summary>The token of the handshake's id came with the server's transport parameters.</summary>
    public void SetFirstToken(in StatelessResetToken token)
    {
        int index = IndexOf(0);
        if (index >= 0)
        {
            _entries[index].Token = token;
            _entries[index].HasToken = true;
        }
    }

    /// <summary>Takes in a NEW_CONNECTION_ID, or the id of the preferred address as if one had brought it.</summary>
    public TransportError OnNew(in NewConnectionIdFrame frame)
    {
        if (_stopped)
        {
            return TransportError.None;
        }

        // RFC 9000 section 19.15: a peer that is addressed without ids cannot issue any.
        if (IsZeroLength)
        {
            return new TransportError(TransportErrorCode.ProtocolViolation, "issued an id while it is addressed without");
        }

        // RFC 9000 section 19.15: one sequence number stands for one id and token, and the other way about.
        for (int i = 0; i < _count; i++)
        {
            ref Entry entry = ref _entries[i];
            bool sameSequence = entry.Sequence == frame.SequenceNumber;
            bool sameId = entry.Id == frame.ConnectionId;
            if (sameSequence != sameId || (sameSequence && entry.HasToken && entry.Token != frame.ResetToken))
            {
                return new TransportError(TransportErrorCode.ProtocolViolation, "connection id reissued differently");
            }
        }

        bool isNew = MarkSeen(frame.SequenceNumber);

        // RFC 9000 section 5.1.2: retire first, then add; so the limit counts what is left.
        if (frame.RetirePriorTo > _retirePriorTo)
        {
            _retirePriorTo = frame.RetirePriorTo;
            for (int i = _count - 1; i >= 0; i--)
            {
                if (_entries[i].Sequence < _retirePriorTo && !TryRetireAt(i))
                {
                    return TooManyRetirements();
                }
            }
        }

        if (!isNew)
        {
            return TransportError.None;
        }

        // RFC 9000 section 19.15: an id below the line that came late is retired at once.
        if (frame.SequenceNumber < _retirePriorTo)
        {
            return TryQueueRetirement(frame.SequenceNumber) ? TransportError.None : TooManyRetirements();
        }

        // RFC 9000 section 5.1.1: more active ids than we allowed.
        if (_count >= _limit)
        {
            return new TransportError(TransportErrorCode.ConnectionIdLimitError, "more connection ids than allowed");
        }

        Add(new Entry
        {
            Sequence = frame.SequenceNumber,
            Id = frame.ConnectionId,
            Token = frame.ResetToken,
            HasToken = true,
        });
        return TransportError.None;
    }

    /// <summary>Takes the oldest unused id for a path. RFC 9000 section 9.5: never one used on another path.</summary>
    public bool TryTake(out RemoteConnectionId id)
    {
        id = default;
        if (IsZeroLength)
        {
            return true;
        }

        int best = -1;
        for (int i = 0; i < _count; i++)
        {
            if (!_entries[i].InUse && (best < 0 || _entries[i].Sequence < _entries[best].Sequence))
            {
                best = i;
            }
        }

        if (best < 0)
        {
            return false;
        }

        _entries[best].InUse = true;
        id = new RemoteConnectionId(_entries[best].Sequence, _entries[best].Id);
        return true;
    }

    /// <summary>A path needs its id no more, and no other path may use it.</summary>
    public TransportError Retire(ulong sequence)
    {
        int index = IndexOf(sequence);
        return IsZeroLength || index < 0 || TryRetireAt(index) ? TransportError.None : TooManyRetirements();
    }

    /// <summary>
    /// The path is given up, and all of its ids with it; nothing is told of them (draft-ietf-quic-multipath-21 section 3.4).
    /// </summary>
    public void RetireAll()
    {
        _count = 0;
        _pendingRetirements = 0;
        _stopped = true;
    }

    /// <summary>Whether an id is one of these, in use or not.</summary>
    public bool Contains(in ConnectionId id)
    {
        for (int i = 0; i < _count; i++)
        {
            if (_entries[i].Id == id)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>False once the peer has asked for the id back: the path that uses it needs another.</summary>
    public bool IsActive(ulong sequence) => IsZeroLength || IndexOf(sequence) >= 0;

    public bool TryGetToken(ulong sequence, out StatelessResetToken token)
    {
        int index = IndexOf(sequence);
        token = index >= 0 ? _entries[index].Token : default;
        return index >= 0 && _entries[index].HasToken;
    }

    /// <summary>
    /// RFC 9000 section 10.3.1: does a datagram end in the token of an id in use? All are compared, each in constant
    /// time, so that the time taken tells nothing of which bytes were right.
    /// </summary>
    public bool IsStatelessReset(ReadOnlySpan<byte> lastBytes)
    {
        bool found = false;
        for (int i = 0; i < _count; i++)
        {
            found |= _entries[i].InUse & _entries[i].HasToken & _entries[i].Token.Matches(lastBytes);
        }

        return found;
    }

    /// <summary>
    /// Writes RETIRE_CONNECTION_ID frames while they fit, into a packet that is sent to id <paramref name="carrier"/>. The frame of
    /// that one waits (RFC 9000 section 19.16): the peer asked for it back and has not given another for the path yet.
    /// </summary>
    public bool WriteFrames(ref WireWriter writer, SentFrameLog log, ulong carrier)
    {
        bool wrote = false;
        for (int i = _pendingRetirements - 1; i >= 0; i--)
        {
            ulong sequence = _retirements[i];
            if (sequence == carrier)
            {
                continue;
            }

            var frame = new RetireConnectionIdFrame(sequence, _pathId == 0 ? null : _pathId);
            if (writer.Remaining < frame.Length)
            {
                break;
            }

            frame.Write(ref writer);
            log.Record(SentFrame.OfPath(SentFrameKind.RetireConnectionId, _pathId, sequence));
            _retirements[i] = _retirements[--_pendingRetirements];
            wrote = true;
        }

        return wrote;
    }

    public void OnRetireAcked() => _unacknowledgedRetirements--;

    public void OnRetireLost(ulong sequence)
    {
        if (!_stopped)
        {
            _retirements[_pendingRetirements++] = sequence;
        }
    }

    private void Add(in Entry entry)
    {
        if (_count == _entries.Length)
        {
            Array.Resize(ref _entries, Math.Max(FirstCapacity, Math.Min(2 * _count, _limit)));
        }

        _entries[_count++] = entry;
    }

    private static TransportError TooManyRetirements() =>
        new(TransportErrorCode.ConnectionIdLimitError, "more connection ids to retire than the peer lets us");

    /// <summary>Returns false for a number seen before, or so old that nobody can tell.</summary>
    private bool MarkSeen(ulong sequence)
    {
        if (sequence > _highest)
        {
            ulong shift = sequence - _highest;
            _seen = shift >= WindowBits ? 0 : _seen << (int)shift;
            _seen |= 1;
            _highest = sequence;
            return true;
        }

        ulong age = _highest - sequence;
        if (age >= WindowBits || (_seen & (1UL << (int)age)) != 0)
        {
            return false;
        }

        _seen |= 1UL << (int)age;
        return true;
    }

    private bool TryRetireAt(int index)
    {
        if (!TryQueueRetirement(_entries[index].Sequence))
        {
            return false;
        }

        _entries[index] = _entries[--_count];
        return true;
    }

    /// <summary>
    /// CVE-2024-22189: a peer that never acknowledges can make us owe retirements without end, so what is unsettled is
    /// capped on every way that leads here.
    /// </summary>
    private bool TryQueueRetirement(ulong sequence)
    {
        if (_unacknowledgedRetirements == Limits.MaxPendingRetirements)
        {
            return false;
        }

        if (_retirements.Length == 0)
        {
            _retirements = new ulong[Limits.MaxPendingRetirements];
        }

        _retirements[_pendingRetirements++] = sequence;
        _unacknowledgedRetirements++;
        return true;
    }

    private int IndexOf(ulong sequence)
    {
        for (int i = 0; i < _count; i++)
        {
            if (_entries[i].Sequence == sequence)
            {
                return i;
            }
        }

        return -1;
    }

    private struct Entry
    {
        public ulong Sequence;
        public ConnectionId Id;
        public StatelessResetToken Token;
        public bool HasToken;
        public bool InUse;
    }
}
