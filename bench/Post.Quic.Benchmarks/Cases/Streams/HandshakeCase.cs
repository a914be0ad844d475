using Post.Quic.Benchmarks.Engines;
using Post.Quic.Benchmarks.Reporting;
using Post.Quic.Engine;

namespace Post.Quic.Benchmarks.Cases.Streams;

/// <summary>Connections, one after another.</summary>
internal sealed class HandshakeCase(bool resumed) : BenchCase
{
    public override string Name => resumed ? "handshakes-resumed" : "handshakes";

    public override string Measures => $"--handshakes, {(resumed ? "resumed" : "full")}, one after another: rate, CPU.";

    public override string Excludes => "What a machine can do with many at once; Post: these are bare connections.";

    public override string? WhyNot(BenchEngine engine) => !resumed || engine is ManagedEngine ? null : engine.HasStreams
        ? "its public API has no tickets; see associations-resumed."
        : "SslStream does not tell whether a session was resumed.";

    public override async Task<IReadOnlyList<Figure>> RunAsync(
        BenchEngine engine, BenchOptions settings, CancellationToken cancellationToken)
    {
        QuicSessionTicket? ticket = resumed ? await ((ManagedEngine)engine).GetTicketAsync(cancellationToken) : null;

        // As long again as what is measured, or the figure would be that of code not yet optimized.
        for (int i = 0; i < settings.Handshakes; i++)
        {
            await OnceAsync(engine, ticket, cancellationToken);
        }

        var meter = Meter.Start();
        for (int i = 0; i < settings.Handshakes; i++)
        {
            await OnceAsync(engine, ticket, cancellationToken);
        }

        Meter.Reading reading = meter.Read();
        return
        [
            new Figure("rate", settings.Handshakes / reading.Elapsed.TotalSeconds, "1/s"),
            new Figure("CPU, both ends", reading.Cpu.TotalMilliseconds / settings.Handshakes, "ms"),
        ];
    }

    private static async Task OnceAsync(BenchEngine engine, QuicSessionTicket? ticket, CancellationToken cancellationToken)
    {
        // Either throws unless both ends came through the handshake, and the resumed one unless it was resumed.
        await using BenchPair pair = ticket is null
            ? await engine.ConnectAsync(cancellationToken)
            : await ((ManagedEngine)engine).ResumeAsync(ticket, cancellationToken);
    }
}
