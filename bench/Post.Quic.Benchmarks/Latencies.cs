using Post.Quic.Benchmarks.Reporting;

namespace Post.Quic.Benchmarks;

/// <summary>Percentiles of measured times.</summary>
internal static class Latencies
{
    /// <summary>The figures p50, p99 and p99.9, in microseconds.</summary>
    public static IEnumerable<Figure> Figures(IEnumerable<TimeSpan> measured)
    {
        double[] sorted = [.. measured.Select(time => time.TotalMicroseconds).Order()];
        if (sorted.Length == 0)
        {
            yield break;
        }

        yield return new Figure("p50", At(0.5), "us");
        yield return new Figure("p99", At(0.99), "us");
        yield return new Figure("p99.9", At(0.999), "us");

        // The smallest value that so many are not above (nearest rank).
        double At(double share) => sorted[Math.Max(0, (int)Math.Ceiling(sorted.Length * share) - 1)];
    }
}
