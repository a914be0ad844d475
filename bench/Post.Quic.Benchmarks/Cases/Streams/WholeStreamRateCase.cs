using Post.Quic.Benchmarks.Engines;
using Post.Quic.Benchmarks.Payloads;
using Post.Quic.Benchmarks.Reporting;

namespace Post.Quic.Benchmarks.Cases.Streams;

/// <summary>Streams that are sent in one call and come as one event.</summary>
internal sealed class WholeStreamRateCase(int senders, int size) : BenchCase
{
    private readonly Lazy<SmallObjects> _payloads = new(() => new SmallObjects(4096, size));

    public override string Name =>
        "whole-stream-rate" + (senders == 1 ? "" : $"-{senders}") + (size == 1024 ? "" : Sizes.Suffix(size));

    public override string Measures =>
        $"--streams of {Sizes.Of(size)} from {(senders == 1 ? "one sender" : $"{senders} senders at once")}, each sent in one call and "
        + "received in one: rate, CPU, allocations.";

    public override string Excludes => "Post: these are the engine's own whole streams.";

    public override string? WhyNot(BenchEngine engine) => engine.HasWholeStreams ? null : "it does not send a stream in one call.";

    public override async Task<IReadOnlyList<Figure>> RunAsync(
        BenchEngine engine, BenchOptions options, CancellationToken cancellationToken)
    {
        await using WholeStreamPair pair = await engine.ConnectWholeStreamsAsync(cancellationToken);
        int each = Math.Max(1, options.Streams / senders);
        int warmUp = Math.Max(1, each / 10);
        var tally = new SmallObjectTally(_payloads.Value, warmUp * senders);
        pair.Receive(bytes => Volatile.Read(ref tally).Take(bytes));
        await RoundAsync(pair, warmUp, tally, cancellationToken);
        Volatile.Write(ref tally, new SmallObjectTally(_payloads.Value, each * senders));
        var meter = Meter.Start();
        await RoundAsync(pair, each, tally, cancellationToken);
        return Rate.Figures(each * senders, "stream", meter.Read());
    }

    private async Task RoundAsync(WholeStreamPair pair, int each, SmallObjectTally tally, CancellationToken cancellationToken)
    {
        await Task.WhenAll(Enumerable.Range(0, senders).Select(
            sender => Task.Run(() => SendAsync(pair, sender * each, each, cancellationToken), cancellationToken)));
        await tally.Completion.WaitAsync(cancellationToken);
    }

    private async Task SendAsync(WholeStreamPair pair, int first, int count, CancellationToken cancellationToken)
    {
        for (int i = first; i < first + count; i++)
        {
            await pair.SendAsync(_payloads.Value[i], cancellationToken);
        }
    }
}
