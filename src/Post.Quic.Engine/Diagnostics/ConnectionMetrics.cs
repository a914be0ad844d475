using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Paths;

namespace Post.Quic.Engine.Diagnostics;

/// <summary>
/// One connection's part in the metrics: its owner tells of its few turning points, and its counters are read when
/// somebody collects. Calls come under the connection's gate, but for <see cref="Read"/>.
/// </summary>
internal sealed class ConnectionMetrics
{
    private readonly EngineMetrics _metrics;
    private readonly StatisticsTotals _totals;
    private readonly bool _isServer;
    private readonly Func<ConnectionStatistics> _statistics;
    private ConnectionStatisticsBox? _final;
    private readonly HashSet<uint> _further = [];
    private long _openedAt;
    private bool _opened;
    private bool _closed;

    public ConnectionMetrics(
        EngineMetrics metrics, StatisticsTotals totals, bool isServer, Func<ConnectionStatistics> statistics)
    {
        _metrics = metrics;
        _totals = totals;
        _isServer = isServer;
        _statistics = statistics;
        totals.Add(this);
    }

    /// <summary>The handshake is complete.</summary>
    public void Opened(long now, long handshakeMicroseconds)
    {
        _opened = true;
        _openedAt = now;
        _metrics.OnOpened(_isServer, handshakeMicroseconds);
    }

    /// <summary>The connection is over for its application, before or after it was open.</summary>
    public void Closed(long now, in ConnectionCloseInfo info)
    {
        if (_closed)
        {
            return;
        }

        _closed = true;
        if (_opened)
        {
            _metrics.OnClosed(_isServer, now - _openedAt, info);
        }
        else
        {
            _metrics.OnHandshakeFailed(_isServer, info);
        }
    }

    /// <summary>New data goes by another path than before.</summary>
    public void Migrated() => _metrics.OnMigrated(_isServer);

    /// <summary>Something happened to a path.</summary>
    public void PathChanged(in PathEvent change)
    {
        switch (change.Change)
        {
            case PathChange.Validated when change.PathId != 0 && _further.Add(change.PathId):
                _metrics.OnPathOpened(_isServer);
                break;
            case PathChange.Abandoned:
                _metrics.OnPathAbandoned(_isServer, change.Statistics.EndCode ?? 0);
                if (_further.Remove(change.PathId))
                {
                    _metrics.OnFurtherPathEnded(_isServer);
                }

                break;
            case PathChange.Standing when change.Statistics.State == PathState.Suspect:
                _metrics.OnPathSuspected(_isServer);
                break;
        }
    }

    /// <summary>Nothing is counted any more: these numbers stay in the totals, and the connection can be forgotten.</summary>
    public void Retire(in ConnectionStatistics final)
    {
        foreach (uint _ in _further)
        {
            _metrics.OnFurtherPathEnded(_isServer);
        }

        _further.Clear();
        Volatile.Write(ref _final, new ConnectionStatisticsBox(final));
        _totals.Retire(this, final);
    }

    /// <summary>The counters now. Called by collectors on their threads, also a moment after <see cref="Retire"/>.</summary>
    internal ConnectionStatistics Read() => Volatile.Read(ref _final) is { } final ? final.Value : _statistics();

    private sealed record ConnectionStatisticsBox(ConnectionStatistics Value);
}
