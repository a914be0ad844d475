using System.Globalization;
using System.Text.Json;

namespace Post.Quic.Benchmarks;

/// <summary>Writes what was measured: a table for people, or one line of JSON a figure.</summary>
internal static class Report
{
    public static void Write(string benchCase, IReadOnlyList<(string Engine, IReadOnlyList<Figure> Figures)> runs, bool json)
    {
        if (!json)
        {
            Console.WriteLine();
            Console.WriteLine(benchCase);
        }

        foreach (IGrouping<(string Engine, string Figure, string Unit), double> group in runs
            .SelectMany(run => run.Figures.Select(figure => (run.Engine, Figure: figure)))
            .GroupBy(pair => (pair.Engine, Figure: pair.Figure.Name, pair.Figure.Unit), pair => pair.Figure.Value)
            .OrderBy(group => Order(runs, group.Key.Figure)))
        {
            double[] sorted = [.. group.Order()];
            double median = sorted.Length % 2 == 1
                ? sorted[sorted.Length / 2]
                : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
            if (json)
            {
                Console.WriteLine(JsonSerializer.Serialize(new
                {
                    @case = benchCase,
                    engine = group.Key.Engine,
                    figure = group.Key.Figure,
                    unit = group.Key.Unit,
                    median,
                    min = sorted[0],
                    max = sorted[^1],
                    runs = sorted.Length,
                }));
            }
            else
            {
                Console.WriteLine(
                    $"  {group.Key.Figure,-14} {group.Key.Engine,-16} {Number(median),12} {group.Key.Unit,-15}"
                    + $" ({Number(sorted[0])} to {Number(sorted[^1])}, {sorted.Length} runs)");
            }
        }
    }

    private static int Order(IReadOnlyList<(string Engine, IReadOnlyList<Figure> Figures)> runs, string figure)
    {
        for (int i = 0; i < runs[0].Figures.Count; i++)
        {
            if (runs[0].Figures[i].Name == figure)
            {
                return i;
            }
        }

        return int.MaxValue;
    }

    private static string Number(double value) => value.ToString(
        Math.Abs(value) >= 1000 ? "N0" : Math.Abs(value) >= 10 ? "F1" : "F2", CultureInfo.InvariantCulture);
}
