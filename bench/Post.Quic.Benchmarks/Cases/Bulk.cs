using Post.Quic.Benchmarks.Reporting;

namespace Post.Quic.Benchmarks.Cases;

/// <summary>The figures of cases that move many bytes.</summary>
internal static class Bulk
{
    public static IReadOnlyList<Figure> Figures(long bytes, Meter.Reading reading)
    {
        double gibibytes = bytes / (double)(1L << 30);
        return
        [
            new Figure("throughput", bytes * 8 / reading.Elapsed.TotalSeconds / 1e9, "Gbit/s"),
            new Figure("CPU, both ends", reading.Cpu.TotalSeconds / gibibytes, "s/GiB"),
            new Figure("allocated, both ends", reading.Allocated / gibibytes / (1 << 20), "MiB/GiB"),
        ];
    }
}
