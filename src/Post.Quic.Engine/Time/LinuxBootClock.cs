using System.Runtime.InteropServices;

namespace Post.Quic.Engine.Time;

/// <summary>CLOCK_BOOTTIME. It is read in user space (vDSO) like CLOCK_MONOTONIC, so it costs no more.</summary>
internal sealed unsafe partial class LinuxBootClock : BootClock
{
    private const int BootTime = 7;
    private const long Second = 1_000_000_000;

    /// <summary>Where struct timespec is two 64-bit numbers, and the kernel knows the clock.</summary>
    public static bool IsSupported { get; } =
        OperatingSystem.IsLinux()
        && RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64
        && TryRead(out _);

    public override long Frequency => Second;

    public override long Read() => TryRead(out long now) ? now : throw new InvalidOperationException("CLOCK_BOOTTIME cannot be read any more.");

    private static bool TryRead(out long now)
    {
        TimeSpec time;
        bool succeeded = GetTime(BootTime, &time) == 0;
        now = succeeded ? (time.Seconds * Second) + time.Nanoseconds : 0;
        return succeeded;
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [SuppressGCTransition]
    private static partial int GetTime(int clock, TimeSpec* time);

    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
