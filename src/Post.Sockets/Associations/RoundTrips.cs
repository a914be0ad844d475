using Post.Sockets.Associations.Connections;
using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations;

/// <summary>
/// What the transport's measurements of the round trip say of the time that things take, told to all who go by it. Units are those of the
/// association's clock; they change under its lock.
/// </summary>
internal sealed class RoundTrips(AssociationCore core)
{
    private long _measuredAt = long.MinValue / 2;

    /// <summary>Half of the smoothed round-trip time, the best guess for one way.</summary>
    public long HalfRtt { get; private set; }

    /// <summary>What one way takes if every queue that the round trips show stands on it.</summary>
    public long LongestWay { get; private set; }

    /// <summary>How long after its deadline a receipt for an object may still come.</summary>
    public long Grace { get; private set; } = core.Clock.Units(TimeSpan.FromMilliseconds(50));

    /// <summary>How long receipts are gathered: a quarter of the round-trip time, at most ten milliseconds.</summary>
    public long ReceiptDelay { get; private set; } = core.Clock.Units(ProtocolLimits.MaxReceiptDelay);

    /// <summary>Another connection takes over. Under the lock.</summary>
    public void OnAnotherWay()
    {
        _measuredAt = long.MinValue / 2;
        core.Inbox.PeerClock.OnAnotherWay();
    }

    /// <summary>Asks the transport, if the last answer is old. Run by the association's pump.</summary>
    public void Measure(long now)
    {
        // Statistics cost the transport a lock: often enough to follow the path, not once per object.
        if (core.Carrier is not { } carrier || now - _measuredAt < Math.Max(HalfRtt / 2, ReceiptDelay / 4) || core.IsClosed)
        {
            return;
        }

        _measuredAt = now;
        var statistics = carrier.Connection.GetStatistics();
        carrier.NoteCapabilities();
        var rtt = statistics.SmoothedRtt ?? TimeSpan.Zero;
        var least = statistics.MinRtt ?? rtt;
        var fastest = FastestOf(carrier, least);
        lock (core.Gate)
        {
            core.Sender.Tune(carrier.Capabilities, statistics);
            if (rtt > TimeSpan.Zero)
            {
                var units = core.Clock.Units(rtt);
                HalfRtt = units / 2;
                LongestWay = Math.Max(HalfRtt, units - (core.Clock.Units(least) / 2));

                // One round trip for bytes and receipt, half of one for its variation, and what the receiver may hold it back.
                Grace = units + (units / 2) + core.Clock.Units(ProtocolLimits.MaxReceiptDelay * 2);
                ReceiptDelay = Math.Min(units / 4, core.Clock.Units(ProtocolLimits.MaxReceiptDelay));
                core.Inbox.PeerClock.OnMeasured((long)fastest.TotalMicroseconds, (long)(fastest + rtt - least).TotalMicroseconds);
            }
        }
    }

    /// <summary>The least round trip of all paths: what arrives first by any of them shows the peer's clock.</summary>
    private static TimeSpan FastestOf(Carrier carrier, TimeSpan ofMain)
    {
        var fastest = ofMain;
        if (carrier.Can(TransportCapabilities.Multipath))
        {
            foreach (var path in carrier.Connection.GetPaths())
            {
                fastest = path.MinRtt is { } trip && trip > TimeSpan.Zero && trip < fastest ? trip : fastest;
            }
        }

        return fastest;
    }
}
