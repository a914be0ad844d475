using Post.Quic.Benchmarks.Engines;
using Post.Quic.Benchmarks.Payloads;
using Post.Quic.Benchmarks.Reporting;
using Post.Sockets;

namespace Post.Quic.Benchmarks.Cases.Objects;

/// <summary>Many associations of one server that are all busy at once.</summary>
internal sealed class ManyAssociationsCase : BenchCase
{
    private const int AtATime = 32;
    private const int EchoesEach = 10;
    private static readonly SmallObjects Payloads = new(EchoesEach, 1024);

    public override string Name => "many-associations";

    public override string Measures =>
        $"--associations made {AtATime} at a time; then each sends {EchoesEach} objects of 1 KiB at once and has them echoed: "
        + "how fast they are made, echoes a second over all of them, CPU.";

    public override string Excludes => "Fairness between them.";

    public override async Task<IReadOnlyList<Figure>> RunAsync(
        BenchEngine engine, BenchOptions settings, CancellationToken cancellationToken)
    {
        await using ObjectService service = await engine.ServeAsync(new ServiceOptions(), cancellationToken);
        int count = settings.Associations;
        var clients = new ObjectPeer[count];
        var servers = new ObjectPeer[count];
        try
        {
            var meter = Meter.Start();
            Task accepting = AcceptAsync(service, servers, cancellationToken);
            await Parallel.ForAsync(
                0,
                count,
                new ParallelOptions { MaxDegreeOfParallelism = AtATime, CancellationToken = cancellationToken },
                async (i, _) => clients[i] = await service.ConnectAsync(cancellationToken));
            await accepting.WaitAsync(cancellationToken);
            TimeSpan made = meter.Read().Elapsed;

            meter = Meter.Start();
            await Task.WhenAll(clients.Select(client => Task.Run(() => EchoAsync(client, cancellationToken), cancellationToken)));
            Meter.Reading reading = meter.Read();
            return
            [
                new Figure("made", count / made.TotalSeconds, "1/s"),
                new Figure("echoes", count * EchoesEach / reading.Elapsed.TotalSeconds, "1/s"),
                new Figure("CPU, both ends", reading.Cpu.TotalMicroseconds / (count * EchoesEach), "us/echo"),
            ];
        }
        finally
        {
            await Parallel.ForEachAsync(
                clients.Concat(servers).Where(peer => peer is not null), CancellationToken.None, (peer, _) => peer.DisposeAsync());
        }
    }

    private static async Task AcceptAsync(ObjectService service, ObjectPeer[] servers, CancellationToken cancellationToken)
    {
        for (int i = 0; i < servers.Length; i++)
        {
            ObjectPeer server = servers[i] = await service.AcceptAsync(cancellationToken);
            server.Receive((_, piece, _) =>
                _ = server.SendAsync(piece.ToArray(), ObjectProperties.Default, cancellationToken).AsTask());
        }
    }

    private static async Task EchoAsync(ObjectPeer client, CancellationToken cancellationToken)
    {
        var tally = new SmallObjectTally(Payloads, EchoesEach);
        client.Receive((_, piece, _) => tally.Take(piece));
        for (int i = 0; i < EchoesEach; i++)
        {
            await client.SendAsync(Payloads[i], ObjectProperties.Default, cancellationToken);
        }

        await client.UntilAsync(tally.Completion, cancellationToken);
    }
}
