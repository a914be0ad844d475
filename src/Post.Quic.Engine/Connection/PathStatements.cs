using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Connection;

/// <summary>What the peer says of paths (draft-ietf-quic-multipath-21 section 4): checks it, and does what follows from it.</summary>
internal sealed class PathStatements
{
    private readonly ConnectionState _state;

    public PathStatements(ConnectionState state)
    {
        _state = state;
    }

    private Multipath Multipath => _state.Multipath;

    private PathTable Paths => _state.Paths;

    private PathLimits Limits => _state.Paths.Limits;

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
        long forgetAt = Multipath.RetainedUntil(now);
        if (path.Phase == PathPhase.Abandoned)
        {
            path.OnAbandonedByPeer(forgetAt);
            return TransportError.None;
        }

        // Section 3.4: without another path, be it one that is not validated yet, there is nothing left to connect. That is said on
        // the one that is to go.
        if (path.Phase != PathPhase.Unused && Paths.Open.Length == 1)
        {
            if (!Multipath.TryReplaceLast(path, now, out bool isReplaced))
            {
                return new TransportError(TransportErrorCode.NoViablePath, "the last path was given up");
            }

            if (!isReplaced)
            {
                return TransportError.None;
            }
        }

        Multipath.Abandon(path, 0, now);
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
            Multipath.ReportIfOpen(path, PathChange.Status);
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
                path.Ids.OnRemoteIdsChanged();
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
            Multipath.Provide();
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
}
