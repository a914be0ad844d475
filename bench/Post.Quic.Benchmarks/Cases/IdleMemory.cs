using System.Diagnostics;
using Post.Quic.Benchmarks.Reporting;

namespace Post.Quic.Benchmarks.Cases;

/// <summary>What many things cost that are there and do nothing.</summary>
internal static class IdleMemory
{
    // The first ones pay for code, pools and threads.
    private const int First = 20;

    // Readings until two in a row differ by no more than so many bytes.
    private const int MostReadings = 20;
    private const int AtRest = 32 * 1024;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    /// <summary>Makes them, measures, and disposes of them.</summary>
    public static async Task<IReadOnlyList<Figure>> MeasureAsync(
        int count, string what, Func<Task<IAsyncDisposable>> makeAsync, CancellationToken cancellationToken)
    {
        var made = new List<IAsyncDisposable>(First + count);
        try
        {
            while (made.Count < First)
            {
                made.Add(await makeAsync());
            }

            (long heap, long resident) before = await ReadAsync(cancellationToken);
            while (made.Count < First + count)
            {
                made.Add(await makeAsync());
            }

            (long heap, long resident) after = await ReadAsync(cancellationToken);
            return
            [
                new Figure("managed heap, both ends", (after.heap - before.heap) / 1024.0 / count, $"KiB/{what}"),
                new Figure("resident, both ends", (after.resident - before.resident) / 1024.0 / count, $"KiB/{what}"),
            ];
        }
        finally
        {
            foreach (IAsyncDisposable one in made)
            {
                await one.DisposeAsync();
            }
        }
    }

    private static async Task<(long Heap, long Resident)> ReadAsync(CancellationToken cancellationToken)
    {
        // Handshakes' last packets and timers come to rest first, and what an earlier case closed goes away.
        long before = long.MaxValue;
        for (int i = 0; i < MostReadings; i++)
        {
            await Task.Delay(Pause, cancellationToken);
            for (int j = 0; j < 3; j++)
            {
                GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                GC.WaitForPendingFinalizers();
            }

            long heap = GC.GetTotalMemory(forceFullCollection: true);
            if (Math.Abs(before - heap) < AtRest)
            {
                break;
            }

            before = heap;
        }

        using var process = Process.GetCurrentProcess();
        return (GC.GetTotalMemory(forceFullCollection: true), process.WorkingSet64);
    }
}
