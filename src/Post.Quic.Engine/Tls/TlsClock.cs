namespace Post.Quic.Engine.Tls;

/// <summary>
/// Ties the core's monotonic microseconds to the calendar, which certificates and tickets need: given once, so that
/// the session itself reads no clock.
/// </summary>
internal readonly record struct TlsClock(DateTimeOffset Utc, long Now)
{
    /// <summary>The calendar's time at a moment of the monotonic clock.</summary>
    public DateTimeOffset At(long now) => Utc.AddTicks((now - Now) * TimeSpan.TicksPerMicrosecond);
}
