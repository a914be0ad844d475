using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.InFlight;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Paths;

/// <summary>
/// The connection ids that we gave to the peer (RFC 9000 section 5.1.1): issues as many as it is willing to hold,
/// replaces the ones it retires, asks back the ones it forgets to, and knows which NEW_CONNECTION_ID frames have still to
/// go out.
/// </summary>
internal sealed class LocalConnectionIds
{
    private const int FirstCapacity = 4;

    private readonly IConnectionIdSource _source;
    private readonly uint _pathId;

    // Those asked back are routed until the peer gives them back, beside as many that replace them.
    private Entry[] _entries = [];
    private int _count;
    private ulong _next;
    private ulong _told;
    private int _pending;
    private int _recalled;
    private ulong _retirePriorTo;
    private ulong _oldestInUse;
    private bool _hoards;
    private bool _stopped;
    private int _limit = 1;

    /// <param name="source">Makes the ids.</param>
    /// <param name="pathId">The path that they are for.</param>
    public LocalConnectionIds(IConnectionIdSource source, uint pathId = 0)
    {
        _source = source;
        _pathId = pathId;
    }

    /// <summary>We asked to be reached without an id; then there is nothing to issue or to retire.</summary>
    public bool IsZeroLength => _source.Length == 0;

    public int Length => _source.Length;

    /// <summary>The sequence number of the next id to be told.</summary>
    public ulong Next => _next;

    /// <summary>What frames name; those of path 0 are the ones that RFC 9000 has.</summary>
    private ulong? PathId => _pathId == 0 ? null : _pathId;

    /// <summary>Those that the peer may use.</summary>
    public int ActiveCount => _count - _recalled;

    /// <summary>NEW_CONNECTION_ID frames wait to be sent.</summary>
    public bool HasDataToSend => _pending != 0;

    /// <summary>
    /// An id that goes out by another way than NEW_CONNECTION_ID: the one of the handshake (sequence number 0), or the
    /// one of the preferred address (1). Both are told in the transport parameters (RFC 9000 section 5.1.1).
    /// </summary>
    public ConnectionId IssueInTransportParameters(out StatelessResetToken token)
    {
        if (IsZeroLength)
        {
            token = default;
            _told = ++_next;
            return default;
        }

        ConnectionId id = Add(pending: false, out token);
        _told = _next;
        return id;
    }

    /// <summary>The peer's active_connection_id_limit is known and 1-RTT packets can carry the rest.</summary>
    public void Fill(ulong peerLimit)
    {
        if (IsZeroLength || _stopped)
        {
            return;
        }

        _limit = (int)Math.Min(peerLimit, Limits.MaxActiveConnectionIds);
        while (ActiveCount < _limit)
        {
            _ = Add(pending: true, out _);
        }
    }

    /// <summary>The path was given up: the ids that were told stay routed, and no others follow.</summary>
    public void Stop()
    {
        _stopped = true;
        for (int i = 0; i < _count; i++)
        {
            _entries[i].Pending = false;
        }

        _pending = 0;
    }

    /// <summary>Finds which of ours a packet was sent to.</summary>
    public bool TryFind(ReadOnlySpan<byte> id, out ulong sequence)
    {
        sequence = 0;
        if (IsZeroLength)
        {
            return id.IsEmpty;
        }

        for (int i = 0; i < _count; i++)
        {
            if (_entries[i].Id.Span.SequenceEqual(id))
            {
                sequence = _entries[i].Sequence;
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// The peer has begun to use another id. Where it hoards those of paths that it left, and this is the last that it was given,
    /// the ones below <paramref name="oldestInUse"/> are asked back and replaced.
    /// </summary>
    /// <remarks>
    /// RFC 9000 section 5.1.2 says that a peer retires the ids of addresses that it no longer uses. msquic does not: after its
    /// client's third move it has none left, and answers by no further path. A peer that retires by itself is never asked: its
    /// paths may hang on the ids that it has.
    /// </remarks>
    public void OnUsed(ulong sequence, ulong oldestInUse)
    {
        // Left at the change before this one, and still not retired.
        _hoards |= CountBelow(Math.Min(_oldestInUse, oldestInUse)) != 0;
        _oldestInUse = oldestInUse;
        if (_hoards && CountBelow(sequence + 1) == _count)
        {
            Recall(oldestInUse);
        }
    }

    /// <summary>
    /// The peer needs an id for a network that we are about to try. Where it has used all that it was given, those below
    /// <paramref name="oldestInUse"/> are asked back and replaced: it has had a round trip at least to retire them by itself.
    /// </summary>
    public void OnNewNetwork(ulong newestInUse, ulong oldestInUse)
    {
        if (CountBelow(newestInUse + 1) == _count)
        {
            Recall(oldestInUse);
        }
    }

    /// <summary>
    /// The peer does not answer by a path that we try. If it hoards ids, it may have none to answer with: which of them it keeps for
    /// paths that it left cannot be known, so all are asked back and replaced.
    /// </summary>
    public void RecallAll()
    {
        if (_hoards)
        {
            Recall(_next);
        }
    }

    /// <summary>RETIRE_CONNECTION_ID came in a packet that was sent to id <paramref name="carrier"/>.</summary>
    public TransportError OnRetire(ulong sequence, ulong carrier)
    {
        // RFC 9000 section 19.16: a sequence number never sent, or an endpoint that gave no ids.
        if (sequence >= _told || IsZeroLength)
        {
            return new TransportError(TransportErrorCode.ProtocolViolation, "retired a connection id never issued");
        }

        // RFC 9000 section 19.16: not the id of the packet that carries the frame.
        if (sequence == carrier)
        {
            return new TransportError(TransportErrorCode.ProtocolViolation, "retired the connection id it was sent to");
        }

        int index = IndexOf(sequence);
        if (index < 0)
        {
            return TransportError.None;
        }

        if (_entries[index].Pending)
        {
            _pending--;
        }

        _recalled -= sequence < _retirePriorTo ? 1 : 0;
        ConnectionId retired = _entries[index].Id;
        _entries[index] = _entries[--_count];
        _source.Retire(in retired);
        Fill((ulong)_limit);
        return TransportError.None;
    }

    /// <summary>Writes NEW_CONNECTION_ID frames while they fit.</summary>
    public bool WriteFrames(ref WireWriter writer, SentFrameLog log)
    {
        bool wrote = false;
        for (int i = 0; i < _count && _pending != 0; i++)
        {
            ref Entry entry = ref _entries[i];
            if (!entry.Pending)
            {
                continue;
            }

            // One that never arrived is told again though it is asked back: only an id that came can be given back. It asks for
            // nothing itself, or the peer could be left without any.
            bool isRecalled = entry.Sequence < _retirePriorTo;
            var frame = new NewConnectionIdFrame(entry.Sequence, isRecalled ? 0 : _retirePriorTo, entry.Id, entry.Token, PathId);
            if (writer.Remaining < frame.Length)
            {
                break;
            }

            frame.Write(ref writer);
            log.Record(SentFrame.OfPath(SentFrameKind.NewConnectionId, _pathId, entry.Sequence));
            entry.Pending = false;
            _pending--;
            _told = Math.Max(_told, entry.Sequence + 1);
            wrote = true;
        }

        return wrote;
    }

    /// <summary>A NEW_CONNECTION_ID was lost; it goes again unless the id has been retired meanwhile.</summary>
    public void OnLost(ulong sequence)
    {
        int index = IndexOf(sequence);
        if (index >= 0 && !_stopped && !_entries[index].Pending)
        {
            _entries[index].Pending = true;
            _pending++;
        }
    }

    /// <summary>The connection is over: every route goes.</summary>
    public void RetireAll()
    {
        while (_count != 0)
        {
            ConnectionId id = _entries[--_count].Id;
            _source.Retire(in id);
        }

        _pending = 0;
        _recalled = 0;
    }

    private void Recall(ulong below)
    {
        // Nothing more is asked of a peer that owes an answer: that bounds what it makes us hold.
        int count = CountBelow(below);
        if (count != 0 && _recalled == 0)
        {
            _recalled = count;
            _retirePriorTo = below;
            Fill((ulong)_limit);
        }
    }

    private int CountBelow(ulong sequence)
    {
        int count = 0;
        for (int i = 0; i < _count; i++)
        {
            count += _entries[i].Sequence < sequence ? 1 : 0;
        }

        return count;
    }

    private ConnectionId Add(bool pending, out StatelessResetToken token)
    {
        if (_count == _entries.Length)
        {
            Array.Resize(ref _entries, Math.Max(FirstCapacity, Math.Min(2 * _count, 2 * Limits.MaxActiveConnectionIds)));
        }

        ConnectionId id = _source.Issue(out token);
        _entries[_count++] = new Entry { Sequence = _next++, Id = id, Token = token, Pending = pending };
        _pending += pending ? 1 : 0;
        return id;
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
        public bool Pending;
    }
}
