using System.Diagnostics;

namespace Post.Quic.Engine.Time;

/// <summary>A clock that is never set and counts the time that the machine sleeps.</summary>
internal abstract class BootClock
{
    /// <summary>
    /// The platform's. Stopwatch is one on Windows only, where the performance counter goes on through sleep; .NET's is CLOCK_MONOTONIC on
    /// Linux and CLOCK_UPTIME_RAW on macOS, which stand still.
    /// </summary>
    public static BootClock Platform { get; } =
        LinuxBootClock.IsSupported ? new LinuxBootClock()
        : AppleBootClock.IsSupported ? new AppleBootClock()
        : new StopwatchClock();

    /// <summary>Units in a second.</summary>
    public abstract long Frequency { get; }

    public abstract long Read();

    private sealed class StopwatchClock : BootClock
    {
        public override long Frequency => Stopwatch.Frequency;

        public override long Read() => Stopwatch.GetTimestamp();
    }
}
