namespace Post.Sockets.Associations.Lifecycle;

/// <summary>
/// The associations of one listener by their ids, and among them those that wait for another connection. How many wait is bounded: nobody
/// shall fill the memory by making associations and losing them. When there are too many, whoever has the most of them loses its oldest,
/// so that a flood displaces itself.
/// </summary>
internal sealed class AssociationRegistry(int maxInterrupted, long maxBytes)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<UInt128, AssociationResumption> _known = [];
    private readonly LinkedList<(AssociationResumption Association, PeerScope Scope)> _waiting = [];
    private readonly Dictionary<AssociationResumption, LinkedListNode<(AssociationResumption Association, PeerScope Scope)>> _places = [];
    private readonly Dictionary<PeerScope, int> _counts = [];
    private readonly Dictionary<AssociationResumption, (PeerScope Scope, long Bytes)> _reserved = [];
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
    public bool TryAdd(AssociationResumption association)
    {
        lock (_gate)
        {
            return !_isClosed && _known.TryAdd(association.Id, association);
        }
    }

    public AssociationResumption? Find(UInt128 id)
    {
        lock (_gate)
        {
            return _known.GetValueOrDefault(id);
        }
    }

    /// <summary>The association is over.</summary>
    public void Remove(AssociationResumption association)
    {
        lock (_gate)
        {
            ReleasePlace(association);
            if (_known.TryGetValue(association.Id, out var known) && known == association)
            {
                _known.Remove(association.Id);
            }
        }
    }

    /// <summary>Keeps an association whose connection is lost; false when none are kept.</summary>
    public bool TryKeep(AssociationResumption association, PeerScope scope)
    {
        AssociationResumption? displaced = null;
        lock (_gate)
        {
            if (_isClosed || maxInterrupted == 0 || !_known.TryGetValue(association.Id, out var known) || known != association)
            {
                return false;
            }

            ReleasePlace(association);
            _places[association] = _waiting.AddLast((association, scope));
            _counts[scope] = _counts.GetValueOrDefault(scope) + 1;
            if (_waiting.Count > maxInterrupted)
            {
                var most = _counts.Values.Max();
                displaced = _waiting.First(waiting => _counts[waiting.Scope] == most).Association;
                ReleasePlace(displaced);
            }
        }

        if (displaced == association)
        {
            return false;
        }

        displaced?.GiveUp();
        return true;
    }

    /// <summary>
    /// Bytes that an association without a connection may hold of unfinished objects, at most as many as it asks for.
    /// </summary>
    public long Reserve(AssociationResumption association, PeerScope scope, long bytes)
    {
        lock (_gate)
        {
            // Half is for the others: a flood of one scope leaves them what they had.
            var used = _reserved.Values.Where(one => one.Scope == scope).Sum(static one => one.Bytes);
            var granted = Math.Clamp(Math.Min(maxBytes - _reservedBytes, (maxBytes / 2) - used), 0, bytes);
            if (granted > 0)
            {
                _reserved[association] = (scope, granted);
                _reservedBytes += granted;
            }

            return granted;
        }
    }

    /// <summary>It has a connection again.</summary>
    public void Release(AssociationResumption association)
    {
        lock (_gate)
        {
            ReleasePlace(association);
        }
    }

    /// <summary>Nobody can come back any more: the listener does not listen.</summary>
    public void Close()
    {
        AssociationResumption[] waiting;
        lock (_gate)
        {
            _isClosed = true;
            waiting = [.. _waiting.Select(static one => one.Association)];
        }

        foreach (var association in waiting)
        {
            association.GiveUp();
        }
    }

    private void ReleasePlace(AssociationResumption association)
    {
        if (_reserved.Remove(association, out var reserved))
        {
            _reservedBytes -= reserved.Bytes;
        }

        if (!_places.Remove(association, out var place))
        {
            return;
        }

        var scope = place.Value.Scope;
        _waiting.Remove(place);
        if (--_counts[scope] == 0)
        {
            _counts.Remove(scope);
        }
    }
}
