namespace Post.Sockets.Scheduling;

/// <summary>Time as the association counts it: timestamps of one <see cref="TimeProvider"/>, and conversions.</summary>
internal sealed class Clock(TimeProvider provider)
{
    private readonly double _perTick = (double)provider.TimestampFrequency / TimeSpan.TicksPerSecond;

    public TimeProvider Provider { get; } = provider;

    public long Now => Provider.GetTimestamp();

    /// <summary>A span in units of timestamps.</summary>
    public long Units(TimeSpan span) => (long)Math.Min(span.Ticks * _perTick, long.MaxValue / 4);

    public long Milliseconds(long units) => (long)(units / _perTick / TimeSpan.TicksPerMillisecond);

    public TimeSpan Span(long units) => TimeSpan.FromTicks((long)(units / _perTick));

    /// <summary>The moment after a span; "never" stays never.</summary>
    public long After(long now, TimeSpan span) =>
        span == Timeout.InfiniteTimeSpan ? Transport.TransportPriority.NoDeadline : now + Units(span);
}
