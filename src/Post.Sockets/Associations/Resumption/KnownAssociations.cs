namespace Post.Sockets.Associations.Resumption;

/// <summary>
/// The associations of one listener by their ids, and among them those that wait for another connection. How many wait is bounded: nobody
/// shall fill the memory by making associations and losing them. When there are too many, whoever has the most of them loses its oldest,
/// so that a flood displaces itself.
/// </summary>
internal sealed class KnownAssociations(int maxInterrupted, long maxBytes)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<UInt128, AssociationCore> _known = [];
    private readonly LinkedList<(AssociationCore Core, Party Party)> _waiting = [];
    private readonly Dictionary<AssociationCore, LinkedListNode<(AssociationCore Core, Party Party)>> _places = [];
    private readonly Dictionary<Party, int> _counts = [];
    private readonly Dictionary<AssociationCore, (Party Party, long Bytes)> _reserved = [];
    private long _reservedBytes;
    private bool _isClosed;

    /// <summary>Associations that wait for another connection.</summary>
    public int Interrupted
    {
        get
        {
            lock (_gate)
            {
                return _waiting.Count;
            }
        }
    }

    /// <summary>Makes an association known by its id; false when the id is taken.</summary>
    public bool TryAdd(AssociationCore core)
    {
        lock (_gate)
        {
            return !_isClosed && _known.TryAdd(core.Id, core);
        }
    }

    public AssociationCore? Find(UInt128 id)
    {
        lock (_gate)
        {
            return _known.GetValueOrDefault(id);
        }
    }

    /// <summary>The association is over.</summary>
    public void Remove(AssociationCore core)
    {
        lock (_gate)
        {
            ReleaseUnderLock(core);
            if (_known.TryGetValue(core.Id, out var known) && known == core)
            {
                _known.Remove(core.Id);
            }
        }
    }

    /// <summary>Keeps an association whose connection is lost; false when none are kept. Under that association's lock.</summary>
    public bool TryKeep(AssociationCore core, Party party)
    {
        AssociationCore? displaced = null;
        lock (_gate)
        {
            if (_isClosed || maxInterrupted == 0 || !_known.TryGetValue(core.Id, out var known) || known != core)
            {
                return false;
            }

            ReleaseUnderLock(core);
            _places[core] = _waiting.AddLast((core, party));
            _counts[party] = _counts.GetValueOrDefault(party) + 1;
            if (_waiting.Count > maxInterrupted)
            {
                var most = _counts.Values.Max();
                displaced = _waiting.First(waiting => _counts[waiting.Party] == most).Core;
                ReleaseUnderLock(displaced);
            }
        }

        if (displaced == core)
        {
            return false;
        }

        // Its own lock must not be taken under that of another association.
        displaced?.Queue(new Work(displaced.Continuity.GiveUp));
        return true;
    }

    /// <summary>
    /// Bytes that an association without a connection may hold of unfinished objects, at most as many as it asks for. Under that association's
    /// lock.
    /// </summary>
    public long Reserve(AssociationCore core, Party party, long bytes)
    {
        lock (_gate)
        {
            // Half is for the others: a flood of one party leaves them what they had.
            var used = _reserved.Values.Where(one => one.Party == party).Sum(static one => one.Bytes);
            var granted = Math.Clamp(Math.Min(maxBytes - _reservedBytes, (maxBytes / 2) - used), 0, bytes);
            if (granted > 0)
            {
                _reserved[core] = (party, granted);
                _reservedBytes += granted;
            }

            return granted;
        }
    }

    /// <summary>It has a connection again.</summary>
    public void Release(AssociationCore core)
    {
        lock (_gate)
        {
            ReleaseUnderLock(core);
        }
    }

    /// <summary>Nobody can come back any more: the listener does not listen.</summary>
    public void Close()
    {
        AssociationCore[] waiting;
        lock (_gate)
        {
            _isClosed = true;
            waiting = [.. _waiting.Select(static one => one.Core)];
        }

        foreach (var core in waiting)
        {
            core.Continuity.GiveUp();
        }
    }

    private void ReleaseUnderLock(AssociationCore core)
    {
        if (_reserved.Remove(core, out var reserved))
        {
            _reservedBytes -= reserved.Bytes;
        }

        if (!_places.Remove(core, out var place))
        {
            return;
        }

        var party = place.Value.Party;
        _waiting.Remove(place);
        if (--_counts[party] == 0)
        {
            _counts.Remove(party);
        }
    }
}
