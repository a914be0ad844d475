using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Recovery;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Paths;

/// <summary>
/// The paths of a connection: finds the one a datagram came by, gives each its connection id, validates them, and
/// forgets them. Which of them is the active one is decided by <see cref="Migration"/>.
/// </summary>
internal sealed class PathManager
{
    private readonly ConnectionState _state;
    private readonly Network?[] _paths = new Network?[Limits.MaxPaths];
    private int _nextId;
    private bool _remoteIdsChanged;

    public PathManager(
        ConnectionState state, in NetworkAddress local, in NetworkAddress remote, Transmission recovery)
    {
        _state = state;
        Active = new Network(_nextId++, local, remote, recovery) { Spin = state.FirstSpin };
        _paths[0] = Active;
    }

    /// <summary>Where new data goes.</summary>
    public Network Active { get; set; }

    /// <summary>All paths; some places are empty.</summary>
    public ReadOnlySpan<Network?> All => _paths;

    /// <summary>When a path is to be challenged again or given up.</summary>
    public long Deadline
    {
        get
        {
            long deadline = long.MaxValue;
            foreach (Network? path in _paths)
            {
                deadline = Math.Min(deadline, path?.Validation.Deadline ?? long.MaxValue);
            }

            return deadline;
        }
    }

    /// <summary>The path a datagram came by; null for addresses not seen so far.</summary>
    public Network? Find(in DatagramMetadata metadata)
    {
        Network? byRemote = null;
        foreach (Network? path in _paths)
        {
            if (path is null || path.Remote != metadata.Remote)
            {
                continue;
            }

            if (path.Local == metadata.Local)
            {
                return path;
            }

            // A socket that is bound to no address learns from the first packet which one it is. The port is its own from
            // the start: what still comes to a port that was left belongs to no path, and must not bring one back there.
            if (path.Local.Port == metadata.Local.Port && (path.Local.IsUnspecified || metadata.Local.IsUnspecified))
            {
                byRemote ??= path;
            }
        }

        if (byRemote is { Local.IsUnspecified: true } && !metadata.Local.IsUnspecified)
        {
            byRemote.Local = metadata.Local;
        }

        return byRemote;
    }

    /// <summary>RFC 9000 section 9: a client takes packets from no server address that it does not talk to.</summary>
    public bool IsKnownRemote(in NetworkAddress remote)
    {
        foreach (Network? path in _paths)
        {
            if (path is not null && path.Remote == remote)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Adds the path of a peer that was seen at a new address. Null when there is no room or no connection id: the
    /// peer is then not answered there.
    /// </summary>
    public Network? AddForPeer(in DatagramMetadata metadata, ulong localIdSequence)
    {
        if (!TryFindRoom(out int slot))
        {
            return null;
        }

        // RFC 9000 section 9.5: a peer that moves takes a new id of ours, and gets a new one of its own. One that still
        // uses the id of a path, the active one or one it was just trying, was moved by a NAT, and for all an observer can
        // tell there is nothing left to hide.
        Network? origin = FindByLocalId(localIdSequence);
        RemoteConnectionId remoteId = default;
        if (origin is not null)
        {
            remoteId = origin.RemoteId;
        }
        else if (!_state.RemoteIds.TryTake(out remoteId))
        {
            return null;
        }

        Network likely = origin ?? Active;
        bool sameWay = likely.Remote.SameHost(metadata.Remote) && likely.Local == metadata.Local;
        var path = new Network(
            _nextId++,
            metadata.Local,
            metadata.Remote,
            sameWay ? likely.Transmission : _state.CreateTransmission())
        {
            LocalIdSequence = localIdSequence,
        };
        return Insert(slot, path, remoteId);
    }

    /// <summary>Adds a path that we want to try; null when there is no room or no connection id for it.</summary>
    public Network? AddForProbing(in NetworkAddress local, in NetworkAddress remote)
    {
        if (!TryFindRoom(out int slot) || !_state.RemoteIds.TryTake(out RemoteConnectionId remoteId))
        {
            return null;
        }

        var path = new Network(_nextId++, local, remote, _state.CreateTransmission())
        {
            LocalIdSequence = Active.LocalIdSequence,
        };
        return Insert(slot, path, remoteId);
    }

    /// <summary>The newest packet of a path was sent to this id of ours.</summary>
    public void OnReceivedFor(Network path, ulong localIdSequence)
    {
        if (path.LocalIdSequence == localIdSequence)
        {
            return;
        }

        path.LocalIdSequence = localIdSequence;
        ulong oldest = localIdSequence;
        foreach (Network? other in _paths)
        {
            oldest = Math.Min(oldest, other?.LocalIdSequence ?? oldest);
        }

        _state.LocalIds.OnUsed(localIdSequence, oldest);
    }

    public void Remove(Network path)
    {
        int slot = Array.IndexOf(_paths, path);
        if (slot < 0 || path == Active)
        {
            return;
        }

        _paths[slot] = null;
        WithdrawToken(path);
        bool idShared = false;
        bool wayShared = false;
        foreach (Network? other in _paths)
        {
            idShared |= other is not null && other.RemoteId.Sequence == path.RemoteId.Sequence;
            wayShared |= other is not null && other.Transmission == path.Transmission;
        }

        if (!idShared)
        {
            TransportError error = _state.RemoteIds.Retire(path.RemoteId.Sequence);
            if (error.IsError)
            {
                _state.Lifecycle.Fail(error, _state.Now);
            }
        }

        if (!wayShared)
        {
            _state.Recovery.RemovePath(path.Transmission, _state.Now);
        }

        Report(path, PathChange.Removed);
    }

    /// <summary>The peer is found: places where it was looked for in vain are forgotten.</summary>
    public void RemoveFailed()
    {
        foreach (Network? path in _paths)
        {
            if (path is { IsValidated: false, Validation.State: PathValidationState.Failed })
            {
                Remove(path);
            }
        }
    }

    /// <summary>The peer gave ids, and may have taken others back.</summary>
    public void OnRemoteIdsChanged() => _remoteIdsChanged = true;

    /// <summary>
    /// Each path that used an id that the peer took back gets another; a path for which none is left is given up (RFC 9000 section
    /// 5.1.2). Not before all frames of a packet are read: the ids that replace the ones of the first frame may come with the next.
    /// </summary>
    /// <param name="here">The path of that packet. It is served first: there the peer is.</param>
    public void ReplaceRetiredIds(Network here)
    {
        if (!_remoteIdsChanged)
        {
            return;
        }

        _remoteIdsChanged = false;
        _ = Contains(here) && ReplaceRetiredId(here);
        ReplaceRetiredId(Active);
        foreach (Network? path in _paths)
        {
            // The one to come back to waits for the next id.
            if (path is not null && !ReplaceRetiredId(path) && path != Active && path != _state.Migration.Fallback)
            {
                Remove(path);
            }
        }

        _state.Monitor.OnRecoveryChanged(_state.Now);
    }

    /// <summary>The path has not been given up; the active one never is, so nothing is searched for most packets.</summary>
    public bool Contains(Network path) => path == Active || Array.IndexOf(_paths, path) >= 0;

    /// <summary>The id that the path uses may have a token by now: the owner routes stateless resets by it.</summary>
    public void AnnounceToken(Network path)
    {
        if (path.AnnouncedToken is null && _state.RemoteIds.TryGetToken(path.RemoteId.Sequence, out StatelessResetToken token))
        {
            path.AnnouncedToken = token;
            _state.Events.OnResetTokenAdded(path.Remote, token);
        }
    }

    public void WithdrawTokens()
    {
        foreach (Network? path in _paths)
        {
            if (path is not null)
            {
                WithdrawToken(path);
            }
        }
    }

    /// <summary>PATH_CHALLENGE came by this path; the answer leaves by it (RFC 9000 section 8.2.2).</summary>
    public static void OnChallenge(Network path, in PathChallengeFrame frame) => path.Responses.Add(frame.Data);

    /// <summary>
    /// PATH_RESPONSE came. One that answers nothing is ignored: RFC 9000 section 19.18 lets us, and the challenge may
    /// have been given up meanwhile.
    /// </summary>
    public void OnResponse(in PathResponseFrame frame, long now)
    {
        foreach (Network? path in _paths)
        {
            if (path is not null && path.Validation.TryAnswer(frame.Data))
            {
                bool wasValidated = path.IsValidated;
                path.IsValidated = true;
                path.Amplification.Validate();
                path.LacksSizeProof = !path.Validation.ProvedMtu;
                if (path.LacksSizeProof)
                {
                    // RFC 9000 section 8.2.1: the address is good, but whether 1200 bytes pass is not known yet.
                    Validate(path, now);
                }

                if (!wasValidated)
                {
                    Report(path, PathChange.Validated);
                }

                _state.Migration.OnValidated(path, now);
                return;
            }
        }
    }

    /// <summary>Asks the peer over the path for a sign of life.</summary>
    public void Validate(Network path, long now)
    {
        path.HeardWhenAsked = path.PacketsReceived;
        path.Validation.Start(
            Clock.ValidationInterval(_state.Recovery) << path.SilentValidations,
            Clock.ValidationTime(_state.Recovery, path) << path.SilentValidations,
            now);
    }

    /// <summary>Nobody ran us for a while: who is being asked for a sign of life had no chance to give it.</summary>
    public void OnStall(long now)
    {
        foreach (Network? path in _paths)
        {
            if (path is { Validation.State: PathValidationState.Validating })
            {
                Validate(path, now);
            }
        }
    }

    /// <summary>A path has something to say that can only be said on it.</summary>
    public Network? FindWithProbe(long now)
    {
        foreach (Network? path in _paths)
        {
            if (path is not null && (path.Responses.Count != 0 || path.Validation.WantsChallenge(now)))
            {
                return path;
            }
        }

        return null;
    }

    public void HandleTimeout(long now)
    {
        foreach (Network? path in _paths)
        {
            if (_state.IsOver)
            {
                // The failure of one ended the connection; the others are gone with it.
                return;
            }

            if (path is null || !path.Validation.TryExpire(now))
            {
                continue;
            }

            Report(path, PathChange.Failed);
            _state.Migration.OnFailed(path, now);
        }
    }

    public void Report(Network path, PathChange change)
    {
        var report = new PathEvent(path.Id, change, path.Local, path.Remote);
        _state.Trace?.PathChanged(_state.Now, report);
        _state.Events.OnPath(report);
    }

    private Network Insert(int slot, Network path, in RemoteConnectionId remoteId)
    {
        path.RemoteId = remoteId;
        _paths[slot] = path;
        AnnounceToken(path);
        Report(path, PathChange.Added);
        return path;
    }

    private Network? FindByLocalId(ulong sequence)
    {
        if (Active.LocalIdSequence == sequence)
        {
            return Active;
        }

        foreach (Network? path in _paths)
        {
            if (path is not null && path.LocalIdSequence == sequence)
            {
                return path;
            }
        }

        return null;
    }

    private bool ReplaceRetiredId(Network path)
    {
        if (_state.RemoteIds.IsActive(path.RemoteId.Sequence))
        {
            return true;
        }

        WithdrawToken(path);
        if (!_state.RemoteIds.TryTake(out RemoteConnectionId next))
        {
            return false;
        }

        path.RemoteId = next;
        AnnounceToken(path);
        return true;
    }

    private void WithdrawToken(Network path)
    {
        if (path.AnnouncedToken is { } token)
        {
            path.AnnouncedToken = null;
            _state.Events.OnResetTokenRemoved(path.Remote, token);
        }
    }

    /// <summary>An empty place, or that of a path that nobody will miss: not active, not the one to fall back to.</summary>
    private bool TryFindRoom(out int slot)
    {
        slot = Array.IndexOf(_paths, null);
        if (slot >= 0)
        {
            return true;
        }

        Network? oldest = null;
        foreach (Network? path in _paths)
        {
            if (path != Active && path != _state.Migration.Fallback && (oldest is null || path!.Id < oldest.Id))
            {
                oldest = path;
            }
        }

        if (oldest is null)
        {
            return false;
        }

        slot = Array.IndexOf(_paths, oldest);
        Remove(oldest);
        return true;
    }
}
