using Post.Quic.Benchmarks;
using Post.Quic.Benchmarks.Cases;
using Post.Quic.Benchmarks.Engines;
using Post.Quic.Benchmarks.Reporting;

namespace Post.Quic.Tests.Benchmarks;

/// <summary>What is broken or missing gives no figure.</summary>
[TestClass]
public sealed class BenchRunnerTests
{
    public TestContext TestContext { get; set; } = null!;

    private CancellationToken Cancel => TestContext.CancellationToken;

    [TestMethod]
    public async Task An_engine_that_once_brought_wrong_bytes_has_no_figures_at_all()
    {
        var broken = new NoEngine("broken");
        (CaseResult result, bool hasFailed) = await RunAsync(
            [new NoEngine("sound"), broken],
            (engine, run) => engine == broken && run == 2 ? throw new WrongBytesException("one byte is missing") : 10 + run);

        Assert.IsTrue(hasFailed);
        Assert.AreEqual("one byte is missing", result.Engines[1].Failure);
        Assert.IsNull(Spread.Of(result.Engines[1], "figure"));
        Assert.AreEqual(new Spread(11, 10, 12, 3), Spread.Of(result.Engines[0], "figure"));
    }

    [TestMethod]
    public async Task What_a_machine_does_not_have_is_no_failure_and_no_figure()
    {
        (CaseResult result, bool hasFailed) = await RunAsync(
            [new NoEngine("missing")], (_, _) => throw new NotMeasuredException("it is not here"));

        Assert.IsFalse(hasFailed);
        Assert.AreEqual("it is not here", result.Engines[0].NotMeasured);
        Assert.IsEmpty(result.Engines[0].Runs);
    }

    [TestMethod]
    public async Task Engines_take_turns_within_each_round()
    {
        var order = new List<string>();
        await RunAsync([new NoEngine("a"), new NoEngine("b")], (engine, run) =>
        {
            order.Add(engine.Name + run);
            return 1;
        });

        // The first round is for nothing.
        Assert.AreEqual("a0 b0 a0 b0 a1 b1 a2 b2", string.Join(' ', order));
    }

    [TestMethod]
    public async Task Interrupted_it_still_reports_what_it_has()
    {
        using var interrupt = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var report = new Recorded();
        var runner = new BenchRunner([new NoEngine("a")], new BenchOptions(), report);
        var interrupted = new Scripted((_, run) =>
        {
            if (run == 1)
            {
                interrupt.Cancel();
                interrupt.Token.ThrowIfCancellationRequested();
            }

            return 1;
        });

        await Assert.ThrowsAsync<OperationCanceledException>(() => runner.RunAsync([interrupted], interrupt.Token));

        Assert.HasCount(1, report.Result!.Engines[0].Runs);
        Assert.IsNull(report.Result.Engines[0].Failure);
    }

    private async Task<(CaseResult Result, bool HasFailed)> RunAsync(
        IReadOnlyList<BenchEngine> engines, Func<BenchEngine, int, double> figure)
    {
        var report = new Recorded();
        var runner = new BenchRunner(engines, new BenchOptions { Runs = 3 }, report);
        await runner.RunAsync([new Scripted(figure)], Cancel);
        return (report.Result!, runner.HasFailed);
    }

    private sealed class Scripted(Func<BenchEngine, int, double> figure) : BenchCase
    {
        public override string Name => "scripted";

        public override string Measures => "";

        public override string Excludes => "";

        public override Task<IReadOnlyList<Figure>> RunAsync(
            BenchEngine engine, BenchOptions settings, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<Figure>>([new Figure("figure", figure(engine, settings.Run), "unit")]);
    }

    private sealed class Recorded : IReport
    {
        public CaseResult? Result { get; private set; }

        public void Write(CaseResult result) => Result = result;
    }
}
