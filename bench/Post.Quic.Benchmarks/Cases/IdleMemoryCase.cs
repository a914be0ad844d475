using System.Diagnostics;
using Post.Quic.Benchmarks.Engines;

namespace Post.Quic.Benchmarks.Cases;

/// <summary>What connections cost that do nothing: both ends, since both live in this process.</summary>
internal sealed class IdleMemoryCase : BenchCase
{
    public override string Name => "idle-memory";

    public override string Description => "Memory of --idle connections that do nothing, both ends together";

    public override async Task<IReadOnlyList<Figure>> RunAsync(BenchEngine engine, BenchSettings settings)
    {
        // The first ones pay for code, pools and threads.
        var pairs = new List<BenchPair>(settings.Idle + 20);
        for (int i = 0; i < 20; i++)
        {
            pairs.Add(await engine.ConnectAsync());
        }

        (long heap, long resident) before = await MeasureAsync();
        for (int i = 0; i < settings.Idle; i++)
        {
            pairs.Add(await engine.ConnectAsync());
        }

        (long heap, long resident) after = await MeasureAsync();
        foreach (BenchPair pair in pairs)
        {
            await pair.DisposeAsync();
        }

        return
        [
            new Figure("managed heap", (after.heap - before.heap) / 1024.0 / settings.Idle, "KiB/connection"),
            new Figure("resident", (after.resident - before.resident) / 1024.0 / settings.Idle, "KiB/connection"),
        ];
    }

    private static async Task<(long Heap, long Resident)> MeasureAsync()
    {
        // Handshakes' last packets and timers come to rest first.
        await Task.Delay(500);
        for (int i = 0; i < 3; i++)
        {
            GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }

        using var process = Process.GetCurrentProcess();
        return (GC.GetTotalMemory(forceFullCollection: true), process.WorkingSet64);
    }
}
