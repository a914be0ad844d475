using System.Net;
using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets.Paths;

/// <summary>
/// Decides which paths an association has: follows the machine's interfaces, opens paths, keeps them ready and gives them up; or moves the one
/// path where there can be only one. It does nothing itself and reads no clock: what happens comes in with its time, and what is to be done
/// goes out by <see cref="TryTake"/>. Everything is decided anew after each input, so no order of inputs can leave it with a stale plan.
/// </summary>
internal sealed class PathManager(MultipathPolicy policy, Local local)
{
    /// <summary>One in use, and one ready.</summary>
    private const int PathsOfHandover = 2;

    /// <summary>Paths opened at the same time: the best way, and the next best in case it does not answer.</summary>
    private const int OpeningsAtATime = 2;

    /// <summary>
    /// When the one path is lost, how long a way has before the next is tried beside it: as between candidate addresses (RFC 8305 section 5).
    /// </summary>
    private static readonly TimeSpan MoveHeadStart = TimeSpan.FromMilliseconds(250);

    /// <summary>Failures after which a way makes room for others that may work.</summary>
    private const int FailuresToStepBack = 2;

    /// <summary>A path whose interface is down keeps its place so long: a wireless link that roams is back before.</summary>
    private static readonly TimeSpan DownPatience = TimeSpan.FromSeconds(5);

    /// <summary>Where the transport does not give a path up, since it knows of no other that works, it is asked again after so long.</summary>
    private static readonly TimeSpan ClosePause = TimeSpan.FromSeconds(1);

    /// <summary>A path that does not answer is given up after so long, and tried anew later.</summary>
    private static readonly TimeSpan SilencePatience = TimeSpan.FromSeconds(30);

    private readonly WayFinder _finder = new(local);
    private readonly FlapGuard _flaps = new();
    private readonly Dictionary<WayKey, WayAttempts> _attempts = [];
    private readonly List<KnownPath> _paths = [];
    private readonly Queue<PathAction> _actions = new();
    private InterfaceSnapshot? _machine;
    private HashSet<string> _up = [];
    private List<Way> _ways = [];
    private IPEndPoint? _remote;
    private IReadOnlyList<IPEndPoint> _further = [];
    private readonly List<WayKey> _moving = [];
    private TimeSpan _movedAt;
    private WayKey? _chosen;
    private bool _isConnected;
    private bool _isClient;
    private bool _hasMultipath;
    private bool _canMove;

    /// <summary>When to call <see cref="OnTimeout"/>; null: not before something else happens.</summary>
    public TimeSpan? NextTimeout { get; private set; }

    /// <summary>Takes the next thing to do.</summary>
    public bool TryTake(out PathAction action) => _actions.TryDequeue(out action);

    /// <summary>There is a connection, whose handshake is complete.</summary>
    /// <param name="isClient">On the side that connected: only it opens and moves paths.</param>
    /// <param name="capabilities">What the connection can do.</param>
    /// <param name="paths">Its paths.</param>
    /// <param name="now">The time.</param>
    public void OnConnected(bool isClient, TransportCapabilities capabilities, IReadOnlyList<PostPath> paths, TimeSpan now)
    {
        Forget();
        _isConnected = true;
        _isClient = isClient;
        _hasMultipath = policy != MultipathPolicy.None && (capabilities & TransportCapabilities.Multipath) != 0;
        _canMove = isClient && (capabilities & TransportCapabilities.Migration) != 0;
        foreach (var path in paths)
        {
            Note(path);
        }

        FindWays();
        Decide(now);
    }

    /// <summary>The connection is lost.</summary>
    public void OnDisconnected()
    {
        Forget();
        _further = [];
        NextTimeout = null;
    }

    /// <summary>The interfaces of the machine are these now.</summary>
    public void OnMachine(InterfaceSnapshot machine, TimeSpan now)
    {
        var up = machine.Interfaces.Where(static one => one.IsUp && one.Addresses.Count > 0).Select(static one => one.Name).ToHashSet();
        foreach (var lost in _up.Except(up))
        {
            _flaps.OnLost(lost, now);
        }

        var before = _ways;
        _up = up;
        _machine = machine;
        FindWays();
        if (!_isConnected && _ways.Exists(way => !before.Exists(other => other.Key == way.Key)))
        {
            _actions.Enqueue(new PathAction(PathActionKind.Reconnect, null, 0));
        }

        Decide(now);
    }

    /// <summary>Something happened to a path.</summary>
    public void OnPath(PostPath path, PostPathChange change, TimeSpan now)
    {
        if (change == PostPathChange.Removed)
        {
            _paths.RemoveAll(one => one.Id == path.Id);
        }
        else if (Note(path) is { } known && change == PostPathChange.Migrated)
        {
            // A move that the application asked for is its choice.
            _chosen = _moving.Contains(known.Key) || _ways.Count == 0 || known.Key == _ways[0].Key ? null : known.Key;
        }

        Decide(now);
    }

    /// <summary>The peer says at which further addresses it can be reached.</summary>
    public void OnPeerAddresses(IReadOnlyList<IPEndPoint> addresses, TimeSpan now)
    {
        _further = addresses;
        FindWays();
        Decide(now);
    }

    /// <summary>What was asked for with <see cref="PathActionKind.Open"/> or <see cref="PathActionKind.Move"/> is done, or failed.</summary>
    public void OnTried(Way way, bool succeeded, TimeSpan now)
    {
        _moving.Remove(way.Key);
        if (succeeded)
        {
            AttemptsOf(way.Key).OnSucceeded();
        }
        else
        {
            AttemptsOf(way.Key).OnFailed(now);
        }

        Decide(now);
    }

    /// <summary>A path could not be closed: no other works any more.</summary>
    public void OnCloseFailed(long pathId, TimeSpan now)
    {
        if (_paths.Find(one => one.Id == pathId) is { } path)
        {
            path.IsClosing = false;
            path.KeptUntil = now + ClosePause;
        }

        Decide(now);
    }

    /// <summary><see cref="NextTimeout"/> has come.</summary>
    public void OnTimeout(TimeSpan now) => Decide(now);

    private void Forget()
    {
        _isConnected = false;
        _paths.Clear();
        _attempts.Clear();
        _actions.Clear();
        _moving.Clear();
        _chosen = null;
    }

    private KnownPath? Note(PostPath path)
    {
        if (path is not { LocalEndPoint: IPEndPoint localEndPoint, RemoteEndPoint: IPEndPoint remote })
        {
            return null;
        }

        var key = WayKey.Of(localEndPoint, remote);
        var known = _paths.Find(one => one.Id == path.Id);
        if (key.Local.Equals(IPAddress.Any) || key.Local.Equals(IPAddress.IPv6Any))
        {
            // The system chooses the source, and has done so by the route that there was.
            key = known?.Key ?? (_machine?.SourceTo(key.Remote.Address) is { } source ? key with { Local = source } : key);
        }

        if (known is null)
        {
            known = new KnownPath(path.Id, key);
            _paths.Add(known);
        }

        known.Key = key;
        known.State = path.State;
        known.IsClosing |= path.State is PostPathState.Abandoned or PostPathState.Removed;
        if (path.State == PostPathState.Active && !key.Remote.Equals(_remote) && (_remote is null || !_hasMultipath))
        {
            _remote = key.Remote;
            FindWays();
        }

        return known;
    }

    private void FindWays()
    {
        _ways = _machine is null || _remote is null
            ? []
            : _finder.Find(_machine, [_remote, .. _further.Select(WayKey.Plain).Where(one => !one.Equals(_remote)).Distinct()]);
        if (_attempts.Count > 2 * (_ways.Count + ProtocolLimits.MaxPeerAddresses))
        {
            foreach (var gone in _attempts.Keys.Where(key => !_attempts[key].IsUnderWay && !_ways.Exists(way => way.Key == key)).ToArray())
            {
                _attempts.Remove(gone);
            }
        }
    }

    private void Decide(TimeSpan now)
    {
        NextTimeout = null;
        if (!_isConnected || _machine is null || _paths.Count == 0)
        {
            return;
        }

        foreach (var path in _paths)
        {
            path.BadSince = IsUsable(path) && path.State is not (PostPathState.Failed or PostPathState.Suspect) ? null : path.BadSince ?? now;
        }

        if (_hasMultipath)
        {
            DecideSeveral(now);
        }
        else if (_canMove)
        {
            DecideOne(now);
        }
    }

    /// <summary>One path: moves it where its address is gone or it is silent, and to a better way that there is.</summary>
    private void DecideOne(TimeSpan now)
    {
        var main = _paths.Find(static one => one.State == PostPathState.Active) ?? _paths[^1];
        var mustMove = main.BadSince is not null;
        _moving.RemoveAll(key => !_ways.Exists(way => way.Key == key));
        if (_moving.Count > 0)
        {
            var headStart = _movedAt + MoveHeadStart - now;
            WakeAfter(mustMove ? headStart : TimeSpan.Zero, now);
            if (!mustMove || headStart > TimeSpan.Zero)
            {
                return;
            }
        }

        if (!mustMove && main.Key == _chosen)
        {
            return;
        }

        // It moves on this side alone. In need, what failed last comes last.
        var ways = _ways.Where(way => way.Remote.Equals(main.Key.Remote));
        foreach (var way in mustMove ? ways.OrderBy(way => AttemptsOf(way.Key).FailedAt) : ways)
        {
            if (way.Key == main.Key)
            {
                if (mustMove)
                {
                    continue;
                }

                return;
            }

            if (!_moving.Contains(way.Key) && IsTimeFor(way, mustMove, now))
            {
                _moving.Add(way.Key);
                _movedAt = now;
                WakeAfter(mustMove ? MoveHeadStart : TimeSpan.Zero, now);
                Begin(PathActionKind.Move, way);
                return;
            }
        }
    }

    private void DecideSeveral(TimeSpan now)
    {
        var isUrgent = !_paths.Exists(Works);
        var wanted = _isClient ? Choose(isUrgent) : [];
        var openings = _attempts.Values.Count(static one => one.IsUnderWay);
        foreach (var way in wanted)
        {
            if (FindPath(way) is null && !AttemptsOf(way.Key).IsUnderWay && (isUrgent || openings < OpeningsAtATime) && IsTimeFor(way, isUrgent, now))
            {
                openings++;
                Begin(PathActionKind.Open, way);
            }
        }

        foreach (var path in _paths)
        {
            if (!path.IsClosing && _paths.Exists(other => other != path && Works(other)) && IsDone(path, wanted, now))
            {
                path.IsClosing = true;
                if (path.State is PostPathState.Failed or PostPathState.Suspect)
                {
                    AttemptsOf(path.Key).OnFailed(now);
                }

                _actions.Enqueue(new PathAction(PathActionKind.Close, null, path.Id));
            }
        }

        if (_isClient)
        {
            Rank(wanted, now);
        }
    }

    /// <summary>The ways that there should be paths over: over each interface first, then to each address of the peer.</summary>
    private List<Way> Choose(bool isUrgent)
    {
        // Where nothing works, all that may work is tried at once, what failed last comes last.
        var most = policy == MultipathPolicy.Handover && !isUrgent ? PathsOfHandover : ProtocolLimits.MaxPaths;
        Way[] ways = [.. isUrgent
            ? _ways.OrderBy(way => AttemptsOf(way.Key) is { IsUnderWay: false } attempts ? attempts.FailedAt : TimeSpan.Zero)
            : _ways.OrderBy(way => FindPath(way) is null && AttemptsOf(way.Key) is { IsUnderWay: false, Failures: >= FailuresToStepBack })];
        var wanted = new List<Way>();
        foreach (var pass in (ReadOnlySpan<Func<Way, Way, bool>>)
            [
                static (way, other) => way.Interface == other.Interface,
                static (way, other) => way.Remote.Equals(other.Remote) && way.Local.Address.Equals(other.Local.Address),
            ])
        {
            foreach (var way in ways)
            {
                if (wanted.Count < most && !wanted.Exists(other => pass(way, other)))
                {
                    wanted.Add(way);
                }
            }
        }

        return wanted;
    }

    /// <summary>Says which paths are for use and which for reserve, so that the peer knows it as well.</summary>
    private void Rank(List<Way> wanted, TimeSpan now)
    {
        var first = wanted.Select(FindPath).FirstOrDefault(path => path is not null && Works(path) && IsSettled(path, now))
            ?? _paths.Find(Works);
        var hasUnmetered = wanted.Exists(way => !way.IsMetered && FindPath(way) is { } path && Works(path));
        foreach (var path in _paths)
        {
            if (path.IsClosing || !path.IsValidated)
            {
                continue;
            }

            var isReserve = path != first
                && (policy == MultipathPolicy.Handover
                    || !IsUsable(path)
                    || (hasUnmetered && wanted.Find(way => way.Key == path.Key) is { IsMetered: true }));
            if (isReserve != path.IsInReserve)
            {
                path.IsInReserve = isReserve;
                _actions.Enqueue(new PathAction(isReserve ? PathActionKind.KeepInReserve : PathActionKind.Use, null, path.Id));
            }
        }
    }

    /// <summary>An interface that flaps is not made the first again before it has held for a while.</summary>
    private bool IsSettled(KnownPath path, TimeSpan now)
    {
        if (!path.IsInReserve || WayFinder.FindInterface(_machine!, path.Key.Local) is not { } one)
        {
            return true;
        }

        var hold = _flaps.HoldOf(one.Name, now);
        WakeAfter(hold, now);
        return hold == TimeSpan.Zero;
    }

    /// <summary>The path is of no more use, while another works.</summary>
    private bool IsDone(KnownPath path, List<Way> wanted, TimeSpan now)
    {
        if (path.KeptUntil > now)
        {
            WakeAfter(path.KeptUntil - now, now);
            return false;
        }

        if (WayFinder.FindInterface(_machine!, path.Key.Local) is null)
        {
            return true;
        }

        if (path.BadSince is { } since)
        {
            var patience = IsUsable(path) ? SilencePatience : DownPatience;
            WakeAfter(since + patience - now, now);
            return now - since >= patience;
        }

        // A better one has taken its place. What the peer opened is the peer's.
        return _isClient
            && path.IsValidated
            && !wanted.Exists(way => way.Key == path.Key)
            && wanted.TrueForAll(way => FindPath(way) is { } other && Works(other));
    }

    private bool Works(KnownPath path) => !path.IsClosing && path.IsValidated && IsUsable(path);

    private bool IsUsable(KnownPath path) => _finder.Has(_machine!, path.Key.Local);

    private bool IsTimeFor(Way way, bool isUrgent, TimeSpan now)
    {
        var wait = AttemptsOf(way.Key).PauseAt(now, isUrgent);
        if (!isUrgent && _flaps.HoldOf(way.Interface, now) is var hold && hold > wait)
        {
            wait = hold;
        }

        WakeAfter(wait, now);
        return wait == TimeSpan.Zero;
    }

    private void WakeAfter(TimeSpan wait, TimeSpan now)
    {
        if (wait > TimeSpan.Zero && (NextTimeout is null || now + wait < NextTimeout))
        {
            NextTimeout = now + wait;
        }
    }

    private void Begin(PathActionKind kind, Way way)
    {
        AttemptsOf(way.Key).IsUnderWay = true;
        _actions.Enqueue(new PathAction(kind, way, 0));
    }

    private KnownPath? FindPath(Way way) => _paths.Find(path => !path.IsClosing && path.Key == way.Key);

    private WayAttempts AttemptsOf(WayKey key)
    {
        if (!_attempts.TryGetValue(key, out var attempts))
        {
            _attempts.Add(key, attempts = new WayAttempts());
        }

        return attempts;
    }
}
