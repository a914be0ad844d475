using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Paths.Scheduling;
using Post.Quic.Engine.Recovery;

namespace Post.Quic.Engine.Connection;

/// <summary>
/// By which path what waits is sent next. Only paths that are as good as any other are in question: those that keep for when
/// nothing else works, and those that fell silent, only where there are no better ones. Among them the scheduler chooses.
/// </summary>
internal sealed class PathWalk
{
    private readonly ConnectionState _state;
    private IPathScheduler? _scheduler;

    public PathWalk(ConnectionState state)
    {
        _state = state;
    }

    /// <summary>On how many paths each datagram goes.</summary>
    public int Copies => _scheduler?.Copies ?? 1;

    /// <summary>The path for the next datagram with content; null where nothing may be sent now.</summary>
    public Path? Choose(long now)
    {
        ReadOnlySpan<Path> open = _state.Paths.Open;
        PathGrade best = _state.Paths.BestGrade;
        if (best == PathGrade.None)
        {
            // Nothing is validated: the handshake, or a move that is not proved yet, on the first of them.
            return _state.Paths.Main;
        }

        Span<PathView> views = stackalloc PathView[Limits.MaxPaths];
        Span<byte> places = stackalloc byte[Limits.MaxPaths];
        int needed = NeededRoom();
        int count = Collect(open, best, needed, views, places, now);
        if (count == 0 && needed != 0)
        {
            // None carries the datagram any more, which is found out in a moment: streams need not wait for that.
            count = Collect(open, best, 0, views, places, now);
        }

        _scheduler ??= _state.Settings.PathScheduler();
        int chosen = count == 1 ? (views[0].CanSend ? 0 : -1) : _scheduler.Choose(views[..count], Demand(), now);
        return chosen < 0 ? null : open[places[chosen]];
    }

    private int Collect(
        ReadOnlySpan<Path> open, PathGrade grade, int needed, Span<PathView> views, Span<byte> places, long now)
    {
        int count = 0;
        for (int i = 0; i < open.Length && count < views.Length; i++)
        {
            if (open[i].Grade == grade && Room(open[i]) >= needed)
            {
                places[count] = (byte)i;
                views[count++] = View(open[i], now);
            }
        }

        return count;
    }

    /// <summary>The path for another copy of what was sent last; null where none takes it now.</summary>
    public Path? ChooseForCopy(PacketCopies copies, long now)
    {
        PathGrade best = _state.Paths.BestGrade;
        Path? chosen = null;
        foreach (Path path in _state.Paths.Open)
        {
            if (path.Grade == best
                && !copies.WentBy(path)
                && Room(path) >= copies.Payload.Length
                && (chosen is null || path.Transmission.Rtt.Smoothed < chosen.Transmission.Rtt.Smoothed)
                && path.Space.CanSend(path.Transmission, _state.DatagramSize(path.Network), now) == SendPermission.Allowed)
            {
                chosen = path;
            }
        }

        return chosen;
    }

    /// <summary>Bytes that the datagram takes which goes first; 0 where streams go first, which fit anywhere.</summary>
    private int NeededRoom()
    {
        if (!_state.Datagrams.TryPeekUrgency(out Streams.SendUrgency datagram)
            || (_state.Streams.TryPeekUrgency(out Streams.SendUrgency stream) && stream < datagram))
        {
            return 0;
        }

        return Wire.Frames.DatagramFrame.LengthOf(_state.Datagrams.FirstLength, withLength: false);
    }

    private int Room(Path path) => _state.DatagramSize(path.Network) - PacketBuilder.Overhead(path.Network);

    private SendDemand Demand()
    {
        long bytes = _state.Streams.UnsentBytes + _state.Datagrams.QueuedBytes;
        if (_state.Streams.HasRepairToSend || _state.Streams.HasControlToSend)
        {
            return new SendDemand(SendKind.Repair, bytes);
        }

        bool isUrgent = (_state.Datagrams.TryPeekUrgency(out Streams.SendUrgency datagram) && datagram.Deadline != long.MaxValue)
            || (_state.Streams.TryPeekUrgency(out Streams.SendUrgency stream) && stream.Deadline != long.MaxValue);
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

    private PathView View(Path path, long now)
    {
        Transmission transmission = path.Transmission;
        int size = _state.DatagramSize(path.Network);
        SendPermission permission = path.Space.CanSend(transmission, size, now);
        long readyAt = now;
        if (permission == SendPermission.Pacing)
        {
            readyAt = path.PacingDeadline = transmission.Pacer.NextSendTime(size, now);
        }
        else if (permission != SendPermission.Allowed)
        {
            // An acknowledgement opens the window. It may be overdue.
            readyAt = path.Space.OldestSent + transmission.Rtt.Smoothed;
        }

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
