using System.Text.Json;

namespace Post.Quic.Benchmarks.Reporting;

/// <summary>One line of JSON a figure, for programs. What was not measured, or failed, has a line as well.</summary>
internal sealed class JsonReport(TextWriter output) : IReport
{
    public void Write(CaseResult result)
    {
        foreach (EngineResult engine in result.Engines)
        {
            if (engine.NotMeasured is { } reason)
            {
                WriteLine(new { @case = result.Case, engine = engine.Engine, notMeasured = reason });
            }

            if (engine.Failure is { } failure)
            {
                WriteLine(new { @case = result.Case, engine = engine.Engine, failure });
            }

            foreach ((string name, string unit) in result.Figures)
            {
                if (Spread.Of(engine, name) is { } spread)
                {
                    WriteLine(new
                    {
                        @case = result.Case,
                        engine = engine.Engine,
                        figure = name,
                        unit,
                        median = spread.Median,
                        min = spread.Min,
                        max = spread.Max,
                        runs = spread.Runs,
                    });
                }
            }
        }
    }

    private void WriteLine<T>(T line) => output.WriteLine(JsonSerializer.Serialize(line));
}
