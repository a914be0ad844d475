using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Recovery;

namespace Post.Quic.Engine.Paths;

/// <summary>
/// Decides by which path new data goes (RFC 9000 section 9): follows a peer that moved or whose NAT took another port,
/// moves when our side asks for it, and comes back when the new path does not answer.
/// </summary>
internal sealed class Migration
{
    private readonly ConnectionState _state;

    public Migration(ConnectionState state)
    {
        _state = state;
    }

    /// <summary>
    /// The last validated path, to which we come back if the active one is not validated in time: whoever forges a
    /// source address must not cut the connection off.
    /// </summary>
    public Network? Fallback { get; private set; }

    private PathManager Paths => _state.Paths;

    /// <summary>
    /// A packet with more than probing frames came by a path, and no packet with a higher number was seen: the peer
    /// wants to be reached there (RFC 9000 section 9.3).
    /// </summary>
    public void OnNonProbingPacket(Network path, long now)
    {
        if (path == Paths.Active || !_state.IsServer || !_state.IsHandshakeConfirmed)
        {
            return;
        }

        Network previous = Paths.Active;
        if (previous.IsValidated)
        {
            Fallback = previous;
        }

        Activate(path, now);
        if (path.IsValidated)
        {
            return;
        }

        Validate(path, now);

        // RFC 9000 section 9.3.3: the path that was left is asked too, and at each further move anew: what it answered before tells
        // nothing of this one. If the move was forged, the peer is still there.
        if (Fallback is { } left)
        {
            Validate(left, now);
        }
    }

    /// <summary>Client: tries a path from another local address and moves to it if it works (RFC 9000 section 9.2).</summary>
    public bool TryMigrate(in NetworkAddress local, long now)
    {
        // RFC 9000 section 9: not before the handshake is confirmed, and not if the server asked us not to. Section 18.2:
        // that is said of the address of the handshake, and not of a preferred one.
        if (_state.IsServer
            || !_state.IsHandshakeConfirmed
            || (_state.Peer.DisableActiveMigration && Paths.Active.Remote == _state.Setup.Remote))
        {
            return false;
        }

        // RFC 9000 section 9.5: a peer that is addressed without ids could be followed from one address to the other;
        // that is the peer's choice, made when it took an empty id.
        return TryProbe(local, Paths.Active.Remote, now);
    }

    /// <summary>Client: the handshake is confirmed and the server would rather be elsewhere (RFC 9000 section 9.6).</summary>
    public void FollowPreference(long now)
    {
        if (_state.IsServer || _state.Peer.PreferredAddress is not { } preferred)
        {
            return;
        }

        NetworkAddress remote = Paths.Active.Remote.IsIPv4 ? preferred.IPv4 : preferred.IPv6;
        if (!remote.IsNone && remote != Paths.Active.Remote)
        {
            _ = TryProbe(Paths.Active.Local, remote, now);
        }
    }

    public void OnValidated(Network path, long now)
    {
        if (path.ActivateWhenValidated)
        {
            path.ActivateWhenValidated = false;
            Network previous = Paths.Active;
            Activate(path, now);
            if (previous != path)
            {
                Paths.Remove(previous);
            }
        }
        else if (path == Paths.Active && Fallback is { } left)
        {
            // The move was real: nothing goes by the old path any more, and its id is given back.
            Fallback = null;
            Paths.Remove(left);
            Paths.RemoveFailed();
        }
    }

    public void OnFailed(Network path, long now)
    {
        if (path != Paths.Active)
        {
            // A path that was left and does not answer confirms the move; it stays until the new one is validated.
            if (path != Fallback)
            {
                Paths.Remove(path);
            }

            return;
        }

        if (path.IsValidated)
        {
            // The address is good; lost answers alone are no reason to give the peer up: a path that was left and came
            // back needs no other proof. Whether 1200 bytes pass (RFC 9000 section 8.2.1) is asked again.
            if (path.LacksSizeProof && !HasFailedSizeProofs(path))
            {
                Validate(path, now);
            }
            else if (path.LacksSizeProof)
            {
                _state.Lifecycle.EndSilently(CloseSource.NoViablePath, "the path does not carry 1200 bytes", now);
            }

            return;
        }

        if (Fallback is { } back)
        {
            Fallback = null;
            Activate(back, now);
            if (back.Validation.State == PathValidationState.Succeeded)
            {
                Paths.Remove(path);
            }

            // Where the way back did not answer either, the move may have been real: a peer that is heard from there again,
            // behind yet another port of its NAT, is answered with the id that this path has. There may be no other.
            return;
        }

        // RFC 9000 section 9.3.2: without any validated path the connection is given up in silence.
        _state.Lifecycle.EndSilently(CloseSource.NoViablePath, "no path to the peer was validated", now);
    }

    /// <summary>
    /// Datagrams of 1200 bytes are what all else relies on: a path that lets smaller ones through but never those cannot
    /// carry QUIC. One that lets nothing through says nothing of its size, and is a matter of the idle timeout.
    /// </summary>
    private static bool HasFailedSizeProofs(Network path)
    {
        if (path.PacketsReceived == path.HeardWhenAsked)
        {
            path.SilentValidations = Math.Min(path.SilentValidations + 1, Limits.MaxSilentValidations);
            return false;
        }

        path.SilentValidations = 0;
        return ++path.FailedSizeProofs == Limits.MaxFailedSizeProofs;
    }

    private bool TryProbe(in NetworkAddress local, in NetworkAddress remote, long now)
    {
        if (Paths.AddForProbing(local, remote) is not { } path)
        {
            return false;
        }

        path.ActivateWhenValidated = true;

        // A client need not fear to be an amplifier: it chose the address itself (RFC 9000 section 8.2).
        path.Amplification.Validate();
        Validate(path, now);
        return true;
    }

    private void Validate(Network path, long now) => Paths.Validate(path, now);

    private void Activate(Network path, long now)
    {
        Paths.Active = path;
        _state.Recovery.ActivatePath(path.Transmission, now);
        _state.Monitor.OnRecoveryChanged(now);
        Paths.Report(path, PathChange.Active);
    }
}
