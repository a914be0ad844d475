using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Recovery;

namespace Post.Quic.Engine.Paths;

/// <summary>The paths of a connection by their ids, and which of them are of use for what.</summary>
internal sealed class PathTable
{
    private readonly IPathHost _host;
    private Path[] _known;
    private Path[] _open;
    private uint _nextId = 1;
    private ulong _lostBefore;
    private ulong _spuriousBefore;

    /// <param name="host">The connection.</param>
    /// <param name="local">Our address on the first path, as far as it is known.</param>
    /// <param name="remote">The peer's.</param>
    public PathTable(IPathHost host, in NetworkAddress local, in NetworkAddress remote)
    {
        _host = host;
        First = new Path(0, host) { Phase = PathPhase.Open };
        _ = First.Open(local, remote);
        _known = [First];
        _open = _known;
        Limits = new PathLimits();
        Ids = new PathIds(this);
    }

    /// <summary>The path of the handshake. It stays here when it is given up, since the spaces of the handshake are its own.</summary>
    public Path First { get; }

    /// <summary>The paths that packets go by, in the order of their ids; those that are being validated among them.</summary>
    public ReadOnlySpan<Path> Open => _open;

    /// <summary>All of which something is known: those, the ones that only have connection ids, and the ones given up lately.</summary>
    public ReadOnlySpan<Path> Known => _known;

    /// <summary>The connection ids of all paths.</summary>
    public PathIds Ids { get; }

    /// <summary>Up to which id paths may be used, by our word and the peer's.</summary>
    public PathLimits Limits { get; }

    /// <summary>The path that stands for all: of those that were validated, or else of all, the one of the lowest id.</summary>
    public Path Main
    {
        get
        {
            foreach (Path path in _open)
            {
                if (path.Phase == PathPhase.Open)
                {
                    return path;
                }
            }

            return _open.Length != 0 ? _open[0] : First;
        }
    }

    /// <summary>The largest probe timeout of all paths in use: what closing, draining, idle and key lifetimes are measured in.</summary>
    public long ProbeTimeoutPeriod
    {
        get
        {
            long period = Main.Recovery.ProbeTimeoutPeriod;
            foreach (Path path in _open)
            {
                // One that is being validated has measured nothing yet.
                period = path.IsUsable ? Math.Max(period, path.Recovery.ProbeTimeoutPeriod) : period;
            }

            return period;
        }
    }

    /// <summary>
    /// Of the network with the smallest window in use: what is asked of the peer for all paths is what this one needs.
    /// </summary>
    public Transmission Neediest
    {
        get
        {
            Transmission neediest = Main.Transmission;
            foreach (Path path in _open)
            {
                Transmission transmission = path.Transmission;
                if (transmission.Rtt.HasSample && transmission.Congestion.Window < neediest.Congestion.Window)
                {
                    neediest = transmission;
                }
            }

            return neediest;
        }
    }

    /// <summary>Packets taken for lost, on paths that were forgotten, too, and how many of them arrived after all.</summary>
    public (ulong Lost, ulong Spurious) Losses
    {
        get
        {
            (ulong lost, ulong spurious) = (_lostBefore, _spuriousBefore);
            foreach (Path path in _known)
            {
                if (path.HasNetwork)
                {
                    lost += path.Recovery.PacketsLost;
                    spurious += path.Recovery.PacketsSpuriouslyLost;
                }
            }

            return (lost, spurious);
        }
    }

    /// <summary>The best grade that any path has.</summary>
    public PathGrade BestGrade
    {
        get
        {
            PathGrade best = PathGrade.None;
            foreach (Path path in _open)
            {
                best = path.Grade < best ? path.Grade : best;
            }

            return best;
        }
    }

    /// <summary>Several paths are open, be it that only one of them is validated.</summary>
    public bool AreSeveral => _open.Length > 1;

    public Path? Find(uint id)
    {
        foreach (Path path in _known)
        {
            if (path.Id == id)
            {
                return path;
            }
        }

        return null;
    }

    /// <summary>
    /// The path of a frame that speaks of one, known from here on if its id was not used before. Null for one that was forgotten:
    /// the frame is ignored (draft-ietf-quic-multipath-21 section 4).
    /// </summary>
    /// <param name="id">At most our limit; the caller has checked that.</param>
    public Path? FindOrCreate(uint id)
    {
        while (_nextId <= id)
        {
            Add(new Path(_nextId++, _host));
        }

        return Find(id);
    }

    /// <summary>The unused path of the lowest id for which both sides have given connection ids.</summary>
    public Path? FindUnused()
    {
        foreach (Path path in _known)
        {
            if (path.Phase == PathPhase.Unused && path.Id <= Limits.Common && path.RemoteIds.AvailableCount != 0 && path.LocalIds.ActiveCount != 0)
            {
                return path;
            }
        }

        return null;
    }

    /// <summary>
    /// Gives an unused path its first network. It carries nothing else until it is validated; null where the peer gave no
    /// connection id to send to.
    /// </summary>
    public Network? Begin(Path path, in NetworkAddress local, in NetworkAddress remote)
    {
        if (!path.RemoteIds.TryTake(out RemoteConnectionId remoteId))
        {
            return null;
        }

        Network network = path.Open(local, remote);
        network.RemoteId = remoteId;
        path.Phase = PathPhase.Validating;
        Arrange();
        path.Ids.AnnounceToken(network);
        path.Networks.Report(network, PathChange.Added);
        return network;
    }

    /// <summary>The path has been given up by one side or both: it is forgotten in time, and nothing goes by it any more.</summary>
    public void Abandon(Path path, ulong code, long forgetAt)
    {
        path.Abandon(code, forgetAt);
        Arrange();
        if (path.HasNetwork)
        {
            path.Networks.Report(path.Network, PathChange.Abandoned);
        }
    }

    /// <summary>Forgets the abandoned paths whose time has come. Returns whether there were any.</summary>
    public bool Forget(long now)
    {
        bool any = false;
        for (int i = _known.Length - 1; i >= 0; i--)
        {
            Path path = _known[i];
            if (path.ForgetAt > now)
            {
                continue;
            }

            _known = [.. _known[..i], .. _known[(i + 1)..]];
            path.LocalIds.RetireAll();
            if (path.HasNetwork)
            {
                path.Recovery.Abandon(now);
                _lostBefore += path.Recovery.PacketsLost;
                _spuriousBefore += path.Recovery.PacketsSpuriouslyLost;
                path.Networks.RemoveAll();
            }

            Limits.OnForgotten();
            any = true;
        }

        return any;
    }

    /// <summary>RFC 9000 section 9: a client takes packets from no server address that it does not talk to.</summary>
    public bool IsKnownRemote(in NetworkAddress remote)
    {
        foreach (Path path in _known)
        {
            if (path.HasNetwork && path.Networks.IsKnownRemote(remote))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Finds a network with something to say that can only be said over it.</summary>
    public Network? FindWithProbe(long now, out Path? path)
    {
        foreach (Path candidate in _open)
        {
            if (candidate.Validation.FindWithProbe(now) is { } network)
            {
                path = candidate;
                return network;
            }
        }

        path = null;
        return null;
    }

    /// <summary>
    /// By which path what came on <paramref name="path"/> is acknowledged: by itself, where it was just heard; by another while
    /// it may not be sent on, and by one that is more than twice as fast and was heard lately, too. A path that fell silent must
    /// not take the acknowledgements of the others with it.
    /// </summary>
    public Path AcknowledgedBy(Path path, long now)
    {
        if (_open.Length <= 1)
        {
            return Main;
        }

        bool itself = path.IsUsable;
        Path best = path;
        long least = itself ? path.Transmission.Rtt.Smoothed / 2 : long.MaxValue;
        foreach (Path other in _open)
        {
            long roundTrip = other.Transmission.Rtt.Smoothed;
            bool isHeard = !itself || now - other.LastHeard <= other.Recovery.ProbeTimeoutPeriod;
            if (other.IsUsable && other.Standing == PathStanding.Good && isHeard && roundTrip < least)
            {
                best = other;
                least = roundTrip;
            }
        }

        return best.Phase == PathPhase.Open ? best : Main;
    }

    /// <summary>
    /// Asks the peer for a sign of life on each path. Each is kept open by itself: a NAT forgets one that is not used, and its peer learns
    /// only from what comes by it where it is now.
    /// </summary>
    public void Ping()
    {
        foreach (Path path in _open)
        {
            if (path.Phase == PathPhase.Open)
            {
                path.Recovery.Ping();
            }
        }
    }

    /// <summary>The socket of a local address is full, or has room again.</summary>
    public void Hold(in NetworkAddress local, bool isFull)
    {
        foreach (Path path in _known)
        {
            foreach (Network? network in path.HasNetwork ? path.Networks.All : [])
            {
                if (network is not null && network.Local.IsSameSocket(local))
                {
                    network.IsHeld = isFull;
                }
            }
        }
    }

    /// <summary>PATH_RESPONSE came, by whatever path (RFC 9000 section 8.2.3).</summary>
    public void OnResponse(ulong data, long now)
    {
        foreach (Path path in _open)
        {
            if (path.Validation.TryAnswer(data, now))
            {
                return;
            }
        }
    }

    /// <summary>The process did not run for so long.</summary>
    public void OnStall(long duration, long now)
    {
        foreach (Path path in _open)
        {
            path.Recovery.OnStall(duration, now);
            path.Validation.OnStall(now);
        }
    }

    /// <summary>The connection is over: every route goes.</summary>
    public void Withdraw()
    {
        foreach (Path path in _known)
        {
            path.LocalIds.RetireAll();
            if (path.HasNetwork)
            {
                path.Ids.WithdrawTokens();
            }
        }

        if (Find(0) is null)
        {
            First.LocalIds.RetireAll();
        }
    }

    public void Dispose()
    {
        First.Recovery.Dispose();
        foreach (Path path in _known)
        {
            if (path.HasNetwork)
            {
                path.Recovery.Dispose();
            }
        }
    }

    private void Add(Path path)
    {
        _known = [.. _known, path];
        Arrange();
    }

    private void Arrange() =>
        _open = Array.FindAll(_known, static path => path.Phase is PathPhase.Validating or PathPhase.Open);
}
