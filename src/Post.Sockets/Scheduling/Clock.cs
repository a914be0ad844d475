namespace Post.Sockets.Scheduling;

/// <summary>Time as the association counts it: timestamps of one <see cref="TimeProvider"/>, and conversions.</summary>
internal sealed class Clock(TimeProvider provider)
{
    /// <summary>The moment that never comes.</summary>
    public const long Never = long.MaxValue;

    private readonly double _perTick = (double)provider.TimestampFrequency / TimeSpan.TicksPerSecond;

    public TimeProvider Provider { get; } = provider;

    public long Now => Provider.GetTimestamp();

    /// <summary>A span in units of timestamps.</summary>
    public long Units(TimeSpan span) => (long)Math.Min(span.Ticks * _perTick, long.MaxValue / 4);

    public long Microseconds(long units) => (long)(units / _perTick / TimeSpan.TicksPerMicrosecond);

    /// <summary>A moment that is given in microseconds, as a timestamp; bounded, so that it can be added to.</summary>
    public long FromMicroseconds(long microseconds) =>
        (long)Math.Clamp(microseconds * _perTick * TimeSpan.TicksPerMicrosecond, long.MinValue / 4, long.MaxValue / 4);

    public TimeSpan Span(long units) => TimeSpan.FromTicks((long)(units / _perTick));

    /// <summary>The moment after a span; "never" stays never.</summary>
    public long After(long now, TimeSpan span) =>
        span == Timeout.InfiniteTimeSpan ? Never : now + Units(span);
}
