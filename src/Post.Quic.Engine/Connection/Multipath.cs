using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Connection;

/// <summary>
/// Several paths at once (draft-ietf-quic-multipath-21): which there may be, how they come and go, and what the peer says of them.
/// </summary>
internal sealed class Multipath
{
    /// <summary>Section 3.4: the state of a path that was given up is kept for three probe timeouts, for what is still under way.</summary>
    private const int RetentionPeriods = 3;

    /// <summary>Microseconds between two signs of life that each path is asked for while none answers.</summary>
    private const long LongestSearchInterval = 2_000_000;

    /// <summary>Section 3.4 leaves open what becomes of a path whose end the peer does not confirm: it is forgotten, too, but later.</summary>
    private const int UnansweredPeriods = 12;

    private readonly ConnectionState _state;
    private AckFrequencyFrame? _ackFrequency;
    private long _searchAt = long.MaxValue;
    private long _searchInterval;

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
            path.LocalIds.Fill(_state.Peer.ActiveConnectionIdLimit);
            _state.PathWatch.OnUseChanged();
            _state.PathWatch.OnChanged(path, now);
            foreach (Path other in Paths.Open)
            {
                if (other == path)
                {
                    continue;
                }

                // There was nowhere else to send what it holds; now there is.
                if (other.Standing != PathStanding.Good)
                {
                    other.Recovery.GiveBack(datagramsAreLost: other.Standing == PathStanding.Failing);
                }

                // From here on paths are compared, and given up for each other: a round trip of long ago, or of a handshake on a machine
                // with much to do, is no measure for that.
                other.Recovery.Ping();
            }
        }
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

    /// <summary>PATH_ABANDON (section 4.2).</summary>
    public TransportError OnAbandon(in PathAbandonFrame frame, long now)
    {
        if (IsBeyondLimit(frame.PathId, out TransportError error))
        {
            return error;
        }

        if (Paths.FindOrCreate((uint)frame.PathId) is not { IsAbandonedByPeer: false } path)
        {
            return TransportError.None;
        }

        path.OnAbandonReceived(frame.ErrorCode);
        long forgetAt = now + (RetentionPeriods * Paths.ProbeTimeoutPeriod);
        if (path.Phase == PathPhase.Abandoned)
        {
            path.OnAbandonedByPeer(forgetAt);
            return TransportError.None;
        }

        // Section 3.4: without another path, be it one that is not validated yet, there is nothing left to connect. That is said on
        // the one that is to go.
        if (path.Phase != PathPhase.Unused && Paths.Open.Length == 1)
        {
            return new TransportError(TransportErrorCode.NoViablePath, "the last path was given up");
        }

        Abandon(path, 0, now);
        path.OnAbandonedByPeer(forgetAt);
        return TransportError.None;
    }

    /// <summary>PATH_STATUS_AVAILABLE or PATH_STATUS_BACKUP (section 4.3).</summary>
    public TransportError OnStatus(in PathStatusFrame frame)
    {
        if (IsBeyondLimit(frame.PathId, out TransportError error))
        {
            return error;
        }

        if (Paths.FindOrCreate((uint)frame.PathId) is { Phase: not PathPhase.Abandoned } path
            && path.PeerStatus.TryTake(frame.SequenceNumber, frame.IsBackup))
        {
            ReportIfOpen(path, PathChange.Status);
        }

        return TransportError.None;
    }

    /// <summary>PATH_NEW_CONNECTION_ID (section 4.4), and NEW_CONNECTION_ID for path 0.</summary>
    public TransportError OnNewConnectionId(in NewConnectionIdFrame frame)
    {
        ulong id = frame.PathId ?? 0;
        if (IsBeyondLimit(id, out TransportError error))
        {
            return error;
        }

        if (Paths.FindOrCreate((uint)id) is not { Phase: not PathPhase.Abandoned } path)
        {
            return TransportError.None;
        }

        // Section 3.2: an id is issued once on a connection, whatever the path.
        foreach (Path other in Paths.Known)
        {
            if (other != path && other.RemoteIds.Contains(frame.ConnectionId))
            {
                return new TransportError(TransportErrorCode.ProtocolViolation, "connection id issued for two paths");
            }
        }

        error = path.RemoteIds.OnNew(frame);
        if (!error.IsError)
        {
            _state.Trace?.ConnectionIdChanged(
                _state.Now, ours: false, frame.SequenceNumber, frame.ConnectionId, retired: false);
            if (path.HasNetwork)
            {
                path.Networks.OnRemoteIdsChanged();
            }

            _state.Events.OnPathCredit();
        }

        return error;
    }

    /// <summary>PATH_RETIRE_CONNECTION_ID (section 4.5), and RETIRE_CONNECTION_ID for path 0.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="packet">The packet that carried it.</param>
    public TransportError OnRetireConnectionId(in RetireConnectionIdFrame frame, in ReceivedPacket packet)
    {
        ulong id = frame.PathId ?? 0;
        if (IsBeyondLimit(id, out TransportError error))
        {
            return error;
        }

        if (Paths.FindOrCreate((uint)id) is not { Phase: not PathPhase.Abandoned } path)
        {
            return TransportError.None;
        }

        return path.LocalIds.OnRetire(frame.SequenceNumber, packet.Path == path ? packet.LocalIdSequence : ulong.MaxValue);
    }

    /// <summary>MAX_PATH_ID (section 4.6).</summary>
    public TransportError OnMaxPathId(in MaxPathIdFrame frame)
    {
        ulong limit = frame.Maximum;
        if (limit > uint.MaxValue || limit < _state.Peer.InitialMaxPathId)
        {
            return new TransportError(TransportErrorCode.ProtocolViolation, "MAX_PATH_ID outside of its bounds");
        }

        if (Limits.RaisePeer((uint)limit))
        {
            Provide();
        }

        return TransportError.None;
    }

    /// <summary>PATHS_BLOCKED (section 4.7): our limit follows the paths that are forgotten; that the peer wants more changes nothing.</summary>
    public TransportError OnPathsBlocked(in PathsBlockedFrame frame)
    {
        _ = IsBeyondLimit(frame.Maximum, out TransportError error);
        return error;
    }

    /// <summary>PATH_CIDS_BLOCKED (section 4.7): ids are given as soon as they may be, so there is nothing to answer.</summary>
    public TransportError OnConnectionIdsBlocked(in PathConnectionIdsBlockedFrame frame)
    {
        if (IsBeyondLimit(frame.PathId, out TransportError error))
        {
            return error;
        }

        return Paths.FindOrCreate((uint)frame.PathId) is { } path && frame.NextSequenceNumber > path.LocalIds.Next
            ? new TransportError(TransportErrorCode.ProtocolViolation, "blocked at a connection id never issued")
            : TransportError.None;
    }

    /// <summary>Section 4: an id above what we announced is PROTOCOL_VIOLATION.</summary>
    public bool IsBeyondLimit(ulong id, out TransportError error)
    {
        error = id > Limits.Own
            ? new TransportError(TransportErrorCode.ProtocolViolation, "path id above the limit")
            : TransportError.None;
        return error.IsError;
    }

    /// <summary>When a path's silence says something new, or one is to be forgotten.</summary>
    public long NextTimeout
    {
        get
        {
            long next = _searchAt;
            if (!IsEnabled)
            {
                return next;
            }

            bool several = Paths.Open.Length > 1;
            foreach (Path path in Paths.Known)
            {
                next = Math.Min(next, path.ForgetAt);
                if (several && path.Phase == PathPhase.Open)
                {
                    next = Math.Min(next, path.NextJudgement);
                }
            }

            return next;
        }
    }

    public void HandleTimeout(long now)
    {
        if (!IsEnabled)
        {
            return;
        }

        if (Paths.Forget(now))
        {
            Provide();
        }

        if (Paths.Open.Length > 1)
        {
            foreach (Path path in Paths.Open)
            {
                JudgeSilence(path, now);
            }
        }

        Search(now);
    }

    /// <summary>Something was acknowledged on a path, or its time is up: is it still good for anything?</summary>
    public void JudgeSilence(Path path, long now)
    {
        if (!IsEnabled || path.Phase != PathPhase.Open)
        {
            return;
        }

        PathStanding before = path.Standing;
        if (path.JudgeSilence(now) && IsAnyUsableBeside(path))
        {
            path.Recovery.GiveBack(datagramsAreLost: path.Standing == PathStanding.Failing);
        }

        if (path.Standing != before)
        {
            Search(now);
            _state.PathWatch.OnUseChanged();
            path.Networks.Report(path.Network, PathChange.Standing);
        }
    }

    /// <summary>
    /// While every path is silent, each is asked from time to time, at random: the back-off of the probe timeouts would find out late
    /// that one of them works again, and can fall into step with periodic outages. One small packet for each path; what the window holds back
    /// stays back.
    /// </summary>
    private void Search(long now)
    {
        if (!Paths.AreSeveral || Paths.BestGrade is not (PathGrade.Suspect or PathGrade.Failing))
        {
            _searchAt = long.MaxValue;
            return;
        }

        if (_searchAt == long.MaxValue)
        {
            _searchInterval = 2 * Paths.ProbeTimeoutPeriod;
        }
        else if (_searchAt <= now)
        {
            _searchInterval = Math.Min(_searchInterval * 2, LongestSearchInterval);
            foreach (Path path in Paths.Open)
            {
                path.Recovery.ProbeNow(now);
            }
        }
        else
        {
            return;
        }

        _searchAt = now + (_searchInterval / 2) + (long)_state.Random.NextUInt64((ulong)_searchInterval);
    }

    private void OnBegun(Path path, Network network, long now)
    {
        _state.Parameters.SetAckDelay(path.Recovery);
        if (_ackFrequency is { } frequency)
        {
            path.Space.Received.OnAckFrequency(frequency);
        }

        path.Recovery.OnHandshakeConfirmed(now);
        path.Networks.Validate(network, now);
        _state.PathWatch.OnChanged(path, now);
    }

    private void Abandon(Path path, ulong code, long now)
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

    private bool IsAnyUsableBeside(Path path)
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

    private static void ReportIfOpen(Path path, PathChange change)
    {
        if (path.HasNetwork)
        {
            path.Networks.Report(path.Network, change);
        }
    }

    /// <summary>Section 3.2.1: connection ids are given for each path that both sides may use, so that the peer can open it.</summary>
    private void Provide()
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
