using Post.Quic.Benchmarks.Reporting;

namespace Post.Quic.Benchmarks.Cases;

/// <summary>The figures of cases that move many small things.</summary>
internal static class Rate
{
    public static IReadOnlyList<Figure> Figures(int count, string what, Meter.Reading reading) =>
    [
        new Figure("rate", count / reading.Elapsed.TotalSeconds, $"{what}s/s"),
        new Figure("CPU, both ends", reading.Cpu.TotalMicroseconds / count, $"us/{what}"),
        new Figure("allocated, both ends", reading.Allocated / (double)count, $"B/{what}"),
    ];
}
