using Post.Quic.Engine.Connection;

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

    /// <summary>Nothing is counted any more: these numbers stay in the totals, and the connection can be forgotten.</summary>
    public void Retire(in ConnectionStatistics final)
    {
        Volatile.Write(ref _final, new ConnectionStatisticsBox(final));
        _totals.Retire(this, final);
    }

    /// <summary>The counters now. Called by collectors on their threads, also a moment after <see cref="Retire"/>.</summary>
    internal ConnectionStatistics Read() => Volatile.Read(ref _final) is { } final ? final.Value : _statistics();

    private sealed record ConnectionStatisticsBox(ConnectionStatistics Value);
}
