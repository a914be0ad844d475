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
    /// <summary>So many objects that expired at the receiver, though they left in time, prove that the queues stand on our way, once more.</summary>
    private const double LateToBeSure = 16;

    /// <summary>How many times the queues that the smoothed round trip shows are counted at most: they grow faster than it follows.</summary>
    private const double MostQueues = 4;

    /// <summary>So many that arrived in time are needed to forget it: under a load that is too large, one in 32 is then carried in vain.</summary>
    private const double InTimeToForget = 512;

    private long _measuredAt = long.MinValue / 2;
    private double _queuesOnOurWay;

    /// <summary>Half of the smoothed round-trip time, the best guess for one way.</summary>
    public long HalfRtt { get; private set; }

    /// <summary>What one way takes if every queue that the round trips show stands on it.</summary>
    public long LongestWay { get; private set; }

    /// <summary>
    /// What one way takes as far as is known: half of the round trip, or more where receipts say that what left in time by that came too late.
    /// The round trips do not tell on which way a queue stands: what it would cost to take it for ours is paid only where it is.
    /// </summary>
    public long OneWay => HalfRtt + (long)((LongestWay - HalfRtt) * _queuesOnOurWay);

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

    /// <summary>An object that left in time has arrived in time, or has not. Under the lock.</summary>
    public void OnArrived(bool inTime) =>
        _queuesOnOurWay = Math.Clamp(_queuesOnOurWay + (inTime ? -1 / InTimeToForget : 1 / LateToBeSure), 0, MostQueues);

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
