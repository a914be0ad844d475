using System.Net;
using Post.Quic.Benchmarks.Engines;
using Post.Quic.Benchmarks.Payloads;
using Post.Quic.Benchmarks.Reporting;
using Post.Sockets;
using Post.Sockets.Testing;

namespace Post.Quic.Benchmarks.Cases;

/// <summary>Post without QUIC: what the floor of objects itself costs.</summary>
internal sealed class InMemoryCase : BenchCase
{
    private static readonly SmallObjects Payloads = new(4096, 1024);

    public override string Name => "in-memory";

    public override string Measures =>
        "--objects of 1 KiB over the in-memory transport in virtual time, all on one thread: rate, CPU, allocations.";

    public override string Excludes => "Networks and encryption. The transport's own simulation of packets and acknowledgements is included.";

    public override BenchEngine Subject { get; } = new NoEngine("in-memory");

    public override Task<IReadOnlyList<Figure>> RunAsync(
        BenchEngine engine, BenchOptions settings, CancellationToken cancellationToken) => Task.Run(
        () =>
        {
            var network = new InMemoryNetwork(settings.RunSeed);
            IReadOnlyList<Figure> figures = network.Run(() => RunAsync(network, settings.Objects, cancellationToken));
            return network.Clock.ForeignWork == 0
                ? figures
                : throw new WrongBytesException("Work left the one thread of virtual time.");
        },
        cancellationToken);

    private static async Task<IReadOnlyList<Figure>> RunAsync(
        InMemoryNetwork network, int objects, CancellationToken cancellationToken)
    {
        InMemoryTransport transport = network.CreateTransport();
        Listener listener = await Listener.ListenAsync(
            transport, Local.At(new DnsEndPoint("server", 1)), cancellationToken: cancellationToken);
        Task<Association?> accepting = listener.AcceptAsync(cancellationToken).AsTask();
        Association client = await Association.AssociateAsync(
            transport, Local.Anonymous, Remote.Named("server", 1), cancellationToken: cancellationToken);
        Association server = (await accepting)!;
        int warmUp = Math.Max(1, objects / 10);
        var tally = new SmallObjectTally(Payloads, warmUp);
        server.Register<Received>(received => tally.Take(received.Object.Payload.FirstSpan));
        await RoundAsync(network, client, warmUp, tally, cancellationToken);

        tally = new SmallObjectTally(Payloads, objects);
        var meter = Meter.Start();
        await RoundAsync(network, client, objects, tally, cancellationToken);
        return Rate.Figures(objects, "object", meter.Read());
    }

    private static async Task RoundAsync(
        InMemoryNetwork network, Association client, int objects, SmallObjectTally tally, CancellationToken cancellationToken)
    {
        for (int i = 0; i < objects; i++)
        {
            _ = await client.SendWithoutCopyAsync(Payloads[i], cancellationToken: cancellationToken);
        }

        while (client.PendingObjects > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await Task.Delay(TimeSpan.FromMilliseconds(1), network.Clock, CancellationToken.None);
        }

        if (!tally.Completion.IsCompleted)
        {
            throw new WrongBytesException("Not all objects came.");
        }

        await tally.Completion;
    }
}
