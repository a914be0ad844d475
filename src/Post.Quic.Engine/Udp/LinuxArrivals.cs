using Post.Quic.Engine.Time;

namespace Post.Quic.Engine.Udp;

/// <summary>
/// How long ago the datagrams of a socket reached the machine, by the kernel's stamps. The stamps are of a clock that can be set, so no
/// age is believed that goes beyond the moment at which the socket was last seen empty.
/// </summary>
internal sealed class LinuxArrivals
{
    private long _emptyAt = BootClock.Platform.Read();

    /// <summary>Nothing is left to read: whatever comes arrives later.</summary>
    public void OnEmpty() => _emptyAt = BootClock.Platform.Read();

    /// <summary>Microseconds since a moment that the kernel has stamped, in nanoseconds since 1970; 0 where it has not.</summary>
    public long AgeOf(long stamp)
    {
        if (stamp == 0)
        {
            return 0;
        }

        long age = ((DateTime.UtcNow.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond) - (stamp / 1000);
        long sinceEmpty = (long)((BootClock.Platform.Read() - _emptyAt) * (1_000_000.0 / BootClock.Platform.Frequency));
        return Math.Clamp(age, 0, Math.Max(0, sinceEmpty));
    }
}
