using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Paths;

/// <summary>
/// The networks of a path: finds the one a datagram came over, gives each its connection id, validates them, and forgets them.
/// Which of them is the active one is decided by <see cref="Migration"/>.
/// </summary>
internal sealed class Networks
{
    /// <summary>RFC 9000 section 8.2.4: the probe timeout of a network of which nothing is known yet.</summary>
    private const long UnknownProbeTimeout = 3 * RttEstimator.InitialRtt;

    private readonly Path _path;
    private readonly IPathHost _host;
    private readonly Network?[] _networks = new Network?[Limits.MaxNetworks];
    private bool _remoteIdsChanged;

    public Networks(Path path, IPathHost host, Network first)
    {
        _path = path;
        _host = host;
        Active = first;
        _networks[0] = first;
    }

    /// <summary>Where new data goes.</summary>
    public Network Active { get; set; }

    /// <summary>All networks; some places are empty.</summary>
    public ReadOnlySpan<Network?> All => _networks;

    /// <summary>When a network is to be challenged again or given up.</summary>
    public long Deadline
    {
        get
        {
            long deadline = _path.Migration.Deadline;
            foreach (Network? network in _networks)
            {
                deadline = Math.Min(deadline, network is { IsHeld: false } ? network.Validation.Deadline : long.MaxValue);
            }

            return deadline;
        }
    }

    /// <summary>The network a datagram came by; null for addresses not seen so far.</summary>
    public Network? Find(in DatagramMetadata metadata)
    {
        Network? byRemote = null;
        foreach (Network? network in _networks)
        {
            if (network is null || network.Remote != metadata.Remote)
            {
                continue;
            }

            if (network.Local == metadata.Local)
            {
                return network;
            }

            // A socket that is bound to no address learns from the first packet which one it is. The port is its own from
            // the start: what still comes to a port that was left belongs to no network, and must not bring one back there.
            if (network.Local.IsSameSocket(metadata.Local))
            {
                byRemote ??= network;
            }
        }

        return byRemote;
    }

    /// <summary>The machine is being asked for another way to the peer.</summary>
    public bool IsSearching
    {
        get
        {
            foreach (Network? network in _networks)
            {
                if (network is { IsSearch: true, Validation.State: PathValidationState.Validating })
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>RFC 9000 section 9: a client takes packets from no server address that it does not talk to.</summary>
    public bool IsKnownRemote(in NetworkAddress remote)
    {
        foreach (Network? network in _networks)
        {
            if (network is not null && network.Remote == remote)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Adds the network of a peer that was seen at a new address. Null when there is no room or no connection id: the
    /// peer is then not answered there.
    /// </summary>
    public Network? AddForPeer(in DatagramMetadata metadata, ulong localIdSequence)
    {
        if (!TryFindRoom(out int slot))
        {
            return null;
        }

        // RFC 9000 section 9.5: a peer that moves takes a new id of ours, and gets a new one of its own. One that still
        // uses the id of a network, the active one or one it was just trying, was moved by a NAT, and for all an observer can
        // tell there is nothing left to hide.
        Network? origin = FindByLocalId(localIdSequence);
        RemoteConnectionId remoteId = default;
        if (origin is not null)
        {
            remoteId = origin.RemoteId;
        }
        else if (!_path.RemoteIds.TryTake(out remoteId))
        {
            return null;
        }

        Network likely = origin ?? Active;
        bool sameWay = likely.Remote.SameHost(metadata.Remote) && likely.Local == metadata.Local;
        var network = new Network(
            _host.NextNetworkId(),
            metadata.Local,
            metadata.Remote,
            sameWay ? likely.Transmission : _path.CreateTransmission())
        {
            PathId = _path.Id,
            LocalIdSequence = localIdSequence,
        };
        return Insert(slot, network, remoteId);
    }

    /// <summary>Adds a network that we want to try; null when there is no room or no connection id for it.</summary>
    public Network? AddForProbing(in NetworkAddress local, in NetworkAddress remote, bool isSearch = false)
    {
        RemoveLeftAt(local, remote);
        if (!TryFindRoom(out int slot))
        {
            return null;
        }

        if (!_path.RemoteIds.TryTake(out RemoteConnectionId remoteId))
        {
            // The peer replaces the ids that it gets back, so that the next attempt has one.
            RemoveLeft();
            return null;
        }

        LetPeerFollow();

        var network = new Network(_host.NextNetworkId(), local, remote, _path.CreateTransmission())
        {
            PathId = _path.Id,
            LocalIdSequence = Active.LocalIdSequence,
            IsSearch = isSearch,
        };
        return Insert(slot, network, remoteId);
    }

    /// <summary>A newer move succeeded: a network of an older attempt must not replace it when it is validated later.</summary>
    public void RemoveOlderAttempts(Network network)
    {
        foreach (Network? other in _networks)
        {
            if (other is { ActivateWhenValidated: true } && other.Id < network.Id)
            {
                Remove(other);
            }
        }
    }

    /// <summary>The peer has followed to the active network: those that we left are given up.</summary>
    public void RemoveLeft()
    {
        foreach (Network? network in _networks)
        {
            if (network is { IsLeft: true })
            {
                Remove(network);
            }
        }
    }

    /// <summary>The newest packet of a network was sent to this id of ours.</summary>
    public void OnReceivedFor(Network network, ulong localIdSequence)
    {
        if (network.LocalIdSequence == localIdSequence)
        {
            return;
        }

        network.LocalIdSequence = localIdSequence;
        ulong oldest = localIdSequence;
        foreach (Network? other in _networks)
        {
            oldest = Math.Min(oldest, other?.LocalIdSequence ?? oldest);
        }

        _path.LocalIds.OnUsed(localIdSequence, oldest);
    }

    public void Remove(Network network)
    {
        int slot = Array.IndexOf(_networks, network);
        if (slot < 0 || network == Active)
        {
            return;
        }

        _networks[slot] = null;
        WithdrawToken(network);
        bool idShared = false;
        bool wayShared = false;
        foreach (Network? other in _networks)
        {
            idShared |= other is not null && other.RemoteId.Sequence == network.RemoteId.Sequence;
            wayShared |= other is not null && other.Transmission == network.Transmission;
        }

        if (!idShared)
        {
            TransportError error = _path.RemoteIds.Retire(network.RemoteId.Sequence);
            if (error.IsError)
            {
                _host.Fail(error, _host.Now);
            }
        }

        if (!wayShared)
        {
            _path.Recovery.Remove(network.Transmission, _host.Now);
        }

        Report(network, PathChange.Removed);
    }

    /// <summary>The path is forgotten, and all of its networks with it.</summary>
    public void RemoveAll()
    {
        foreach (Network? network in _networks)
        {
            if (network is not null)
            {
                WithdrawToken(network);
                Report(network, PathChange.Removed);
            }
        }

        Array.Clear(_networks);
    }

    /// <summary>The peer is found: places where it was looked for in vain are forgotten.</summary>
    public void RemoveFailed()
    {
        foreach (Network? network in _networks)
        {
            if (network is { IsValidated: false, Validation.State: PathValidationState.Failed })
            {
                Remove(network);
            }
        }
    }

    /// <summary>The peer gave ids, and may have taken others back.</summary>
    public void OnRemoteIdsChanged() => _remoteIdsChanged = true;

    /// <summary>
    /// Each network that used an id that the peer took back gets another; a network for which none is left is given up (RFC 9000 section
    /// 5.1.2). Not before all frames of a packet are read: the ids that replace the ones of the first frame may come with the next.
    /// </summary>
    /// <param name="here">The network of that packet. It is served first: there the peer is.</param>
    public void ReplaceRetiredIds(Network here)
    {
        if (!_remoteIdsChanged)
        {
            return;
        }

        _remoteIdsChanged = false;
        _ = Contains(here) && ReplaceRetiredId(here);
        ReplaceRetiredId(Active);
        foreach (Network? network in _networks)
        {
            // The one to come back to waits for the next id. One that was left needs none.
            if (network is { IsLeft: true } && !_path.RemoteIds.IsActive(network.RemoteId.Sequence))
            {
                Remove(network);
            }
            else if (network is not null && !ReplaceRetiredId(network) && network != Active && network != _path.Migration.Fallback)
            {
                Remove(network);
            }
        }

        _host.OnNetworkChanged(_path, _host.Now);
    }

    /// <summary>The network has not been given up; the active one never is, so nothing is searched for most packets.</summary>
    public bool Contains(Network network) => network == Active || Array.IndexOf(_networks, network) >= 0;

    /// <summary>The id that the network uses may have a token by now: the owner routes stateless resets by it.</summary>
    public void AnnounceToken(Network network)
    {
        if (network.AnnouncedToken is null && _path.RemoteIds.TryGetToken(network.RemoteId.Sequence, out StatelessResetToken token))
        {
            network.AnnouncedToken = token;
            _host.OnResetTokenAdded(network.Remote, token);
        }
    }

    public void WithdrawTokens()
    {
        foreach (Network? network in _networks)
        {
            if (network is not null)
            {
                WithdrawToken(network);
            }
        }
    }

    /// <summary>
    /// PATH_RESPONSE came. One that answers nothing is ignored: RFC 9000 section 19.18 lets us, and the challenge may
    /// have been given up meanwhile.
    /// </summary>
    public bool TryAnswer(ulong data, long now)
    {
        foreach (Network? network in _networks)
        {
            if (network is not null && network.Validation.TryAnswer(data))
            {
                bool wasValidated = network.IsValidated;
                network.IsValidated = true;
                network.Amplification.Validate();
                network.LacksSizeProof = !network.Validation.ProvedMtu;
                if (network.LacksSizeProof)
                {
                    // RFC 9000 section 8.2.1: the address is good, but whether 1200 bytes pass is not known yet.
                    Validate(network, now);
                }

                if (!wasValidated)
                {
                    if (network.IsSearch)
                    {
                        Report(network, PathChange.Added);
                    }

                    Report(network, PathChange.Validated);
                }

                _path.Migration.OnValidated(network, now);
                _host.OnValidated(_path, now);
                return true;
            }
        }

        return false;
    }

    /// <summary>Asks the peer over the network for a sign of life.</summary>
    public void Validate(Network network, long now)
    {
        network.HeardWhenAsked = network.PacketsReceived;
        network.Validation.Start(
            _path.Recovery.ProbeTimeoutPeriod << network.SilentValidations,
            ValidationTime(network) << network.SilentValidations,
            now);
    }

    /// <summary>The process did not run for a while: a peer that was asked to answer had no chance to be heard.</summary>
    public void OnStall(long now)
    {
        foreach (Network? network in _networks)
        {
            if (network is { Validation.State: PathValidationState.Validating })
            {
                Validate(network, now);
            }
        }
    }

    /// <summary>A network has something to say that can only be said on it.</summary>
    public Network? FindWithProbe(long now)
    {
        foreach (Network? network in _networks)
        {
            if (network is { IsHeld: false } && (network.Responses.Count != 0 || network.Validation.WantsChallenge(now)))
            {
                return network;
            }
        }

        return null;
    }

    public void HandleTimeout(long now)
    {
        foreach (Network? network in _networks)
        {
            if (_host.IsOver)
            {
                // The failure of one ended the connection; the others are gone with it.
                return;
            }

            if (network is null || !network.Validation.TryExpire(now))
            {
                continue;
            }

            Report(network, PathChange.Failed);
            _path.Migration.OnFailed(network, now);
        }

        _path.Migration.HandleTimeout(now);
    }

    public void Report(Network network, PathChange change)
    {
        if (network is { IsSearch: true, Local.IsUnspecified: true })
        {
            // No other way has been found, so there is nothing new.
            return;
        }

        _host.OnPathChanged(new PathEvent(_path.Id, network.Id, change, network.Local, network.Remote)
        {
            Statistics = network.ToStatistics(_path),
        });
    }

    /// <summary>
    /// RFC 9000 section 8.2.4: three times the larger of the present probe timeout and that of a new network. Once more, since the
    /// third challenge leaves only then: where a tenth of all packets is lost, two are answered in vain one time in thirty.
    /// </summary>
    private long ValidationTime(Network network) =>
        4 * Math.Max(_path.Recovery.ProbeTimeoutPeriod, network.Transmission.Rtt.HasSample ? 0 : UnknownProbeTimeout);

    /// <summary>
    /// A peer that has to answer by a new network needs an id of ours that it has not used (RFC 9000 section 9.5). One that may hold two
    /// and keeps those of networks that we left has none after the first move: quiche then drops all that comes by the next.
    /// </summary>
    private void LetPeerFollow()
    {
        ulong oldest = Active.LocalIdSequence;
        ulong newest = oldest;
        foreach (Network? network in _networks)
        {
            if (network is not null)
            {
                oldest = Math.Min(oldest, network.LocalIdSequence);
                newest = Math.Max(newest, network.LocalIdSequence);
            }
        }

        _path.LocalIds.OnNewNetwork(newest, oldest);
    }

    /// <summary>We come back to where we left: packets from there belong to the new attempt.</summary>
    private void RemoveLeftAt(in NetworkAddress local, in NetworkAddress remote)
    {
        foreach (Network? network in _networks)
        {
            if (network is { IsLeft: true } && network.Local == local && network.Remote == remote)
            {
                Remove(network);
            }
        }
    }

    private Network Insert(int slot, Network network, in RemoteConnectionId remoteId)
    {
        network.RemoteId = remoteId;
        _networks[slot] = network;
        AnnounceToken(network);
        Report(network, PathChange.Added);
        return network;
    }

    private Network? FindByLocalId(ulong sequence)
    {
        if (Active.LocalIdSequence == sequence)
        {
            return Active;
        }

        foreach (Network? network in _networks)
        {
            if (network is not null && network.LocalIdSequence == sequence)
            {
                return network;
            }
        }

        return null;
    }

    private bool ReplaceRetiredId(Network network)
    {
        if (_path.RemoteIds.IsActive(network.RemoteId.Sequence))
        {
            return true;
        }

        WithdrawToken(network);
        if (!_path.RemoteIds.TryTake(out RemoteConnectionId next))
        {
            return false;
        }

        network.RemoteId = next;
        AnnounceToken(network);
        return true;
    }

    private void WithdrawToken(Network network)
    {
        if (network.AnnouncedToken is { } token)
        {
            network.AnnouncedToken = null;
            _host.OnResetTokenRemoved(network.Remote, token);
        }
    }

    /// <summary>An empty place, or that of a network that is neither active nor the one to fall back to.</summary>
    private bool TryFindRoom(out int slot)
    {
        slot = Array.IndexOf(_networks, null);
        if (slot >= 0)
        {
            return true;
        }

        Network? oldest = null;
        foreach (Network? network in _networks)
        {
            if (network != Active && network != _path.Migration.Fallback && (oldest is null || network!.Id < oldest.Id))
            {
                oldest = network;
            }
        }

        if (oldest is null)
        {
            return false;
        }

        slot = Array.IndexOf(_networks, oldest);
        Remove(oldest);
        return true;
    }
}
