using System.Globalization;

namespace Post.Quic.Benchmarks.Reporting;

/// <summary>A table a case, for people: a row a figure, a column an engine. It is Markdown, so that it can be kept.</summary>
internal sealed class TableReport(TextWriter output) : IReport
{
    public void Write(CaseResult result)
    {
        EngineResult[] columns = [.. result.Engines.Where(engine => engine.Runs.Count > 0 && engine.Failure is null)];
        var rows = new List<string[]> { new[] { result.Case }.Concat(columns.Select(column => column.Engine)).ToArray() };
        foreach ((string name, string unit) in result.Figures)
        {
            rows.Add([$"{name}, {unit}", .. columns.Select(column => Cell(Spread.Of(column, name)))]);
        }

        if (columns.Length > 0)
        {
            output.WriteLine();
            WriteTable(rows);
        }

        foreach (EngineResult engine in result.Engines)
        {
            string? text = engine.Failure is { } failure ? $"FAILED: {failure}"
                : engine.NotMeasured is { } reason ? $"not measured: {reason}"
                : null;
            if (text is not null)
            {
                output.WriteLine($"{result.Case}, {engine.Engine}: {text}");
            }
        }
    }

    private void WriteTable(List<string[]> rows)
    {
        int[] widths = [.. rows[0].Select((_, column) => rows.Max(row => row[column].Length))];
        for (int i = 0; i < rows.Count; i++)
        {
            output.WriteLine("| " + string.Join(" | ", rows[i].Select((cell, column) => cell.PadRight(widths[column]))) + " |");
            if (i == 0)
            {
                output.WriteLine("| " + string.Join(" | ", widths.Select(width => new string('-', width))) + " |");
            }
        }
    }

    private static string Cell(Spread? spread) => spread switch
    {
        null => "",
        { Runs: 1 } one => Number(one.Median),
        { } several => $"{Number(several.Median)} ({Number(several.Min)} to {Number(several.Max)})",
    };

    private static string Number(double value) => value.ToString(
        Math.Abs(value) >= 1000 ? "N0" : Math.Abs(value) >= 10 ? "F1" : "F2", CultureInfo.InvariantCulture);
}
