using System.Runtime.Versioning;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.SystemNetQuic.Extras;

/// <summary>
/// Measures a connection. Asking msquic waits for its worker, so whoever must not wait gets the last measurement, which is
/// renewed in the background once it is old: some fraction of a round trip.
/// </summary>
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
internal sealed class ConnectionMeter(ConnectionExtras extras, TimeProvider time) : IThreadPoolWorkItem
{
    private static readonly TimeSpan LeastAge = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan MostAge = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private NativeStatistics _last;
    private long _measuredAt;
    private bool _hasMeasured;
    private bool _isRenewing;

    /// <summary>The measurements, taken now.</summary>
    public TransportStatistics Measure() => TryMeasure(out NativeStatistics now) ? StatisticsOf(now) : default;

    /// <summary>The last measurements; nothing before there are any.</summary>
    public TransportStatistics Last() => TryGetLast(out NativeStatistics last) ? StatisticsOf(last) : default;

    /// <summary>Adds to a path what was measured last.</summary>
    public PostPath Describe(PostPath path) => !TryGetLast(out NativeStatistics last)
        ? path
        : path with
        {
            SmoothedRtt = Known(last.SmoothedRttMicroseconds),
            MinRtt = Known(last.MinRttMicroseconds),
            LossRate = last.SendTotalPackets == 0 ? null : (double)last.PacketsLost / last.SendTotalPackets,
            CongestionWindow = last.SendCongestionWindow,
            EstimatedRate = Rate(last),
            Mtu = last.SendPathMtu,
            IsEcnCapable = last.IsEcnCapable,
            BytesSent = (long)last.SendTotalBytes,
            BytesReceived = (long)last.ReceivedTotalBytes,
        };

    /// <summary>Measures in the background.</summary>
    public void Renew()
    {
        lock (_gate)
        {
            RenewUnderLock();
        }
    }

    void IThreadPoolWorkItem.Execute() => TryMeasure(out _);

    private static TimeSpan? Known(uint microseconds) => microseconds == 0 ? null : TimeSpan.FromMicroseconds(microseconds);

    private static long? Rate(in NativeStatistics statistics) => statistics.SmoothedRttMicroseconds == 0
        ? null
        : statistics.SendCongestionWindow * 8_000_000L / statistics.SmoothedRttMicroseconds;

    private static TransportStatistics StatisticsOf(in NativeStatistics measured) => new()
    {
        SmoothedRtt = Known(measured.SmoothedRttMicroseconds),
        MinRtt = Known(measured.MinRttMicroseconds),
        CongestionWindow = measured.SendCongestionWindow,
        EstimatedRate = Rate(measured),
        BytesSent = (long)measured.SendTotalBytes,
        BytesReceived = (long)measured.ReceivedTotalBytes,
        PacketsSent = (long)measured.SendTotalPackets,
        PacketsLost = measured.PacketsLost,
    };

    private bool TryGetLast(out NativeStatistics last)
    {
        lock (_gate)
        {
            last = _last;
            if (!_hasMeasured || time.GetElapsedTime(_measuredAt) > AgeOf(last))
            {
                RenewUnderLock();
            }

            return _hasMeasured;
        }
    }

    private static TimeSpan AgeOf(in NativeStatistics measured)
    {
        var quarter = TimeSpan.FromMicroseconds(measured.SmoothedRttMicroseconds / 4.0);
        return quarter < LeastAge ? LeastAge : quarter > MostAge ? MostAge : quarter;
    }

    private void RenewUnderLock()
    {
        if (!_isRenewing)
        {
            _isRenewing = true;
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    private bool TryMeasure(out NativeStatistics statistics)
    {
        // Outside the gate: whoever answers may be waiting for somebody who wants the gate.
        bool measured = extras.TryGetStatistics(out statistics);
        lock (_gate)
        {
            _isRenewing = false;
            if (measured)
            {
                _last = statistics;
                _measuredAt = time.GetTimestamp();
                _hasMeasured = true;
            }
            else
            {
                statistics = _last;
            }

            return _hasMeasured;
        }
    }
}
