namespace Post.Sockets.Scheduling;

/// <summary>
/// How much can leave within a time at most, by what the transport last said of itself: what its window has room for, and from then on
/// no more than its rate. Where it states no such rate, anything can.
/// </summary>
internal readonly struct SendForecast
{
    /// <summary>The share of the time in which something must be able to leave to be begun.</summary>
    private const double BeginningShare = 0.9;

    private readonly long _room;
    private readonly double _bytesPerUnit;

    private SendForecast(long room, double bytesPerUnit)
    {
        _room = room;
        _bytesPerUnit = bytesPerUnit;
    }

    /// <summary>The forecast by what a transport says of itself; anything can leave where it does not say all of it.</summary>
    /// <param name="maximumRate">Bits per second that leave at most.</param>
    /// <param name="congestionWindow">Bytes that may be in flight.</param>
    /// <param name="bytesInFlight">Bytes in flight.</param>
    /// <param name="clock">The unit of time.</param>
    public static SendForecast From(long? maximumRate, long? congestionWindow, long? bytesInFlight, Clock clock) =>
        maximumRate is { } rate && congestionWindow is { } window && bytesInFlight is { } inFlight
            ? new SendForecast(Math.Max(0, window - inFlight), rate / 8.0 / clock.Units(TimeSpan.FromSeconds(1)))
            : default;

    /// <summary>Whether so many bytes may all have left after so many units of time.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <param name="time">The time.</param>
    /// <param name="isBegun">
    /// They are the rest of something. What is not needs some time to spare, or it would be given up later for the least delay.
    /// </param>
    public bool CanLeave(long bytes, long time, bool isBegun) =>
        _bytesPerUnit <= 0 || bytes <= _room + (_bytesPerUnit * time * (isBegun ? 1 : BeginningShare));
}
