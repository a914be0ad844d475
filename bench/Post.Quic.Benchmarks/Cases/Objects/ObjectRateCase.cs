using Post.Quic.Benchmarks.Engines;
using Post.Quic.Benchmarks.Payloads;
using Post.Quic.Benchmarks.Reporting;
using Post.Sockets;

namespace Post.Quic.Benchmarks.Cases.Objects;

/// <summary>Objects of 1 KiB as fast as they go.</summary>
internal sealed class ObjectRateCase(int senders, bool datagrams) : BenchCase
{
    private static readonly SmallObjects Payloads = new(4096, 1024);

    // A lifetime makes a datagram of a small object; so long a one is never over.
    private static readonly ObjectProperties Perishable = new() { Lifetime = TimeSpan.FromHours(1) };

    public override string Name => (datagrams ? "datagram-rate" : "object-rate") + (senders == 1 ? "" : $"-{senders}");

    public override string Measures =>
        $"--objects of 1 KiB as {(datagrams ? "datagrams" : "streams")} from {(senders == 1 ? "one sender" : $"{senders} senders at once")}, "
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
        var tally = new SmallObjectTally(Payloads, warmUp * senders);
        pair.Server.Receive((_, bytes, _) => Volatile.Read(ref tally).Take(bytes));
        await RoundAsync(pair, warmUp, tally, cancellationToken);
        Volatile.Write(ref tally, new SmallObjectTally(Payloads, each * senders));
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
            await client.SendAsync(Payloads[i], properties, cancellationToken);
        }
    }
}
