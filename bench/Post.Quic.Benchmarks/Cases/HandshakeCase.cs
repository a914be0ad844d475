using System.Diagnostics;
using Post.Quic.Benchmarks.Engines;
using Post.Quic.Engine;

namespace Post.Quic.Benchmarks.Cases;

/// <summary>Connections, one after another.</summary>
internal sealed class HandshakeCase(bool resumed) : BenchCase
{
    public override string Name => resumed ? "handshakes-resumed" : "handshakes";

    public override string Description => resumed
        ? "Resumed handshakes a second, one after another"
        : "Full handshakes a second, one after another";

    public override bool Fits(BenchEngine engine) => !resumed || engine is ManagedEngine;

    public override async Task<IReadOnlyList<Figure>> RunAsync(BenchEngine engine, BenchSettings settings)
    {
        QuicSessionTicket? ticket = resumed ? await ((ManagedEngine)engine).GetTicketAsync() : null;
        for (int i = 0; i < settings.Handshakes / 10; i++)
        {
            await OnceAsync(engine, ticket);
        }

        using var process = Process.GetCurrentProcess();
        TimeSpan cpu = process.TotalProcessorTime;
        long started = Stopwatch.GetTimestamp();
        for (int i = 0; i < settings.Handshakes; i++)
        {
            await OnceAsync(engine, ticket);
        }

        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        process.Refresh();
        return
        [
            new Figure("rate", settings.Handshakes / seconds, "1/s"),
            new Figure("cpu", (process.TotalProcessorTime - cpu).TotalMilliseconds / settings.Handshakes, "ms"),
        ];
    }

    private static async Task OnceAsync(BenchEngine engine, QuicSessionTicket? ticket)
    {
        await using BenchPair pair = ticket is null
            ? await engine.ConnectAsync()
            : await ((ManagedEngine)engine).ResumeAsync(ticket);
    }
}
