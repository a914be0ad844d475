using Post.Quic.Engine.InFlight;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Connection;

/// <summary>
/// The frames of draft-ietf-quic-multipath-21: reads each and hands it on, and writes those that wait, into packets of whatever path
/// there is.
/// </summary>
internal sealed class MultipathFrames
{
    private const int LargestFrame = 4 + (2 * VarInt.MaxLength);

    private readonly ConnectionState _state;

    public MultipathFrames(ConnectionState state)
    {
        _state = state;
    }

    /// <summary>A frame waits to be sent by any path.</summary>
    public bool HasDataToSend
    {
        get
        {
            if (!_state.Multipath.IsEnabled)
            {
                return false;
            }

            bool any = _state.Paths.Limits.HasDataToSend;
            foreach (Path path in _state.Paths.Known)
            {
                any |= path.AbandonToSend || path.OwnStatus.IsPending || path.IsBlockedToSend;
            }

            return any;
        }
    }

    public TransportError Handle(ulong type, ref FrameReader frames, in ReceivedPacket packet)
    {
        PathStatements statements = _state.PathStatements;
        switch (type)
        {
            case FrameType.PathAbandon:
                return PathAbandonFrame.TryParse(ref frames.Body, out PathAbandonFrame abandon)
                    ? statements.OnAbandon(abandon, _state.Now)
                    : frames.Malformed();
            case FrameType.PathStatusBackup or FrameType.PathStatusAvailable:
                return PathStatusFrame.TryParse(type, ref frames.Body, out PathStatusFrame status)
                    ? statements.OnStatus(status)
                    : frames.Malformed();
            case FrameType.NewConnectionId or FrameType.PathNewConnectionId:
                return NewConnectionIdFrame.TryParse(type, ref frames.Body, out NewConnectionIdFrame issued)
                    ? statements.OnNewConnectionId(issued)
                    : frames.Malformed();
            case FrameType.RetireConnectionId or FrameType.PathRetireConnectionId:
                return RetireConnectionIdFrame.TryParse(type, ref frames.Body, out RetireConnectionIdFrame retired)
                    ? statements.OnRetireConnectionId(retired, packet)
                    : frames.Malformed();
            case FrameType.MaxPathId:
                return MaxPathIdFrame.TryParse(ref frames.Body, out MaxPathIdFrame limit)
                    ? statements.OnMaxPathId(limit)
                    : frames.Malformed();
            case FrameType.PathsBlocked:
                return PathsBlockedFrame.TryParse(ref frames.Body, out PathsBlockedFrame blocked)
                    ? statements.OnPathsBlocked(blocked)
                    : frames.Malformed();
            default:
                return PathConnectionIdsBlockedFrame.TryParse(ref frames.Body, out PathConnectionIdsBlockedFrame lacking)
                    ? statements.OnConnectionIdsBlocked(lacking)
                    : frames.Malformed();
        }
    }

    /// <summary>Writes what waits while it fits.</summary>
    /// <param name="writer">The room for frames.</param>
    /// <param name="log">Of the packet's space.</param>
    /// <param name="carrier">The path of the packet: what gives a path up does not go by it.</param>
    public void Write(ref WireWriter writer, SentFrameLog log, Path carrier)
    {
        PathLimits limits = _state.Paths.Limits;
        if (limits.IsMaxPending && writer.Remaining >= LargestFrame)
        {
            new MaxPathIdFrame(limits.Own).Write(ref writer);
            log.Record(SentFrame.OfPath(SentFrameKind.MaxPathId, 0, limits.Own));
            limits.OnMaxSent();
        }

        if (limits.IsBlockedPending && writer.Remaining >= LargestFrame)
        {
            new PathsBlockedFrame(limits.Peer).Write(ref writer);
            log.Record(SentFrame.OfPath(SentFrameKind.PathsBlocked, 0, limits.Peer));
            limits.OnBlockedSent();
        }

        foreach (Path path in _state.Paths.Known)
        {
            Write(path, ref writer, log, carrier);
        }
    }

    /// <summary>One of these frames was lost: what still matters is said again.</summary>
    public void OnLost(in SentFrame frame)
    {
        PathLimits limits = _state.Paths.Limits;
        if (frame.Kind == SentFrameKind.MaxPathId)
        {
            limits.OnMaxLost(frame.Id);
        }
        else if (frame.Kind == SentFrameKind.PathsBlocked)
        {
            limits.OnBlockedLost(frame.Id);
        }
        else if (_state.Paths.Find(frame.PathId) is { } path)
        {
            switch (frame.Kind)
            {
                case SentFrameKind.PathAbandon:
                    path.AbandonToSend = true;
                    break;
                case SentFrameKind.PathStatus:
                    path.OwnStatus.OnLost(frame.Id);
                    break;
                default:
                    path.IsBlockedToSend = path.Phase == PathPhase.Unused && path.RemoteIds.AvailableCount == 0;
                    break;
            }
        }
    }

    private static void Write(Path path, ref WireWriter writer, SentFrameLog log, Path carrier)
    {
        if (path.AbandonToSend && path != carrier && writer.Remaining >= LargestFrame)
        {
            new PathAbandonFrame(path.Id, path.AbandonCode).Write(ref writer);
            log.Record(SentFrame.OfPath(SentFrameKind.PathAbandon, path.Id, path.AbandonCode));
            path.AbandonToSend = false;
        }

        if (path.OwnStatus.IsPending && writer.Remaining >= LargestFrame)
        {
            new PathStatusFrame(path.OwnStatus.IsBackup, path.Id, path.OwnStatus.Sequence).Write(ref writer);
            log.Record(SentFrame.OfPath(SentFrameKind.PathStatus, path.Id, path.OwnStatus.Sequence));
            path.OwnStatus.OnSent();
        }

        if (path.IsBlockedToSend && writer.Remaining >= LargestFrame)
        {
            new PathConnectionIdsBlockedFrame(path.Id, path.RemoteIds.Next).Write(ref writer);
            log.Record(SentFrame.OfPath(SentFrameKind.PathConnectionIdsBlocked, path.Id, path.RemoteIds.Next));
            path.IsBlockedToSend = false;
        }
    }
}
