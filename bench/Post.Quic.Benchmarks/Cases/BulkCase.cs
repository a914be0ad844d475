using System.Diagnostics;
using Post.Quic.Benchmarks.Engines;

namespace Post.Quic.Benchmarks.Cases;

/// <summary>One stream with all the bytes.</summary>
internal sealed class BulkCase : BenchCase
{
    private const int Piece = 256 * 1024;

    public override string Name => "bulk";

    public override string Description => "One stream of --bytes from client to server";

    public override async Task<IReadOnlyList<Figure>> RunAsync(BenchEngine engine, BenchSettings settings)
    {
        await using BenchPair pair = await engine.ConnectAsync();
        using var process = Process.GetCurrentProcess();
        TimeSpan cpu = process.TotalProcessorTime;
        long allocated = GC.GetTotalAllocatedBytes();
        long started = Stopwatch.GetTimestamp();
        await using Stream outbound = await pair.Client.OpenAsync(bidirectional: false);
        Task sending = SendAsync(pair.Client, outbound, settings.Bytes);
        await ReceiveAsync(pair.Server, settings.Bytes);
        await sending;
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        process.Refresh();
        double gibibytes = settings.Bytes / (double)(1L << 30);
        return
        [
            new Figure("throughput", settings.Bytes * 8 / seconds / 1e9, "Gbit/s"),
            new Figure("cpu", (process.TotalProcessorTime - cpu).TotalSeconds / gibibytes, "s/GiB"),
            new Figure("allocated", (GC.GetTotalAllocatedBytes() - allocated) / gibibytes / (1 << 20), "MiB/GiB"),
        ];
    }

    private static async Task SendAsync(BenchConnection connection, Stream stream, long bytes)
    {
        byte[] piece = new byte[Piece];
        Random.Shared.NextBytes(piece);
        for (long left = bytes; left > 0; left -= Piece)
        {
            if (left > Piece)
            {
                await stream.WriteAsync(piece);
            }
            else
            {
                await connection.WriteLastAsync(stream, piece.AsMemory(0, (int)left));
            }
        }
    }

    private static async Task ReceiveAsync(BenchConnection connection, long bytes)
    {
        await using Stream stream = await connection.AcceptAsync();
        byte[] buffer = new byte[Piece];
        long total = 0;
        int count;
        while ((count = await stream.ReadAsync(buffer)) > 0)
        {
            total += count;
        }

        if (total != bytes)
        {
            throw new InvalidOperationException($"{total} of {bytes} bytes arrived.");
        }
    }
}
