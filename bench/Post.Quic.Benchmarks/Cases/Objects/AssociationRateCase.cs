using Post.Quic.Benchmarks.Engines;
using Post.Quic.Benchmarks.Payloads;
using Post.Quic.Benchmarks.Reporting;
using Post.Sockets;

namespace Post.Quic.Benchmarks.Cases.Objects;

/// <summary>Associations that come and go, several at a time.</summary>
internal sealed class AssociationRateCase(bool resumed) : BenchCase
{
    private const int AtATime = 8;
    private static readonly SmallObjects Greeting = new(1, 64);

    public override string Name => resumed ? "associations-resumed" : "associations";

    public override string Measures =>
        $"--handshakes of associations, {(resumed ? "resumed" : "full")}, {AtATime} at a time, up to an object that the server sends first, "
        + "and the close in order: rate, CPU.";

    public override string Excludes => "Like for like in certificates: they are checked by their pinned key, with TLS over TCP by their chain.";

    public override async Task<IReadOnlyList<Figure>> RunAsync(
        BenchEngine engine, BenchOptions settings, CancellationToken cancellationToken)
    {
        var stock = new SessionStock();
        await using ObjectService service = await engine.ServeAsync(
            new ServiceOptions { Sessions = resumed ? stock : null }, cancellationToken);
        int warmUp = Math.Max(1, settings.Handshakes / 10);
        await RoundAsync(service, warmUp, isResumed: false, cancellationToken);
        if (resumed)
        {
            await FillAsync(service, stock, settings.Handshakes, cancellationToken);
        }

        var meter = Meter.Start();
        await RoundAsync(service, settings.Handshakes, resumed, cancellationToken);
        Meter.Reading reading = meter.Read();
        return
        [
            new Figure("rate", settings.Handshakes / reading.Elapsed.TotalSeconds, "1/s"),
            new Figure("CPU, both ends", reading.Cpu.TotalMilliseconds / settings.Handshakes, "ms"),
        ];
    }

    /// <summary>Each session serves once, so there must be one for each association before the clock starts.</summary>
    private static async Task FillAsync(ObjectService service, SessionStock stock, int count, CancellationToken cancellationToken)
    {
        while (stock.Count < count)
        {
            Task<ObjectPeer> accepting = service.AcceptAsync(cancellationToken);
            await using ObjectPeer client = await service.ConnectAsync(cancellationToken);
            await using ObjectPeer server = await accepting;
            await server.SendAsync(Greeting[0], ObjectProperties.Default, cancellationToken);
            await BeGreetedAsync(client, cancellationToken);
            await stock.WaitForAnotherAsync(cancellationToken);
        }

        stock.IsOpen = true;
    }

    private static async Task RoundAsync(ObjectService service, int count, bool isResumed, CancellationToken cancellationToken)
    {
        int left = count;
        Task accepting = AcceptAsync(service, count, cancellationToken);
        await Task.WhenAll(Enumerable.Range(0, AtATime).Select(_ => Task.Run(ConnectInTurnAsync, cancellationToken)));
        await accepting;

        async Task ConnectInTurnAsync()
        {
            while (Interlocked.Decrement(ref left) >= 0)
            {
                await using ObjectPeer client = await service.ConnectAsync(cancellationToken);
                if (client.IsResumed != isResumed)
                {
                    throw new WrongBytesException($"An association was {(isResumed ? "not " : "")}resumed.");
                }

                await BeGreetedAsync(client, cancellationToken);
            }
        }
    }

    private static async Task AcceptAsync(ObjectService service, int count, CancellationToken cancellationToken)
    {
        var closing = new List<Task>(count);
        for (int i = 0; i < count; i++)
        {
            closing.Add(GreetAsync(await service.AcceptAsync(cancellationToken), cancellationToken));
        }

        await Task.WhenAll(closing).WaitAsync(cancellationToken);
    }

    private static async Task GreetAsync(ObjectPeer server, CancellationToken cancellationToken)
    {
        server.Receive((_, _, _) => { });
        await server.SendAsync(Greeting[0], ObjectProperties.Default, cancellationToken);
        await server.Ended;
        await server.DisposeAsync();
    }

    /// <summary>Without this a client could close before its server saw it at all, and neither would notice.</summary>
    private static async Task BeGreetedAsync(ObjectPeer client, CancellationToken cancellationToken)
    {
        var tally = new SmallObjectTally(Greeting, 1);
        client.Receive((_, bytes, _) => tally.Take(bytes));
        await client.UntilAsync(tally.Completion, cancellationToken);
    }
}
