using Post.Quic.Engine.Time;

namespace Post.Quic;

/// <summary>The clock of a transport.</summary>
internal static class TransportClock
{
    /// <summary>
    /// The one that was given. The system's own, which services are commonly given, stands still while the machine sleeps: lifetimes and
    /// timeouts must not, so in its place comes one that is the same but for that.
    /// </summary>
    public static TimeProvider Of(TimeProvider? given) =>
        given is null || ReferenceEquals(given, TimeProvider.System) ? BootTimeProvider.Shared : given;
}
