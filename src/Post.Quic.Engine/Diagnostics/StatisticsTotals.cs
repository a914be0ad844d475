using Post.Quic.Engine.Connection;

namespace Post.Quic.Engine.Diagnostics;

/// <summary>
/// The sum of what all connections have counted, the ended ones included. It is made when a collector asks, and kept
/// for the other instruments of the same collection: 10,000 connections are read once and not ten times.
/// </summary>
internal sealed class StatisticsTotals(TimeProvider time)
{
    private static readonly TimeSpan Freshness = TimeSpan.FromMilliseconds(100);

    private readonly Lock _sync = new();
    private readonly HashSet<ConnectionMetrics> _live = [];
    private ConnectionStatistics _retired;
    private ConnectionStatistics _last;
    private long _lastAt;
    private bool _hasLast;

    public void Add(ConnectionMetrics connection)
    {
        lock (_sync)
        {
            _live.Add(connection);
        }
    }

    public void Retire(ConnectionMetrics connection, in ConnectionStatistics final)
    {
        lock (_sync)
        {
            if (_live.Remove(connection))
            {
                _retired = Sum(_retired, final);
            }
        }
    }

    public ConnectionStatistics Read()
    {
        ConnectionMetrics[] live;
        ConnectionStatistics sum;
        long now = time.GetTimestamp();
        lock (_sync)
        {
            if (_hasLast && time.GetElapsedTime(_lastAt, now) < Freshness)
            {
                return _last;
            }

            live = [.. _live];
            sum = _retired;
        }

        // Outside the lock: reading takes the connection's gate, under which it may be about to retire. One that does so
        // meanwhile is in this list with its final numbers and not in the retired sum taken with the list.
        foreach (ConnectionMetrics connection in live)
        {
            sum = Sum(sum, connection.Read());
        }

        lock (_sync)
        {
            (_last, _lastAt, _hasLast) = (sum, now, true);
        }

        return sum;
    }

    private static ConnectionStatistics Sum(in ConnectionStatistics a, in ConnectionStatistics b) => new()
    {
        DatagramsSent = a.DatagramsSent + b.DatagramsSent,
        DatagramsReceived = a.DatagramsReceived + b.DatagramsReceived,
        BytesSent = a.BytesSent + b.BytesSent,
        BytesReceived = a.BytesReceived + b.BytesReceived,
        BytesSentBeside = a.BytesSentBeside + b.BytesSentBeside,
        BytesReceivedBeside = a.BytesReceivedBeside + b.BytesReceivedBeside,
        PacketsSent = a.PacketsSent + b.PacketsSent,
        PacketsReceived = a.PacketsReceived + b.PacketsReceived,
        PacketsDropped = a.PacketsDropped + b.PacketsDropped,
        PacketsDroppedByReason = a.PacketsDroppedByReason + b.PacketsDroppedByReason,
        StreamsOpenedByUs = a.StreamsOpenedByUs + b.StreamsOpenedByUs,
        StreamsOpenedByPeer = a.StreamsOpenedByPeer + b.StreamsOpenedByPeer,
        PacketsLost = a.PacketsLost + b.PacketsLost,
        SpuriousLosses = a.SpuriousLosses + b.SpuriousLosses,
        ProbeTimeouts = a.ProbeTimeouts + b.ProbeTimeouts,
        KeyUpdates = a.KeyUpdates + b.KeyUpdates,
    };
}
