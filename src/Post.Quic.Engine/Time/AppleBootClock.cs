using System.Runtime.InteropServices;

namespace Post.Quic.Engine.Time;

/// <summary>CLOCK_MONOTONIC_RAW of macOS, which is mach_continuous_time in nanoseconds: it goes on through sleep.</summary>
internal sealed partial class AppleBootClock : BootClock
{
    private const int MonotonicRaw = 4;

    public static bool IsSupported { get; } = OperatingSystem.IsMacOS() && GetTime(MonotonicRaw) != 0;

    public override long Frequency => 1_000_000_000;

    public override long Read() => (long)GetTime(MonotonicRaw);

    [LibraryImport("libSystem", EntryPoint = "clock_gettime_nsec_np")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [SuppressGCTransition]
    private static partial ulong GetTime(int clock);
}
