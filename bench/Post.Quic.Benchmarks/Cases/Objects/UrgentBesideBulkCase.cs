using Post.Quic.Benchmarks.Engines;
using Post.Quic.Benchmarks.Links;
using Post.Quic.Benchmarks.Payloads;
using Post.Quic.Benchmarks.Reporting;
using Post.Sockets;

namespace Post.Quic.Benchmarks.Cases.Objects;

/// <summary>Urgent objects with a lifetime beside an endless one that would take all of a narrow link.</summary>
internal sealed class UrgentBesideBulkCase(CongestionControl control = CongestionControl.Auto) : BenchCase
{
    private const int Size = 1024;
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Lifetime = TimeSpan.FromMilliseconds(150);
    private static readonly ObjectProperties Urgent = new() { Lifetime = Lifetime, Niceness = 0 };
    private static readonly ObjectProperties Nice = new() { Niceness = 200 };

    public override string Name => Controllers.Name("urgent-beside-bulk", control);

    public override string Measures =>
        "100 urgent objects of 1 KiB a second for --seconds, each with a lifetime of 150 ms, beside an endless nice one over a link of 10 Mbit/s "
        + "with a queue of 128 KiB and a round trip of 50 ms: the share that a handler took in time, latency, and what is left for the bulk. "
        + Controllers.Measured(control);

    public override string Excludes => "Loss but for what the queue drops. TLS delivers what is too late as well: it counts as late.";

    public override string? WhyNot(BenchEngine engine) => Controllers.WhyNot(engine, control);

    public override async Task<IReadOnlyList<Figure>> RunAsync(
        BenchEngine engine, BenchOptions settings, CancellationToken cancellationToken)
    {
        var options = Controllers.With(control, new ServiceOptions
        {
            Link = new LinkOptions
            {
                BitsPerSecond = 10_000_000,
                QueueBytes = 128 * 1024,
                Delay = TimeSpan.FromMilliseconds(25),
                Seed = settings.RunSeed,
            },
        });
        await using ObjectPair pair = await ObjectPair.OpenAsync(engine, options, cancellationToken);
        using var bulk = new PatternStream(phase: 0, length: null);
        var tally = new PatternTally(1, length: null);
        int count = Math.Max(1, (int)(settings.Seconds / Tick.TotalSeconds));
        var arrivals = new Arrivals(new SmallObjects(count, Size), Lifetime);
        pair.Server.Receive((number, bytes, isLast) =>
        {
            if (number == 0)
            {
                tally.Take(0, bytes, isLast);
            }
            else
            {
                arrivals.Take(bytes);
            }
        });
        Task sendingBulk = pair.Client.SendAsync(bulk, Nice, cancellationToken);
        await pair.UntilAsync(tally.Begun, cancellationToken);
        var meter = Meter.Start();
        long before = tally.Bytes;
        using (var timer = new PeriodicTimer(Tick))
        {
            for (int i = 0; i < count; i++)
            {
                await timer.WaitForNextTickAsync(cancellationToken);
                arrivals.OnSending(i);
                await pair.Client.SendAsync(arrivals.Objects[i], Urgent, cancellationToken);
            }
        }

        TimeSpan elapsed = meter.Read().Elapsed;
        long bytes = tally.Bytes - before;
        bulk.End();
        await pair.UntilAsync(tally.Completion, cancellationToken);
        await sendingBulk;
        long undelivered = await pair.Client.SettleAsync(cancellationToken);
        if (!engine.IsPost)
        {
            await pair.UntilAsync(arrivals.All, cancellationToken);
        }

        arrivals.ThrowIfWrong();
        if (arrivals.Count < count - undelivered)
        {
            throw new WrongBytesException($"{count - undelivered} objects were said to be delivered, {arrivals.Count} were.");
        }

        return [.. arrivals.Figures(), new Figure("bulk beside", bytes * 8 / elapsed.TotalSeconds / 1e6, "Mbit/s")];
    }
}
