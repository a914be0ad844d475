using System.Net;
using Post.Sockets.Paths;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Paths;

/// <summary>
/// A path manager with a machine and a connection that are played: interfaces come and go, attempts succeed after a while where their way
/// works, and time passes in steps.
/// </summary>
internal sealed class ManagerWorld
{
    public static readonly IPEndPoint Server = new(IPAddress.Parse("198.51.100.1"), 4433);

    private static readonly TimeSpan RoundTrip = TimeSpan.FromMilliseconds(20);

    private readonly PathManager _manager;
    private readonly TransportCapabilities _capabilities;
    private readonly Dictionary<string, HostInterface> _interfaces = [];
    private readonly HashSet<string> _silent = [];
    private readonly List<(TimeSpan Due, Way Way, bool IsMove)> _attempts = [];
    private readonly List<PostPath> _paths = [];
    private string? _route;
    private long _nextId = 1;

    public ManagerWorld(
        MultipathPolicy policy = MultipathPolicy.Handover,
        bool multipath = true,
        Local? local = null)
    {
        _manager = new PathManager(policy, local ?? Local.Anonymous);
        _capabilities = TransportCapabilities.Paths | TransportCapabilities.Migration
            | (multipath ? TransportCapabilities.Multipath : TransportCapabilities.None);
    }

    public TimeSpan Now { get; private set; }

    public List<PathAction> Done { get; } = [];

    public IReadOnlyList<PostPath> Paths => _paths;

    /// <summary>The interfaces of paths that carry something now, in order.</summary>
    public string[] Working => [.. _paths.Where(path => path.State is PostPathState.Active or PostPathState.Standby && IsAlive(path))
        .Select(path => NameOf(((IPEndPoint)path.LocalEndPoint!).Address)!).Order()];

    /// <summary>The transport gives no path up.</summary>
    public bool KeepsPaths { get; set; }

    public HashSet<long> Reserve { get; } = [];

    public bool HasWay => _interfaces.Values.Any(one => one.IsUp && one.Addresses.Count > 0 && !_silent.Contains(one.Name));

    /// <summary>An interface with an address and a default route; the first one is what the machine would choose.</summary>
    public void Plug(string name, string address, bool metered = false)
    {
        _interfaces[name] = new HostInterface
        {
            Name = name,
            IsUp = true,
            Addresses = [IPAddress.Parse(address)],
            Routes = [IPNetwork.Parse("0.0.0.0/0")],
            IsMetered = metered,
        };
        _route ??= name;
        Tell();
    }

    public void Unplug(string name)
    {
        _interfaces.Remove(name);
        Tell();
    }

    public void SetUp(string name, bool up)
    {
        _interfaces[name] = _interfaces[name] with { IsUp = up };
        Tell();
    }

    public void Route(string name)
    {
        _route = name;
        Tell();
    }

    /// <summary>What goes by the interface is lost from now on, and the machine does not know.</summary>
    public void Silence(string name, bool silent = true)
    {
        if (silent ? !_silent.Add(name) : !_silent.Remove(name))
        {
            return;
        }

        foreach (var path in _paths.Where(path => NameOf(((IPEndPoint)path.LocalEndPoint!).Address) == name).ToArray())
        {
            Change(path with { State = silent ? PostPathState.Failed : PostPathState.Active }, PostPathChange.StateChanged);
        }
    }

    public void Connect(string from)
    {
        _paths.Add(Make(0, _interfaces[from].Addresses[0], Server, PostPathState.Active));
        _manager.OnConnected(isClient: true, _capabilities, _paths, Now);
        Carry();
    }

    public void Lose()
    {
        _paths.Clear();
        _attempts.Clear();
        _manager.OnDisconnected();
        Carry();
    }

    public void PeerIsAt(params IPEndPoint[] addresses)
    {
        _manager.OnPeerAddresses(addresses, Now);
        Carry();
    }

    /// <summary>The application moves the path.</summary>
    public void MoveByHand(string to)
    {
        Change(_paths[0] with { LocalEndPoint = new IPEndPoint(_interfaces[to].Addresses[0], 1) }, PostPathChange.Migrated);
    }

    public void RunFor(double milliseconds)
    {
        var until = Now + TimeSpan.FromMilliseconds(milliseconds);
        while (true)
        {
            var due = _manager.NextTimeout ?? TimeSpan.MaxValue;
            var attempt = _attempts.Count == 0 ? TimeSpan.MaxValue : _attempts.Min(one => one.Due);
            var next = due < attempt ? due : attempt;
            if (next > until)
            {
                Now = until;
                return;
            }

            if (next > Now)
            {
                Now = next;
            }

            if (attempt <= Now)
            {
                var one = _attempts.First(item => item.Due == attempt);
                _attempts.Remove(one);
                End(one.Way, one.IsMove);
            }
            else
            {
                _manager.OnTimeout(Now);
                if (_manager.NextTimeout <= Now)
                {
                    throw new InvalidOperationException("the manager asks for a time that has passed");
                }
            }

            Carry();
        }
    }

    private static PostPath Make(long id, IPAddress local, IPEndPoint remote, PostPathState state) => new()
    {
        Id = id,
        LocalEndPoint = new IPEndPoint(local, 50000),
        RemoteEndPoint = remote,
        State = state,
    };

    private string? NameOf(IPAddress address) => _interfaces.Values.FirstOrDefault(one => one.Addresses.Contains(address))?.Name;

    private bool IsAlive(PostPath path) =>
        NameOf(((IPEndPoint)path.LocalEndPoint!).Address) is { } name && _interfaces[name].IsUp && !_silent.Contains(name);

    private void Tell()
    {
        HostInterface[] all = [.. _interfaces.Values];
        var chosen = all.FirstOrDefault(one => one.Name == _route && one.IsUp) ?? all.FirstOrDefault(one => one.IsUp);
        _manager.OnMachine(new InterfaceSnapshot(all, _ => chosen is { Addresses: [var first, ..] } ? first : null), Now);
        Carry();
    }

    private void Change(PostPath path, PostPathChange change)
    {
        var index = _paths.FindIndex(one => one.Id == path.Id);
        if (index < 0)
        {
            return;
        }

        _paths[index] = path;
        _manager.OnPath(path, change, Now);
        Carry();
    }

    private void End(Way way, bool isMove)
    {
        var works = NameOf(way.Local.Address) is { } name && _interfaces[name].IsUp && !_silent.Contains(name) && _paths.Count > 0;
        if (works && isMove)
        {
            Change(_paths[0] with { LocalEndPoint = way.Local, State = PostPathState.Active }, PostPathChange.Migrated);
        }
        else if (works)
        {
            var path = Make(_nextId++, way.Local.Address, way.Remote, PostPathState.Active);
            _paths.Add(path);
            _manager.OnPath(path, PostPathChange.Validated, Now);
        }

        _manager.OnTried(way, works, Now);
    }

    private void Carry()
    {
        while (_manager.TryTake(out var action))
        {
            Done.Add(action);
            switch (action.Kind)
            {
                case PathActionKind.Open or PathActionKind.Move:
                    var lasts = NameOf(action.Way!.Local.Address) is { } name && !_silent.Contains(name) ? RoundTrip : 10 * RoundTrip;
                    _attempts.Add((Now + lasts, action.Way, action.Kind == PathActionKind.Move));
                    break;
                case PathActionKind.Close when KeepsPaths:
                    _manager.OnCloseFailed(action.PathId, Now);
                    break;
                case PathActionKind.Close:
                    var closed = _paths.Single(path => path.Id == action.PathId);
                    _paths.Remove(closed);
                    Reserve.Remove(closed.Id);
                    _manager.OnPath(closed with { State = PostPathState.Removed }, PostPathChange.Removed, Now);
                    break;
                case PathActionKind.KeepInReserve:
                    Reserve.Add(action.PathId);
                    break;
                case PathActionKind.Use:
                    Reserve.Remove(action.PathId);
                    break;
            }
        }
    }
}
