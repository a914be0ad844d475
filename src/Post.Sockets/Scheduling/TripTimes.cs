using Post.Sockets.Protocol;

namespace Post.Sockets.Scheduling;

/// <summary>
/// What the measured round trip says of the time that things take, told to all who go by it. Units are those of the association's clock.
/// </summary>
internal sealed class TripTimes(Clock clock)
{
    /// <summary>So many objects that expired at the receiver, though they left in time, prove that the queues stand on our way, once more.</summary>
    private const double LateToBeSure = 16;

    /// <summary>How many times the queues that the smoothed round trip shows are counted at most: they grow faster than it follows.</summary>
    private const double MostQueues = 4;

    /// <summary>So many that arrived in time are needed to forget it: under a load that is too large, one in 32 is then carried in vain.</summary>
    private const double InTimeToForget = 512;

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
    public long Grace { get; private set; } = clock.Units(TimeSpan.FromMilliseconds(50));

    /// <summary>How long receipts are gathered: a quarter of the round-trip time, at most ten milliseconds.</summary>
    public long ReceiptDelay { get; private set; } = clock.Units(ProtocolLimits.MaxReceiptDelay);

    /// <summary>An object that left in time has arrived in time, or has not.</summary>
    public void OnArrived(bool inTime) =>
        _queuesOnOurWay = Math.Clamp(_queuesOnOurWay + (inTime ? -1 / InTimeToForget : 1 / LateToBeSure), 0, MostQueues);

    /// <summary>The round trip was measured.</summary>
    /// <param name="smoothed">The smoothed round-trip time.</param>
    /// <param name="least">The least that was measured.</param>
    public void OnMeasured(TimeSpan smoothed, TimeSpan least)
    {
        var units = clock.Units(smoothed);
        HalfRtt = units / 2;
        LongestWay = Math.Max(HalfRtt, units - (clock.Units(least) / 2));

        // One round trip for bytes and receipt, half of one for its variation, and what the receiver may hold it back.
        Grace = units + (units / 2) + clock.Units(ProtocolLimits.MaxReceiptDelay * 2);
        ReceiptDelay = Math.Min(units / 4, clock.Units(ProtocolLimits.MaxReceiptDelay));
    }
}
