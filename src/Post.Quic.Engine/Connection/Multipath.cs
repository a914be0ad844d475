using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Connection;

/// <summary>
/// Several paths at once (draft-ietf-quic-multipath-21): which there may be, and how they come and go.
/// </summary>
internal sealed class Multipath
{
    /// <summary>Section 3.4 leaves open what becomes of a path whose end the peer does not confirm: it is forgotten, too, but later.</summary>
    private const int UnansweredPeriods = 12;

    /// <summary>Three probe timeouts, as long as packets may be late.</summary>
    private const int RetentionPeriods = 3;

    private readonly ConnectionState _state;
    private AckFrequencyFrame? _ackFrequency;
    private Path? _leaving;
    private long _leavingAt = long.MaxValue;

    public Multipath(ConnectionState state)
    {
        _state = state;
    }

    private PathTable Paths => _state.Paths;

    private PathLimits Limits => _state.Paths.Limits;

    /// <summary>Both sides announced it and the handshake is complete.</summary>
    public bool IsEnabled => Limits.IsMultipath;

    /// <summary>The handshake is complete: if both sides announced it, further paths can be opened from here on.</summary>
    public void OnHandshakeComplete()
    {
        if (_state.Parameters.OwnMaxPathId is { } own && _state.Peer.InitialMaxPathId is { } peer)
        {
            Limits.Enable(own, peer);
            Provide();
        }
    }

    /// <summary>Client: opens a path from a local address; it is used once it is validated.</summary>
    public PathOpening TryOpen(in NetworkAddress local, in NetworkAddress remote, long now, out uint pathId)
    {
        pathId = 0;
        if (_state.IsServer || !_state.IsHandshakeConfirmed || !IsEnabled)
        {
            return PathOpening.NotPossible;
        }

        // Section 2.2: that is said of the address of the handshake, and not of another of the server's.
        if (_state.Peer.DisableActiveMigration && remote == _state.Setup.Remote)
        {
            return PathOpening.Forbidden;
        }

        if (Paths.FindUnused() is not { } path || Paths.Begin(path, local, remote) is not { } network)
        {
            OnBlocked();
            return PathOpening.Blocked;
        }

        // A client need not fear to be an amplifier: it chose the address itself (RFC 9000 section 8.2).
        network.Amplification.Validate();
        OnBegun(path, network, now);
        pathId = path.Id;
        return PathOpening.Begun;
    }

    /// <summary>
    /// Server: an authentic packet came on a path that was not used before. Null where nothing can be sent on it: then it is as if
    /// the packet had been lost, and the client asks again.
    /// </summary>
    public Network? OnOpenedByPeer(Path path, in DatagramMetadata metadata, ulong localIdSequence, long now)
    {
        if (Paths.Begin(path, metadata.Local, metadata.Remote) is not { } network)
        {
            return null;
        }

        network.LocalIdSequence = localIdSequence;
        OnBegun(path, network, now);
        if (_leaving is { } left)
        {
            // What the peer gave up, it has now replaced.
            _leaving = null;
            _leavingAt = long.MaxValue;
            Abandon(left, 0, now);
            left.OnAbandonedByPeer(RetainedUntil(now));
        }

        return network;
    }

    /// <summary>Gives a path up. False for one that is not there, or the last one that works: that is a matter of closing.</summary>
    public bool TryAbandon(uint pathId, ulong code, long now)
    {
        if (!IsEnabled || Paths.Find(pathId) is not { } path || path.Phase == PathPhase.Abandoned || !IsAnyUsableBeside(path))
        {
            return false;
        }

        Abandon(path, code, now);
        return true;
    }

    /// <summary>Says how a path is to be used. False for one that is not there.</summary>
    public bool TrySetBackup(uint pathId, bool isBackup)
    {
        if (!IsEnabled || Paths.Find(pathId) is not { Phase: not PathPhase.Abandoned } path)
        {
            return false;
        }

        path.OwnStatus.Set(isBackup);
        ReportIfOpen(path, PathChange.Status);
        return true;
    }

    /// <summary>The path reaches the peer no more. Returns false where it was the last.</summary>
    public bool OnPathFailed(Path path, long now)
    {
        // One that never carried anything leaves the others as they are, even where they are not proved at this moment.
        bool isNew = path.Phase == PathPhase.Validating;
        if (!IsEnabled || (isNew ? Paths.Open.Length == 1 : !IsAnyUsableBeside(path)))
        {
            return false;
        }

        Abandon(path, (ulong)TransportErrorCode.PathUnstableOrPoor, now);
        return true;
    }

    /// <summary>A network of a path was validated.</summary>
    public void OnValidated(Path path, long now)
    {
        if (path.Phase == PathPhase.Validating)
        {
            path.Phase = PathPhase.Open;
            path.LastHeard = now;
            path.LocalIds.Fill(_state.Peer.ActiveConnectionIdLimit);
            _state.PathWatch.OnUseChanged();
            _state.PathWatch.OnChanged(path, now);
            foreach (Path other in Paths.Open)
            {
                if (other != path)
                {
                    // From here on paths are compared, and given up for each other: a round trip of long ago, or of a handshake on a machine
                    // with much to do, is no measure for that.
                    other.Recovery.Ping();
                }
            }
        }

        _state.PathSilence.OnUsable();
    }

    /// <summary>ACK_FREQUENCY names no path: it is for all of them, those that come among them.</summary>
    public void OnAckFrequency(in AckFrequencyFrame frame)
    {
        if (_ackFrequency is not { } newest || frame.SequenceNumber > newest.SequenceNumber)
        {
            _ackFrequency = frame;
        }

        foreach (Path path in Paths.Open)
        {
            path.Space.Received.OnAckFrequency(frame);
        }
    }

    /// <summary>When a path is to be forgotten, or the peer has had its time to replace the last.</summary>
    public long NextTimeout
    {
        get
        {
            long next = _leavingAt;
            foreach (Path path in Paths.Known)
            {
                next = Math.Min(next, path.ForgetAt);
            }

            return next;
        }
    }

    public void HandleTimeout(long now)
    {
        if (_leavingAt <= now)
        {
            _leavingAt = long.MaxValue;
            _state.Lifecycle.Fail(new TransportError(TransportErrorCode.NoViablePath, "the last path was given up, and no other opened"), now);
            return;
        }

        if (Paths.Forget(now))
        {
            Provide();
        }
    }

    /// <summary>Section 3.4: the state of a path that both sides gave up is kept for what is still under way.</summary>
    public long RetainedUntil(long now) => now + (RetentionPeriods * Paths.ProbeTimeoutPeriod);

    /// <summary>
    /// The peer gave up the last path that is open (section 3.4). A client opens another between the same addresses; a server waits a moment
    /// for its client to do so, and goes on using what there is until then. False where no other path can be opened.
    /// </summary>
    public bool TryReplaceLast(Path path, long now, out bool isReplaced)
    {
        isReplaced = false;
        if (_leaving == path)
        {
            return true;
        }

        if (Paths.FindUnused() is not { } next)
        {
            return false;
        }

        if (_state.IsServer)
        {
            _leaving = path;
            _leavingAt = RetainedUntil(now);
            return true;
        }

        if (Paths.Begin(next, path.Network.Local, path.Network.Remote) is not { } network)
        {
            return false;
        }

        network.Amplification.Validate();
        OnBegun(next, network, now);
        isReplaced = true;
        return true;
    }

    private void OnBegun(Path path, Network network, long now)
    {
        _state.Parameters.SetAckDelay(path.Recovery);
        if (_ackFrequency is { } frequency)
        {
            path.Space.Received.OnAckFrequency(frequency);
        }

        path.Recovery.OnHandshakeConfirmed(now);
        path.Validation.Validate(network, now);
        _state.PathWatch.OnChanged(path, now);
    }

    public void Abandon(Path path, ulong code, long now)
    {
        bool hadNetwork = path.HasNetwork;
        long period = Paths.ProbeTimeoutPeriod;
        Paths.Abandon(path, code, now + (UnansweredPeriods * period));
        if (hadNetwork)
        {
            // What it holds may still arrive, but need not.
            path.Recovery.GiveBack(datagramsAreLost: false);
            _state.PathWatch.OnUseChanged();
        }
    }

    /// <summary>Another path carries whatever there is.</summary>
    public bool IsAnyUsableBeside(Path path)
    {
        foreach (Path other in Paths.Open)
        {
            if (other != path && other.IsUsable)
            {
                return true;
            }
        }

        return false;
    }

    public static void ReportIfOpen(Path path, PathChange change)
    {
        if (path.HasNetwork)
        {
            path.Networks.Report(path.Network, change);
        }
    }

    /// <summary>Section 3.2.1: connection ids are given for each path that both sides may use, so that the peer can open it.</summary>
    public void Provide()
    {
        _ = Paths.FindOrCreate(Limits.Common);
        foreach (Path path in Paths.Known)
        {
            if (path.Phase == PathPhase.Unused && path.Id <= Limits.Common)
            {
                path.LocalIds.Fill(Bounds.Limits.ConnectionIdsOfUnusedPath);
            }
        }
    }

    private void OnBlocked()
    {
        // Section 3.2.1: no id may be used, or none can be for want of connection ids.
        bool anyUnused = false;
        foreach (Path path in Paths.Known)
        {
            if (path.Phase == PathPhase.Unused && path.Id <= Limits.Common)
            {
                anyUnused = true;
                path.IsBlockedToSend = path.RemoteIds.AvailableCount == 0;
            }
        }

        if (!anyUnused && Limits.Peer <= Limits.Own)
        {
            Limits.OnBlocked();
        }
    }
}
