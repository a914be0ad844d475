using System.Diagnostics;

namespace Post.Quic.Benchmarks;

/// <summary>Time, CPU time and allocations of this process, which is both ends, between two moments.</summary>
internal readonly struct Meter
{
    private readonly long _started;
    private readonly TimeSpan _cpu;
    private readonly long _allocated;

    private Meter(long started, TimeSpan cpu, long allocated) => (_started, _cpu, _allocated) = (started, cpu, allocated);

    public static Meter Start() => new(Stopwatch.GetTimestamp(), CpuTime, GC.GetTotalAllocatedBytes());

    /// <summary>What passed since the start.</summary>
    public Reading Read() => new(
        Stopwatch.GetElapsedTime(_started), CpuTime - _cpu, GC.GetTotalAllocatedBytes() - _allocated);

    private static TimeSpan CpuTime
    {
        get
        {
            using var process = Process.GetCurrentProcess();
            return process.TotalProcessorTime;
        }
    }

    /// <summary>What passed between the two moments.</summary>
    public readonly record struct Reading(TimeSpan Elapsed, TimeSpan Cpu, long Allocated);
}
