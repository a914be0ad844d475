using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Paths;

/// <summary>
/// The networks of a path: finds the one a datagram came over, adds others, and forgets them. Which of them is the active one is decided by
/// <see cref="Migration"/>.
/// </summary>
internal sealed class Networks
{
    private readonly Path _path;
    private readonly IPathHost _host;
    private readonly Network?[] _networks = new Network?[Limits.MaxNetworks];

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

        _path.Ids.LetPeerFollow();

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

    public void Remove(Network network)
    {
        int slot = Array.IndexOf(_networks, network);
        if (slot < 0 || network == Active)
        {
            return;
        }

        _networks[slot] = null;
        _path.Ids.WithdrawToken(network);
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
                _path.Ids.WithdrawToken(network);
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

    /// <summary>The network has not been given up; the active one never is, so nothing is searched for most packets.</summary>
    public bool Contains(Network network) => network == Active || Array.IndexOf(_networks, network) >= 0;

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
        _path.Ids.AnnounceToken(network);
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
