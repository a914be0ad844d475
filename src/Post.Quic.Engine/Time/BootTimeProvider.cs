namespace Post.Quic.Engine.Time;

/// <summary>
/// The system's time, with timestamps that run on while the machine sleeps (suspend, hibernation), and timers that go by them: what fell due
/// meanwhile fires within a second of waking up. <see cref="TimeProvider.System"/> counts the time awake only, except on Windows, whose
/// timestamps run on but whose timers do not.
/// </summary>
/// <remarks>
/// Lifetimes and timeouts are promises to somebody else, whose clock runs on. On platforms without such a clock the timestamps are those of
/// <see cref="TimeProvider.System"/>.
/// </remarks>
public sealed class BootTimeProvider : TimeProvider
{
    private readonly BootClock _clock;
    private readonly TimeProvider _timers;
    private readonly SuspendWatch _watch;

    internal BootTimeProvider(BootClock clock, TimeProvider timers)
    {
        _clock = clock;
        _timers = timers;
        _watch = new SuspendWatch(this, timers);
    }

    /// <summary>The one for the process.</summary>
    public static BootTimeProvider Shared { get; } = new(BootClock.Platform, System);

    /// <inheritdoc/>
    public override long TimestampFrequency => _clock.Frequency;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => _timers.LocalTimeZone;

    /// <inheritdoc/>
    public override long GetTimestamp() => _clock.Read();

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => _timers.GetUtcNow();

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        var timer = new BootTimer(this, _watch, callback, state);
        timer.Start(_timers, dueTime, period);
        return timer;
    }
}
