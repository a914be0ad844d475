using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Bounds;

namespace Post.Quic.Engine.Paths;

/// <summary>
/// Decides by which network new data goes (RFC 9000 section 9): follows a peer that moved or whose NAT took another port,
/// moves when our side asks for it, and comes back when the new network does not answer.
/// </summary>
internal sealed class Migration
{
    /// <summary>As long as packets that were sent before a move may still be on their way (RFC 9000 section 10.2 has the same for a close).</summary>
    private const int LeavePeriods = 3;

    private readonly Path _path;
    private readonly IPathHost _host;
    private bool _isMoving;

    public Migration(Path path, IPathHost host)
    {
        _path = path;
        _host = host;
    }

    /// <summary>
    /// The last validated network, to which we come back if the active one is not validated in time: whoever forges a
    /// source address must not cut the connection off.
    /// </summary>
    public Network? Fallback { get; private set; }

    /// <summary>When the networks that we left are given up.</summary>
    public long Deadline { get; private set; } = long.MaxValue;

    private Networks Networks => _path.Networks;

    /// <summary>
    /// A packet with more than probing frames came by a network, and no packet with a higher number was seen: the peer
    /// wants to be reached there (RFC 9000 section 9.3).
    /// </summary>
    public void OnNonProbingPacket(Network network, long now)
    {
        if (!_host.IsServer)
        {
            OnNonProbingPacketWhileMoving(network, now);
            return;
        }

        if (network == Networks.Active || !_host.IsHandshakeConfirmed)
        {
            return;
        }

        Network previous = Networks.Active;
        if (previous.IsValidated)
        {
            Fallback = previous;
        }

        Activate(network, now);
        if (network.IsValidated)
        {
            return;
        }

        Validate(network, now);

        // RFC 9000 section 9.3.3: the network that was left is asked too, and at each further move anew: what it answered before tells
        // nothing of this one. If the move was forged, the peer is still there.
        if (Fallback is { } left)
        {
            Validate(left, now);
        }
    }

    /// <summary>Client: tries a network from another local address and moves to it if it works (RFC 9000 section 9.2).</summary>
    public bool TryMigrate(in NetworkAddress local, long now, out int networkId)
    {
        networkId = -1;

        // RFC 9000 section 9: not before the handshake is confirmed, and not if the server asked us not to. Section 18.2:
        // that is said of the address of the handshake, and not of a preferred one.
        if (_host.IsServer
            || !_host.IsHandshakeConfirmed
            || _host.IsMigrationForbidden(Networks.Active.Remote))
        {
            return false;
        }

        // RFC 9000 section 9.5: a peer that is addressed without ids could be followed from one address to the other;
        // that is the peer's choice, made when it took an empty id.
        return TryProbe(local, Networks.Active.Remote, now, isSearch: false, out networkId);
    }

    /// <summary>Client: the handshake is confirmed and the server would rather be elsewhere (RFC 9000 section 9.6).</summary>
    public void FollowPreference(long now)
    {
        if (_host.IsServer)
        {
            return;
        }

        NetworkAddress remote = _host.PreferredAddress(Networks.Active.Remote.IsIPv4);
        if (!remote.IsNone && remote != Networks.Active.Remote)
        {
            // An address of ours that nobody asked for is the machine's choice on the way there as well.
            NetworkAddress local = Networks.Active.IsLocalLearned ? Networks.Active.Local.Unspecified : Networks.Active.Local;
            _ = TryProbe(local, remote, now, isSearch: false, out _);
        }
    }

    public void OnValidated(Network network, long now)
    {
        if (network is { IsSearch: true, Local.IsUnspecified: true })
        {
            // It was answered at no other address than the one in use: the machine knows no other way.
            Networks.Remove(network);
        }
        else if (network.ActivateWhenValidated)
        {
            network.ActivateWhenValidated = false;
            Network previous = Networks.Active;
            Activate(network, now);
            Networks.RemoveOlderAttempts(network);
            if (previous != network)
            {
                previous.IsLeft = true;
                _isMoving = true;
                Deadline = long.MaxValue;
            }
        }
        else if (network == Networks.Active && Fallback is { } left)
        {
            // The move was real: nothing goes by the old network any more, and its id is given back.
            Fallback = null;
            Networks.Remove(left);
            Networks.RemoveFailed();
        }
    }

    public void OnFailed(Network network, long now)
    {
        if (network != Networks.Active)
        {
            // A network that was left and does not answer confirms the move; it stays until the new one is validated.
            if (network != Fallback)
            {
                Networks.Remove(network);
            }

            return;
        }

        if (network.IsValidated)
        {
            // The address is good; lost answers alone are no reason to give the peer up: a network that was left and came
            // back needs no other proof. Whether 1200 bytes pass (RFC 9000 section 8.2.1) is asked again.
            if (network.LacksSizeProof && !HasFailedSizeProofs(network))
            {
                Validate(network, now);
            }
            else if (network.LacksSizeProof)
            {
                _host.OnPathFailed(_path, "the path does not carry 1200 bytes", now);
            }

            return;
        }

        if (Fallback is { } back)
        {
            Fallback = null;
            Activate(back, now);
            if (back.Validation.State == PathValidationState.Succeeded)
            {
                Networks.Remove(network);
            }

            // Where the way back did not answer either, the move may have been real: a peer that is heard from there again,
            // behind yet another port of its NAT, is answered with the id that this network has. There may be no other.
            return;
        }

        // RFC 9000 section 9.3.2: without any validated network the connection is given up in silence.
        _host.OnPathFailed(_path, "no path to the peer was validated", now);
    }

    /// <summary>
    /// Datagrams of 1200 bytes are what all else relies on: a network that lets smaller ones through but never those cannot
    /// carry QUIC. One that lets nothing through says nothing of its size, and is a matter of the idle timeout.
    /// </summary>
    private static bool HasFailedSizeProofs(Network network)
    {
        if (network.PacketsReceived == network.HeardWhenAsked)
        {
            network.SilentValidations = Math.Min(network.SilentValidations + 1, Limits.MaxSilentValidations);
            return false;
        }

        network.SilentValidations = 0;
        return ++network.FailedSizeProofs == Limits.MaxFailedSizeProofs;
    }

    /// <summary>
    /// Client: the way in use is in doubt. Where nobody asked for its address of ours, the machine is asked which way it would take now: a
    /// challenge goes without a source, and if it is answered at another address, the connection moves there (RFC 9000 section 9.2).
    /// </summary>
    public void SearchRoute(long now)
    {
        Network active = Networks.Active;
        if (_host.IsServer || !active.IsLocalLearned || _path.Validation.IsSearching)
        {
            return;
        }

        // Before the handshake is confirmed, and where the server forbids it or gave no id to spare, nobody may move on purpose; but what
        // has no address any more is sent from whichever there is, and to the peer it is a NAT that chose another (RFC 9000 section 9.3).
        if (!_host.IsHandshakeConfirmed
            || _host.IsMigrationForbidden(active.Remote)
            || !TryProbe(active.Local.Unspecified, active.Remote, now, isSearch: true, out _))
        {
            active.ForgetLocal();
        }
    }

    private bool TryProbe(in NetworkAddress local, in NetworkAddress remote, long now, bool isSearch, out int networkId)
    {
        networkId = -1;
        if (Networks.AddForProbing(local, remote, isSearch) is not { } network)
        {
            return false;
        }

        networkId = network.Id;
        network.ActivateWhenValidated = true;

        // A client need not fear to be an amplifier: it chose the address itself (RFC 9000 section 8.2).
        network.Amplification.Validate();
        Validate(network, now);
        return true;
    }

    /// <summary>The networks that we left are given up, and their ids with them.</summary>
    public void HandleTimeout(long now)
    {
        if (now >= Deadline)
        {
            FinishMove();
        }
    }

    /// <summary>
    /// Client: the peer sends by the network that we moved to. The id of the one that we left is given back only some time later: a peer
    /// that has not validated our new address yet still ties our packets to the old one, and picoquic then takes RETIRE_CONNECTION_ID for
    /// one that names the id of the packet that carries it (RFC 9000 section 19.16). Where its answer to our challenge was lost, that takes
    /// it some probe timeouts more. A peer whose ids are all in use replaces none before it gets one back.
    /// </summary>
    private void OnNonProbingPacketWhileMoving(Network network, long now)
    {
        bool hasFollowed = Deadline != long.MaxValue;
        if (network == Networks.Active ? !_isMoving || hasFollowed : !network.IsLeft || !hasFollowed)
        {
            return;
        }

        // A peer that comes back to where we were, as picoquic does when it hears a late answer from there, is still received there.
        Deadline = now + (LeavePeriods * _path.Recovery.ProbeTimeoutPeriod);
        if (network == Networks.Active && _path.RemoteIds.AvailableCount == 0)
        {
            FinishMove();
        }
    }

    private void FinishMove()
    {
        _isMoving = false;
        Deadline = long.MaxValue;
        Networks.RemoveLeft();
    }

    private void Validate(Network network, long now) => _path.Validation.Validate(network, now);

    private void Activate(Network network, long now)
    {
        Networks.Active = network;
        network.ReportedMtu = 0;
        _path.Recovery.Activate(network.Transmission, now);
        _host.OnNetworkChanged(_path, now);
        Networks.Report(network, PathChange.Active);
    }
}
