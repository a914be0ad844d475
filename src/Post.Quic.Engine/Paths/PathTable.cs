using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.InFlight;
using Post.Quic.Engine.Recovery;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Paths;

/// <summary>The paths of a connection by their ids.</summary>
internal sealed class PathTable
{
    private readonly IPathHost _host;
    private Path[] _open = [];

    /// <param name="host">The connection.</param>
    /// <param name="local">Our address on the first path, as far as it is known.</param>
    /// <param name="remote">The peer's.</param>
    public PathTable(IPathHost host, in NetworkAddress local, in NetworkAddress remote)
    {
        _host = host;
        First = new Path(0, host);
        _ = First.Open(local, remote);
        _open = [First];
    }

    /// <summary>The path of the handshake. It stays here when it is given up, since the spaces of the handshake are its own.</summary>
    public Path First { get; }

    /// <summary>The paths that packets go by, in the order of their ids.</summary>
    public ReadOnlySpan<Path> Open => _open;

    /// <summary>The largest probe timeout of all paths: what closing, draining, idle and key lifetimes are measured in.</summary>
    public long ProbeTimeoutPeriod
    {
        get
        {
            long period = 0;
            foreach (Path path in _open)
            {
                period = Math.Max(period, path.Recovery.ProbeTimeoutPeriod);
            }

            return period;
        }
    }

    public Path? Find(uint id)
    {
        foreach (Path path in _open)
        {
            if (path.Id == id)
            {
                return path;
            }
        }

        return null;
    }

    /// <summary>
    /// Of the network with the smallest window in use: what is asked of the peer for all paths is what this one needs.
    /// </summary>
    public Transmission Neediest
    {
        get
        {
            Transmission neediest = _open[0].Transmission;
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

    /// <summary>Finds by which path a packet came: the connection id that it was sent to tells.</summary>
    public Path? FindByLocalId(ReadOnlySpan<byte> id, out ulong sequence)
    {
        foreach (Path path in _open)
        {
            if (path.LocalIds.TryFind(id, out sequence))
            {
                return path;
            }
        }

        sequence = 0;
        return null;
    }

    /// <summary>RFC 9000 section 9: a client takes packets from no server address that it does not talk to.</summary>
    public bool IsKnownRemote(in NetworkAddress remote)
    {
        foreach (Path path in _open)
        {
            if (path.Networks.IsKnownRemote(remote))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>RFC 9000 section 10.3.1: does a datagram end in the token of an id in use?</summary>
    public bool IsStatelessReset(ReadOnlySpan<byte> lastBytes)
    {
        bool found = false;
        foreach (Path path in _open)
        {
            found |= path.RemoteIds.IsStatelessReset(lastBytes);
        }

        return found;
    }

    /// <summary>Finds a network with something to say that can only be said over it.</summary>
    public Network? FindWithProbe(long now, out Path? path)
    {
        foreach (Path candidate in _open)
        {
            if (candidate.Networks.FindWithProbe(now) is { } network)
            {
                path = candidate;
                return network;
            }
        }

        path = null;
        return null;
    }

    /// <summary>After the frames of a packet: connection ids that the peer took back are replaced.</summary>
    /// <param name="path">The path that the packet came by.</param>
    /// <param name="network">And the network.</param>
    public void ReplaceRetiredIds(Path path, Network network)
    {
        foreach (Path one in _open)
        {
            one.Networks.ReplaceRetiredIds(one == path ? network : one.Network);
        }
    }

    /// <summary>Frames wait that give connection ids, or give them back.</summary>
    /// <param name="carrier">The path of the packet that could carry them.</param>
    public bool HasConnectionIdsToSend(Path carrier)
    {
        foreach (Path path in _open)
        {
            if (path.LocalIds.HasDataToSend || path.RemoteIds.HasDataToSend(Carrying(carrier, path)))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Writes those frames while they fit.</summary>
    public void WriteConnectionIds(Path carrier, ref WireWriter writer, SentFrameLog log)
    {
        foreach (Path path in _open)
        {
            _ = path.RemoteIds.WriteFrames(ref writer, log, Carrying(carrier, path));
            if (path.LocalIds.HasDataToSend)
            {
                _ = path.LocalIds.WriteFrames(ref writer, log);
            }
        }
    }

    // RFC 9000 section 19.16: an id is not given back in a packet that is sent to it.
    private static ulong Carrying(Path carrier, Path path) =>
        carrier == path ? path.Network.RemoteId.Sequence : ulong.MaxValue;

    /// <summary>PATH_RESPONSE came, by whatever path (RFC 9000 section 8.2.3).</summary>
    public void OnResponse(ulong data, long now)
    {
        foreach (Path path in _open)
        {
            if (path.Networks.TryAnswer(data, now))
            {
                return;
            }
        }
    }

    /// <summary>Nobody ran us for so long.</summary>
    public void OnStall(long duration, long now)
    {
        foreach (Path path in _open)
        {
            path.Recovery.OnStall(duration, now);
            path.Networks.OnStall(now);
        }
    }

    /// <summary>The connection is over: every route goes.</summary>
    public void Withdraw()
    {
        foreach (Path path in _open)
        {
            path.Networks.WithdrawTokens();
            path.LocalIds.RetireAll();
        }
    }

    public void Dispose()
    {
        First.Recovery.Dispose();
        foreach (Path path in _open)
        {
            path.Recovery.Dispose();
        }
    }
}
