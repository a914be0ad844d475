using Post.Quic.Benchmarks.Engines;
using Post.Quic.Benchmarks.Payloads;
using Post.Quic.Benchmarks.Reporting;
using Post.Sockets;

namespace Post.Quic.Benchmarks.Cases.Objects;

/// <summary>Small objects as fast as they go.</summary>
internal sealed class ObjectRateCase(int senders, bool datagrams, int size = 1024) : BenchCase
{
    private readonly Lazy<SmallObjects> _payloads = new(() => new SmallObjects(4096, size));

    // A lifetime makes a datagram of a small object; so long a one is never over.
    private static readonly ObjectProperties Perishable = new() { Lifetime = TimeSpan.FromHours(1) };

    public override string Name => (datagrams ? "datagram-rate" : "object-rate") + (senders == 1 ? "" : $"-{senders}")
        + (size == 1024 ? "" : Sizes.Suffix(size));

    public override string Measures =>
        $"--objects of {Sizes.Of(size)} as {(datagrams ? "datagrams" : "streams")} from {(senders == 1 ? "one sender" : $"{senders} senders at once")}, "
        + "taken by a handler: rate, CPU, allocations.";

    public override string Excludes => "Latency: a sender waits for room in the queue, not for its object's end.";

    public override string? WhyNot(BenchEngine engine) => datagrams && !engine.IsPost ? "TCP has no datagrams." : null;

    public override async Task<IReadOnlyList<Figure>> RunAsync(
        BenchEngine engine, BenchOptions settings, CancellationToken cancellationToken)
    {
        await using ObjectPair pair = await ObjectPair.OpenAsync(engine, new ServiceOptions(), cancellationToken);
        if (datagrams && !pair.Client.HasDatagrams)
        {
            throw new NotMeasuredException("it offers no datagrams here.");
        }

        int each = Math.Max(1, settings.Objects / senders);
        int warmUp = Math.Max(1, each / 10);
        var tally = new SmallObjectTally(_payloads.Value, warmUp * senders);
        pair.Server.Receive((_, bytes, _) => Volatile.Read(ref tally).Take(bytes));
        await RoundAsync(pair, warmUp, tally, cancellationToken);
        Volatile.Write(ref tally, new SmallObjectTally(_payloads.Value, each * senders));
        var meter = Meter.Start();
        await RoundAsync(pair, each, tally, cancellationToken);
        Meter.Reading reading = meter.Read();
        await pair.SettleAsync(cancellationToken);
        return Rate.Figures(each * senders, "object", reading);
    }

    private async Task RoundAsync(ObjectPair pair, int each, SmallObjectTally tally, CancellationToken cancellationToken)
    {
        await Task.WhenAll(Enumerable.Range(0, senders).Select(
            sender => Task.Run(() => SendAsync(pair.Client, sender * each, each, cancellationToken), cancellationToken)));
        await pair.UntilAsync(tally.Completion, cancellationToken);
    }

    private async Task SendAsync(ObjectPeer client, int first, int count, CancellationToken cancellationToken)
    {
        ObjectProperties properties = datagrams ? Perishable : ObjectProperties.Default;
        for (int i = first; i < first + count; i++)
        {
            await client.SendAsync(_payloads.Value[i], properties, cancellationToken);
        }
    }
}
