using Post.Quic.Engine.Time;

namespace Post.Quic;

/// <summary>The clock of a transport.</summary>
internal static class TransportClock
{
    /// <summary>
    /// The given clock. The system's clock stands still while the machine sleeps, but lifetimes and timeouts must not, so it is replaced by one that
    /// continues.
    /// </summary>
    public static TimeProvider Of(TimeProvider? given) =>
        given is null || ReferenceEquals(given, TimeProvider.System) ? BootTimeProvider.Shared : given;
}
