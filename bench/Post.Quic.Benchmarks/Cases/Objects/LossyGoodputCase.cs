using Post.Quic.Benchmarks.Engines;
using Post.Quic.Benchmarks.Links;
using Post.Quic.Benchmarks.Payloads;
using Post.Quic.Benchmarks.Reporting;
using Post.Sockets;

namespace Post.Quic.Benchmarks.Cases.Objects;

/// <summary>One object without end over a link that loses packets.</summary>
internal sealed class LossyGoodputCase(CongestionControl control = CongestionControl.Auto) : BenchCase
{
    public override string Name => Controllers.Name("lossy-goodput", control);

    public override string Measures =>
        "One endless object for --seconds over a round trip of 50 ms with 1% of the packets lost each way: what arrives, in Mbit/s. "
        + Controllers.Measured(control);

    public override string Excludes =>
        "Fairness, and queues: the link has no limit of bandwidth, so congestion control meets only random loss. By default all run CUBIC.";

    public override string? WhyNot(BenchEngine engine) => Controllers.WhyNot(engine, control);

    public override async Task<IReadOnlyList<Figure>> RunAsync(
        BenchEngine engine, BenchOptions settings, CancellationToken cancellationToken)
    {
        var options = Controllers.With(control, new ServiceOptions
        {
            Link = new LinkOptions { Loss = 0.01, Delay = TimeSpan.FromMilliseconds(25), Seed = settings.RunSeed },
        });
        await using ObjectPair pair = await ObjectPair.OpenAsync(engine, options, cancellationToken);
        using var source = new PatternStream(phase: 0, length: null);
        var tally = new PatternTally(1, length: null);
        pair.Server.Receive(tally.Take);
        Task sending = pair.Client.SendAsync(source, ObjectProperties.Default, cancellationToken);
        await pair.UntilAsync(tally.Begun, cancellationToken);
        var meter = Meter.Start();
        await pair.UntilAsync(Task.Delay(TimeSpan.FromSeconds(settings.Seconds), cancellationToken), cancellationToken);
        double seconds = meter.Read().Elapsed.TotalSeconds;
        long bytes = tally.Bytes;
        source.End();
        await pair.UntilAsync(tally.Completion, cancellationToken);
        await sending;
        await pair.SettleAsync(cancellationToken);
        return [new Figure("goodput", bytes * 8 / seconds / 1e6, "Mbit/s")];
    }
}
