namespace Post.Quic.Benchmarks.Reporting;

/// <summary>Several runs of one figure: their middle and how far they lie apart.</summary>
internal readonly record struct Spread(double Median, double Min, double Max, int Runs)
{
    /// <summary>The spread of a figure over the runs of an engine; null when no run gave it.</summary>
    public static Spread? Of(EngineResult result, string name)
    {
        double[] sorted =
        [
            .. result.Runs.SelectMany(run => run).Where(figure => figure.Name == name).Select(figure => figure.Value).Order(),
        ];
        if (sorted.Length == 0 || result.Failure is not null)
        {
            return null;
        }

        double median = sorted.Length % 2 == 1
            ? sorted[sorted.Length / 2]
            : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
        return new Spread(median, sorted[0], sorted[^1], sorted.Length);
    }
}
