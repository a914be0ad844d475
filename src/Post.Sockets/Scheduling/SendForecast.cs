using Post.Sockets.Transport;

namespace Post.Sockets.Scheduling;

/// <summary>
/// How much can leave within a time at most, by what the transport last said of itself: what its window has room for, and from then on
/// no more than its rate. Where it states no such rate, anything can.
/// </summary>
internal readonly struct SendForecast
{
    private readonly long _room;
    private readonly double _bytesPerUnit;

    private SendForecast(long room, double bytesPerUnit)
    {
        _room = room;
        _bytesPerUnit = bytesPerUnit;
    }

    public static SendForecast From(TransportCapabilities capabilities, in TransportStatistics statistics, Clock clock)
    {
        // Where writes stay with the transport until they are acknowledged, nobody knows what of them is still to leave.
        if ((capabilities & TransportCapabilities.WritesCompleteWhenSent) == 0
            || statistics is not { MaximumRate: { } rate, CongestionWindow: { } window, BytesInFlight: { } inFlight })
        {
            return default;
        }

        return new SendForecast(Math.Max(0, window - inFlight), rate / 8.0 / clock.Units(TimeSpan.FromSeconds(1)));
    }

    /// <summary>Whether so many bytes may all have left after so many units of time.</summary>
    public bool CanLeave(long bytes, long time) => _bytesPerUnit <= 0 || bytes <= _room + (_bytesPerUnit * time);
}
