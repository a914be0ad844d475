using Post.Quic.Benchmarks.Cases;
using Post.Quic.Benchmarks.Engines;
using Post.Quic.Benchmarks.Reporting;

namespace Post.Quic.Benchmarks;

/// <summary>Runs cases with engines and reports each case as soon as it is done.</summary>
internal sealed class BenchRunner(IReadOnlyList<BenchEngine> engines, BenchOptions settings, IReport report)
{
    /// <summary>Whether something did not arrive as it was sent, or broke.</summary>
    public bool HasFailed { get; private set; }

    public async Task RunAsync(IEnumerable<BenchCase> cases, CancellationToken cancellationToken)
    {
        try
        {
            foreach (BenchEngine engine in engines)
            {
                await engine.StartAsync();
            }

            foreach (BenchCase benchCase in cases)
            {
                await RunAsync(benchCase, cancellationToken);
            }
        }
        finally
        {
            foreach (BenchEngine engine in engines)
            {
                await engine.DisposeAsync();
            }
        }
    }

    private async Task RunAsync(BenchCase benchCase, CancellationToken cancellationToken)
    {
        (BenchEngine Engine, EngineResult Result)[] subjects =
        [
            .. (benchCase.Subject is { } subject ? [subject] : engines).Select(engine =>
                (engine, new EngineResult(engine.Name) { NotMeasured = benchCase.WhyNot(engine) })),
        ];
        try
        {
            if (settings.Runs > 1)
            {
                // Once for nothing: whoever comes first must not pay for the loading and compiling of code.
                await RoundAsync(benchCase, subjects, BenchOptions.Tiny, isMeasured: false, cancellationToken);
            }

            // One after another within each round: what the machine does meanwhile hits all of them.
            for (int run = 0; run < settings.Runs; run++)
            {
                await RoundAsync(benchCase, subjects, settings with { Run = run }, isMeasured: true, cancellationToken);
            }
        }
        finally
        {
            CaseResult result = new(benchCase.Name, [.. subjects.Select(one => one.Result)]);
            HasFailed |= result.Engines.Any(engine => engine.Failure is not null);
            report.Write(result);
        }
    }

    private static async Task RoundAsync(
        BenchCase benchCase,
        IEnumerable<(BenchEngine Engine, EngineResult Result)> subjects,
        BenchOptions settings,
        bool isMeasured,
        CancellationToken cancellationToken)
    {
        foreach ((BenchEngine engine, EngineResult result) in subjects)
        {
            if (result.NotMeasured is not null || result.Failure is not null)
            {
                continue;
            }

            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(settings.Limit);
            try
            {
                // What does not heed the limit is left behind: a hanging engine must not hang the others.
                IReadOnlyList<Figure> figures = await Task.Run(() => benchCase.RunAsync(engine, settings, limit.Token), limit.Token)
                    .WaitAsync(settings.Limit + TimeSpan.FromSeconds(20), cancellationToken);
                if (isMeasured)
                {
                    result.Runs.Add(figures);
                }
            }
            catch (NotMeasuredException exception)
            {
                result.NotMeasured = exception.Message;
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                result.Failure = limit.IsCancellationRequested
                    ? $"it was not done after {settings.Limit.TotalSeconds:0} s, {WhereIn(exception)}."
                    : exception.Message;
            }

            GC.Collect();
        }
    }

    /// <summary>What of the case was waiting when it was given up.</summary>
    private static string WhereIn(Exception exception) =>
        exception.StackTrace?.Split('\n').FirstOrDefault(line => line.Contains(typeof(BenchRunner).Namespace!, StringComparison.Ordinal))?
            .Trim() ?? "and did not heed being canceled";
}
