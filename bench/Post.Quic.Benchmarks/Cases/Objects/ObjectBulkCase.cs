using Post.Quic.Benchmarks.Engines;
using Post.Quic.Benchmarks.Payloads;
using Post.Quic.Benchmarks.Reporting;
using Post.Sockets;

namespace Post.Quic.Benchmarks.Cases.Objects;

/// <summary>All the bytes in one object, or in several that are sent at once.</summary>
internal sealed class ObjectBulkCase(int objects) : BenchCase
{
    public override string Name => objects == 1 ? "object-bulk" : $"object-bulk-{objects}";

    public override string Measures => objects == 1
        ? "One object of --bytes from a stream, read by the other side while it arrives: throughput, CPU, allocations."
        : $"--bytes in {objects} objects at once, read while they arrive: throughput, CPU, allocations.";

    public override string Excludes => "Disks, and the handshake. Every byte is compared with what was sent, which all engines pay alike.";

    public override async Task<IReadOnlyList<Figure>> RunAsync(
        BenchEngine engine, BenchOptions settings, CancellationToken cancellationToken)
    {
        long each = settings.Bytes / objects;
        await using ObjectPair pair = await ObjectPair.OpenAsync(engine, Options(each), cancellationToken);
        var tally = new PatternTally(objects, each);
        pair.Server.Receive(tally.Take);
        var meter = Meter.Start();
        Task[] sending =
        [
            .. Enumerable.Range(0, objects).Select(number => pair.Client.SendAsync(
                new PatternStream(number, each), ObjectProperties.Default, cancellationToken)),
        ];
        await pair.UntilAsync(tally.Completion, cancellationToken);
        Meter.Reading reading = meter.Read();
        await Task.WhenAll(sending);
        await pair.SettleAsync(cancellationToken);
        return Bulk.Figures(each * objects, reading);
    }

    /// <summary>
    /// Objects are read while they arrive, so they occupy little of the receiver; but they count whole against its budget as long
    /// as they are smaller than half of it, so that it has to be large for all of them to be under way.
    /// </summary>
    private ServiceOptions Options(long each)
    {
        var options = new ServiceOptions();
        return options with
        {
            Association = options.Association with
            {
                Incremental = IncrementalDelivery.Always,
                MaxQueuedBytes = Math.Max(options.Association.MaxQueuedBytes, 2 * each * objects),
                ReceiveBudget = Math.Max(options.Association.ReceiveBudget, objects == 1 ? 0 : 4 * each * objects),
            },
        };
    }
}
