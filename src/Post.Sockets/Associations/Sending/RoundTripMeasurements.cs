using Post.Sockets.Associations.Connections;
using Post.Sockets.Associations.Ownership;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Sending;

/// <summary>Asks the transport for its measurements, and tells all who go by them. By the owner.</summary>
internal sealed class RoundTripMeasurements(AssociationState state, SendPump pump)
{
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(1);

    private long _measuredAt = long.MinValue / 2;

    /// <summary>Another connection takes over.</summary>
    public void OnAttached()
    {
        _measuredAt = long.MinValue / 2;
        state.Inbox.PeerClock.OnAnotherWay();
    }

    /// <summary>Asks the transport, if the last answer is old.</summary>
    public void Measure(PostConnection connection, long now)
    {
        // Statistics cost the transport a lock: often enough to follow the path, not once per object.
        if (now - _measuredAt < Math.Max(Math.Max(state.Trips.HalfRtt / 2, state.Trips.ReceiptDelay / 4), state.Clock.Units(Least)))
        {
            return;
        }

        _measuredAt = now;
        var statistics = connection.Transport.GetStatistics();
        connection.NoteCapabilities();
        state.Outbox.ResetsDeliverHeaders = connection.Can(TransportCapabilities.ReliableReset);
        pump.Tune(connection.Can(TransportCapabilities.WritesCompleteWhenSent), statistics);
        var rtt = statistics.SmoothedRtt ?? TimeSpan.Zero;
        if (rtt > TimeSpan.Zero)
        {
            var least = statistics.MinRtt ?? rtt;
            var fastest = FastestOf(connection, least);
            state.Trips.OnMeasured(rtt, least);
            state.Inbox.PeerClock.OnMeasured((long)fastest.TotalMicroseconds, (long)(fastest + rtt - least).TotalMicroseconds);
        }
    }

    /// <summary>
    /// The least round trip of all paths that carry data together: what arrives first by any of them shows the peer's clock. One that is kept
    /// ready brings nothing.
    /// </summary>
    private TimeSpan FastestOf(PostConnection connection, TimeSpan ofMain)
    {
        var fastest = ofMain;
        if (connection.Can(TransportCapabilities.Multipath) && state.Options.Multipath >= MultipathPolicy.Interactive)
        {
            foreach (var path in connection.Transport.GetPaths())
            {
                fastest = path.MinRtt is { } trip && trip > TimeSpan.Zero && trip < fastest ? trip : fastest;
            }
        }

        return fastest;
    }
}
