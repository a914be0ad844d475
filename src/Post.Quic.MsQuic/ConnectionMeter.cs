using System.Runtime.Versioning;
using Post.Quic.MsQuic.Native;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.MsQuic;

/// <summary>
/// Measures a connection. Asking msquic waits for its worker, so a path is described by the last measurement, which is
/// renewed in the background once it is old: that needs no waiting, wherever it is asked from.
/// </summary>
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
internal sealed class ConnectionMeter(ConnectionExtras extras, TimeProvider time) : IThreadPoolWorkItem
{
    private static readonly TimeSpan Fresh = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private NativeStatistics _last;
    private long _measuredAt;
    private bool _hasMeasured;
    private bool _isRenewing;

    /// <summary>The measurements, taken now.</summary>
    public TransportStatistics Measure()
    {
        if (!Renew(out NativeStatistics now))
        {
            return default;
        }

        return new TransportStatistics
        {
            SmoothedRtt = Known(now.SmoothedRttMicroseconds),
            MinRtt = Known(now.MinRttMicroseconds),
            CongestionWindow = now.SendCongestionWindow,
            EstimatedRate = Rate(now),
            BytesSent = (long)now.SendTotalBytes,
            BytesReceived = (long)now.ReceivedTotalBytes,
            PacketsSent = (long)now.SendTotalPackets,
            PacketsLost = now.PacketsLost,
        };
    }

    /// <summary>Adds to a path what was measured last.</summary>
    public PostPath Describe(PostPath path)
    {
        NativeStatistics last;
        lock (_gate)
        {
            if (!_isRenewing && (!_hasMeasured || time.GetElapsedTime(_measuredAt) > Fresh))
            {
                _isRenewing = true;
                ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
            }

            if (!_hasMeasured)
            {
                return path;
            }

            last = _last;
        }

        return path with
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
    }

    void IThreadPoolWorkItem.Execute() => Renew(out _);

    private static TimeSpan? Known(uint microseconds) => microseconds == 0 ? null : TimeSpan.FromMicroseconds(microseconds);

    private static long? Rate(in NativeStatistics statistics) => statistics.SmoothedRttMicroseconds == 0
        ? null
        : statistics.SendCongestionWindow * 8_000_000L / statistics.SmoothedRttMicroseconds;

    private bool Renew(out NativeStatistics statistics)
    {
        // Outside the gate: the worker that answers may wait for a thread that wants the gate.
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
