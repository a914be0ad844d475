using System.Globalization;
using Post.Quic.Benchmarks.Engines;
using Post.Quic.Benchmarks.Links;
using Post.Quic.Benchmarks.Payloads;
using Post.Quic.Benchmarks.Reporting;
using Post.Sockets;

namespace Post.Quic.Benchmarks.Cases.Objects;

/// <summary>Objects that are worth something for 150 ms, over a link that loses packets.</summary>
internal sealed class DeadlineCase(double loss, CongestionControl control = CongestionControl.Auto) : BenchCase
{
    private const int Size = 1024;
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Lifetime = TimeSpan.FromMilliseconds(150);
    private static readonly ObjectProperties Perishable = new() { Lifetime = Lifetime };

    public override string Name => Controllers.Name($"deadlines-{Percent}", control);

    public override string Measures =>
        $"100 objects of 1 KiB a second for --seconds, each with a lifetime of 150 ms, round trip 50 ms, {Percent}% of the packets lost "
        + $"each way: the share that a handler took in time, and latency. {Controllers.Measured(control)}";

    public override string Excludes => "Contention: the link has no limit of bandwidth, but from 5% on the load is more than CUBIC concedes, which shows. TLS "
        + "delivers what is too late as well: it counts as late.";

    public override string? WhyNot(BenchEngine engine) => Controllers.WhyNot(engine, control);

    public override async Task<IReadOnlyList<Figure>> RunAsync(
        BenchEngine engine, BenchOptions settings, CancellationToken cancellationToken)
    {
        var options = Controllers.With(control, new ServiceOptions
        {
            Link = new LinkOptions { Loss = loss, Delay = TimeSpan.FromMilliseconds(25), Seed = settings.RunSeed },
        });
        await using ObjectPair pair = await ObjectPair.OpenAsync(engine, options, cancellationToken);
        int count = Math.Max(1, (int)(settings.Seconds / Tick.TotalSeconds));
        var arrivals = new Arrivals(new SmallObjects(count, Size), Lifetime);
        pair.Server.Receive((_, bytes, _) => arrivals.Take(bytes));
        await SendAsync(pair.Client, arrivals, cancellationToken);
        long undelivered = await pair.Client.SettleAsync(cancellationToken);
        if (!engine.IsPost)
        {
            await pair.UntilAsync(arrivals.All, cancellationToken);
        }

        // Its sender may take a delivered object for expired, when the receipt was lost, but never the other way round.
        arrivals.ThrowIfWrong();
        if (arrivals.Count < count - undelivered)
        {
            throw new WrongBytesException($"{count - undelivered} objects were said to be delivered, {arrivals.Count} were.");
        }

        return arrivals.Figures();
    }

    private static async Task SendAsync(ObjectPeer client, Arrivals arrivals, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Tick);
        for (int i = 0; i < arrivals.Objects.Count; i++)
        {
            await timer.WaitForNextTickAsync(cancellationToken);
            arrivals.OnSending(i);
            await client.SendAsync(arrivals.Objects[i], Perishable, cancellationToken);
        }
    }

    private string Percent => (loss * 100).ToString(CultureInfo.InvariantCulture);
}
