namespace Post.Quic.Engine.Endpoint;

/// <summary>The core's microseconds on an application's clock.</summary>
internal sealed class EndpointClock
{
    private const long Second = 1_000_000;

    private readonly TimeProvider _time;
    private readonly long _origin;
    private readonly long _frequency;

    public EndpointClock(TimeProvider time)
    {
        _time = time;
        _origin = time.GetTimestamp();
        _frequency = time.TimestampFrequency;
    }

    public TimeProvider TimeProvider => _time;

    public long Now => FromTimestamp(_time.GetTimestamp());

    /// <summary>A timestamp of the <see cref="TimeProvider"/> in the core's microseconds.</summary>
    public long FromTimestamp(long timestamp)
    {
        long elapsed = timestamp - _origin;

        // The core starts at one second, so that no real moment is zero.
        return Second + (_frequency == 10 * Second
            ? elapsed / 10
            : (long)(Int128.CreateChecked(elapsed) * Second / _frequency));
    }

    /// <summary>The core's microseconds as a timestamp of the <see cref="TimeProvider"/>.</summary>
    public long ToTimestamp(long time) => _origin + (_frequency % Second == 0
        ? (time - Second) * (_frequency / Second)
        : (long)(Int128.CreateChecked(time - Second) * _frequency / Second));
}
