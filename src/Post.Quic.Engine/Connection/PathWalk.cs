using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Lanes;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Paths.Scheduling;
using Post.Quic.Engine.Recovery;
using Post.Quic.Engine.Streams;

namespace Post.Quic.Engine.Connection;

/// <summary>
/// By which path what waits is sent next, and what of it may go by that path. Of the paths that something is bound to, only those count
/// that are as good as any other of them: those that keep for when nothing else works, and those that fell silent, only where there are no
/// better ones. Among them the scheduler chooses.
/// </summary>
internal sealed class PathWalk
{
    private readonly ConnectionState _state;
    private readonly RedundantScheduler _redundant = new();
    private IPathScheduler?[] _schedulers = [];

    public PathWalk(ConnectionState state)
    {
        _state = state;
    }

    /// <summary>By how many paths the packet that is built next goes in all.</summary>
    public int Copies { get; private set; } = 1;

    /// <summary>Bytes that the frames of a packet may take which goes by several paths, so that each of them carries it.</summary>
    public int CopyRoom { get; private set; }

    /// <summary>What the packet may go by, where it goes by several.</summary>
    public PathSet CopyPaths { get; private set; } = PathSet.Any;

    /// <summary>
    /// Several paths: the one for the next datagram with content, for which the lanes are open now whose content it may carry. Null where
    /// nothing may be sent now.
    /// </summary>
    public Path? Choose(long now)
    {
        LaneTable lanes = _state.Lanes;
        lanes.OpenAll();
        Copies = 1;
        if (!_state.FrameWriter.HasContent(Wire.EncryptionLevel.Application, _state.Paths.Main))
        {
            return null;
        }

        if (lanes.IsOnlyDefault)
        {
            return ChooseFor(lanes.Default, now);
        }

        // What the connection itself needs is bound to nothing.
        Lane? lane = _state.FrameWriter.HasOwnContent(_state.Paths.Main) ? lanes.Default : MostUrgent();
        for (; lane is not null; lane = MostUrgent())
        {
            lanes.OpenOnly(lane);
            if (ChooseFor(lane, now) is { } path)
            {
                OpenFor(path, lane);
                return path;
            }

            lane.IsBlocked = true;
        }

        return null;
    }

    /// <summary>One path: opens the lanes whose content may go by it.</summary>
    public void OpenFor(Path only)
    {
        Copies = 1;
        if (_state.Lanes.IsOnlyDefault)
        {
            return;
        }

        foreach (Lane lane in _state.Lanes.All)
        {
            lane.IsOpen = lane.Paths.Allows(only.Id);
        }
    }

    /// <summary>
    /// A path that is silent is to be probed. Opens the lanes that are bound to it and to nothing better, so that the probe carries what is
    /// overdue (RFC 9002 section 6.2.4); all else is repeated by better paths. Returns whether anything waits there.
    /// </summary>
    public bool TryOpenBound(Path path)
    {
        if (_state.Lanes.IsOnlyDefault)
        {
            return false;
        }

        Copies = 1;
        foreach (Lane lane in _state.Lanes.All)
        {
            lane.IsOpen = lane.Paths.Kind is PathSetKind.Only or PathSetKind.AllBut && Candidates.Of(lane.Paths, _state.Paths.Open).Contains(path);
        }

        return _state.Streams.HasDataToSend || _state.Datagrams.HasDataToSend;
    }

    /// <summary>Finds a path for another copy of what was sent.</summary>
    /// <param name="copy">What was sent.</param>
    /// <param name="now">The time.</param>
    /// <param name="path">The path; null where none has room for it now.</param>
    /// <returns>False: there is no other path for it.</returns>
    public bool TryChooseForCopy(PacketCopy copy, long now, out Path? path)
    {
        path = null;
        bool any = false;
        Candidates candidates = Candidates.Of(copy.Paths, _state.Paths.Open);
        foreach (Path one in _state.Paths.Open)
        {
            if (!candidates.Contains(one) || copy.WentBy(one.Id) || Room(one) < copy.Payload.Length)
            {
                continue;
            }

            any = true;
            if (!one.Network.IsHeld
                && (path is null || one.Transmission.Rtt.Smoothed < path.Transmission.Rtt.Smoothed)
                && Ask(one, now, out _) == SendPermission.Allowed)
            {
                path = one;
            }
        }

        if (!any && copy.LastTry is not null && _state.Paths.Find(copy.FirstPath) is { Phase: PathPhase.Open } same && Room(same) >= copy.Payload.Length)
        {
            any = true;
            path = Ask(same, now, out _) == SendPermission.Allowed ? same : null;
        }

        return any;
    }

    /// <summary>Opens what may go by the path that was chosen, along with what it was chosen for.</summary>
    private void OpenFor(Path path, Lane chosen)
    {
        if (Copies > 1)
        {
            // What goes by several paths goes in packets of its own, or whatever rides along would be doubled as well.
            return;
        }

        foreach (Lane lane in _state.Lanes.All)
        {
            Candidates candidates = Candidates.Of(lane.Paths, _state.Paths.Open);
            lane.IsOpen = lane == chosen || (candidates.Contains(path) && Math.Min(lane.Copies, candidates.Count) <= 1);
        }
    }

    private Lane? MostUrgent()
    {
        Lane? first = null;
        SendUrgency least = SendUrgency.Last;
        foreach (Lane lane in _state.Lanes.All)
        {
            if (lane.IsBlocked)
            {
                continue;
            }

            _state.Lanes.OpenOnly(lane);
            bool any = _state.Streams.TryPeekUrgency(out SendUrgency urgency);
            if (_state.Datagrams.TryPeekUrgency(out SendUrgency datagram))
            {
                urgency = any && urgency < datagram ? urgency : datagram;
                any = true;
            }

            if (any && (first is null || urgency < least))
            {
                first = lane;
                least = urgency;
            }
        }

        return first;
    }

    private Path? ChooseFor(Lane lane, long now)
    {
        ReadOnlySpan<Path> open = _state.Paths.Open;
        Candidates candidates = Candidates.Of(lane.Paths, open);
        Copies = 1;
        if (candidates.Count == 0)
        {
            // Where nothing is validated, the handshake and a move that is not proved yet go by the first.
            Path main = _state.Paths.Main;
            return _state.Paths.BestGrade == PathGrade.None && lane.Paths.Allows(main.Id) ? main : null;
        }

        Copies = Math.Min(lane.Copies, candidates.Count);
        CopyPaths = lane.Paths;
        CopyRoom = Copies > 1 ? Math.Max(LeastRoom(open, candidates), NeededRoom()) : int.MaxValue;
        IPathScheduler scheduler = Copies > 1 ? _redundant : SchedulerOf(lane);
        Span<PathView> views = stackalloc PathView[Limits.MaxPaths];
        Span<byte> places = stackalloc byte[Limits.MaxPaths];
        int needed = NeededRoom();
        SendDemand demand = Demand();
        int count = Collect(open, candidates, needed, demand.Kind, views, places, now);
        if (count == 0 && needed != 0)
        {
            // None carries the datagram any more, which is found out in a moment: streams need not wait for that.
            count = Collect(open, candidates, 0, demand.Kind, views, places, now);
        }

        int chosen = count == 0 ? -1 : count == 1 ? (views[0].CanSend ? 0 : -1) : scheduler.Choose(views[..count], demand, now);
        return chosen < 0 ? null : open[places[chosen]];
    }

    /// <summary>Each lane has its own: what it remembers is of the paths that it was shown.</summary>
    private IPathScheduler SchedulerOf(Lane lane)
    {
        if (_schedulers.Length <= lane.Index)
        {
            Array.Resize(ref _schedulers, lane.Index + 1);
        }

        return _schedulers[lane.Index] ??= _state.Settings.PathScheduler();
    }

    private int Collect(
        ReadOnlySpan<Path> open, in Candidates candidates, int needed, SendKind kind, Span<PathView> views, Span<byte> places, long now)
    {
        bool isOwn = kind == SendKind.Repair && !_state.Streams.HasDataToSend && !_state.Datagrams.HasDataToSend;
        int count = 0;
        for (int i = 0; i < open.Length && count < views.Length; i++)
        {
            if (candidates.Contains(open[i]) && !open[i].Network.IsHeld && Room(open[i]) >= needed)
            {
                places[count] = (byte)i;
                views[count++] = View(open[i], now) with { IsInDoubt = kind != SendKind.Bulk && IsInDoubt(open[i], isOwn, now) };
            }
        }

        return count;
    }

    /// <summary>Bytes that the datagram takes which goes first; 0 where streams go first, which fit anywhere.</summary>
    private int NeededRoom()
    {
        if (!_state.Datagrams.TryPeekUrgency(out SendUrgency datagram)
            || (_state.Streams.TryPeekUrgency(out SendUrgency stream) && stream < datagram))
        {
            return 0;
        }

        return Wire.Frames.DatagramFrame.LengthOf(_state.Datagrams.FirstLength, withLength: false);
    }

    private int LeastRoom(ReadOnlySpan<Path> open, in Candidates candidates)
    {
        int least = int.MaxValue;
        foreach (Path path in open)
        {
            least = candidates.Contains(path) ? Math.Min(least, Room(path)) : least;
        }

        return least;
    }

    private int Room(Path path) => _state.DatagramSize(path.Network) - PacketBuilder.Overhead(path.Network);

    private SendDemand Demand()
    {
        bool anyDatagram = _state.Datagrams.TryPeekUrgency(out SendUrgency datagram);
        bool anyStream = _state.Streams.TryPeekUrgency(out SendUrgency stream);

        // What is less urgent than the first comes after it, by whatever path is free then.
        int first = Math.Min(datagram.Class, stream.Class);
        long bytes = _state.Streams.DueUpTo(first) + _state.Datagrams.QueuedBytes;
        if (_state.Streams.HasRepairToSend || _state.Streams.HasControlToSend)
        {
            return new SendDemand(SendKind.Repair, bytes);
        }

        bool isUrgent = (anyDatagram && datagram.Deadline != long.MaxValue) || (anyStream && stream.Deadline != long.MaxValue);
        return new SendDemand(isUrgent ? SendKind.Urgent : SendKind.Bulk, bytes);
    }

    /// <summary>
    /// Without half the round trip of the path by which the acknowledgements come back, be it itself or a faster one.
    /// </summary>
    private long OneWay(Path path)
    {
        long roundTrip = path.Transmission.Rtt.Smoothed;
        Path? carrier = path.Recovery.AckCarrier == path.Id ? path : _state.Paths.Find(path.Recovery.AckCarrier);
        return carrier is { HasNetwork: true } && carrier.Transmission.Rtt.Smoothed < roundTrip
            ? roundTrip - (carrier.Transmission.Rtt.Smoothed / 2)
            : roundTrip / 2;
    }

    /// <summary>Whether the path takes a datagram now; if the pacer holds it back, until when.</summary>
    private SendPermission Ask(Path path, long now, out int size)
    {
        size = _state.DatagramSize(path.Network);
        SendPermission permission = path.Space.CanSend(path.Transmission, size, now);
        if (permission == SendPermission.Pacing)
        {
            path.PacingDeadline = path.Transmission.Pacer.NextSendTime(size, now);
        }

        return permission;
    }

    /// <summary>
    /// Bulk gains nothing from caution: what is lost of it is repaired. What the connection itself needs, credit for the peer above all, follows the peer: it may have found out already that a path is dead.
    /// Content does not: a path that carries none is not heard, however good it is.
    /// </summary>
    private bool IsInDoubt(Path path, bool isOwn, long now) =>
        path.Recovery.ProbeTimeoutCount > 0 || (isOwn && !IsHeard(path, now) && IsAnyHeard(now));

    private bool IsAnyHeard(long now)
    {
        foreach (Path path in _state.Paths.Open)
        {
            if (path.IsUsable && IsHeard(path, now))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsHeard(Path path, long now) => now - path.LastHeard <= path.Recovery.ProbeTimeoutPeriod;

    private PathView View(Path path, long now)
    {
        Transmission transmission = path.Transmission;
        SendPermission permission = Ask(path, now, out int size);
        long readyAt = permission switch
        {
            SendPermission.Allowed => now,
            SendPermission.Pacing => path.PacingDeadline,

            // An acknowledgement opens the window. It may be overdue.
            _ => path.Space.OldestSent + transmission.Rtt.Smoothed,
        };

        return new PathView
        {
            PathId = path.Id,
            CanSend = permission == SendPermission.Allowed,
            ReadyAt = readyAt,
            RoundTrip = transmission.Rtt.Smoothed,
            OneWay = OneWay(path),
            RoundTripVariation = transmission.Rtt.Variation,
            BytesInFlight = transmission.BytesInFlight,
            Window = transmission.Congestion.Window,

            // What was delivered says little of a path that was not asked for more.
            Rate = Math.Max(
                transmission.EstimatedBandwidth,
                transmission.Congestion.Window * 1_000_000 / Math.Max(transmission.Rtt.Smoothed, 1)),
            IsGrowing = transmission.Congestion.InSlowStart,
            DatagramSize = size,
            IsBackup = path.IsBackup,
            IsSuspect = path.Standing != PathStanding.Good,
        };
    }
}
