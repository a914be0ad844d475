using System.Diagnostics;
using Post.Quic.Benchmarks.Engines;

namespace Post.Quic.Benchmarks.Cases;

/// <summary>Many streams of 1 KiB, each opened, written and ended before its sender opens the next.</summary>
internal sealed class StreamsCase(int senders) : BenchCase
{
    private const int Size = 1024;

    public override string Name => senders == 1 ? "streams" : $"streams-{senders}";

    public override string Description => senders == 1
        ? "1 KiB streams a second from one sender"
        : $"1 KiB streams a second from {senders} senders";

    public override bool Fits(BenchEngine engine) => engine.HasStreams;

    public override async Task<IReadOnlyList<Figure>> RunAsync(BenchEngine engine, BenchSettings settings)
    {
        await using BenchPair pair = await engine.ConnectAsync();
        await RoundAsync(pair, settings.Streams / 10);
        using var process = Process.GetCurrentProcess();
        TimeSpan cpu = process.TotalProcessorTime;
        long allocated = GC.GetTotalAllocatedBytes();
        long started = Stopwatch.GetTimestamp();
        int streams = await RoundAsync(pair, settings.Streams);
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        process.Refresh();
        return
        [
            new Figure("rate", streams / seconds, "streams/s"),
            new Figure("cpu", (process.TotalProcessorTime - cpu).TotalMicroseconds / streams, "us/stream"),
            new Figure("allocated", (GC.GetTotalAllocatedBytes() - allocated) / (double)streams, "B/stream"),
        ];
    }

    private async Task<int> RoundAsync(BenchPair pair, int streams)
    {
        int each = Math.Max(1, streams / senders);
        int total = each * senders;
        Task receiving = Task.Run(() => ReceiveAsync(pair.Server, total));
        Task[] sending = [.. Enumerable.Range(0, senders).Select(_ => Task.Run(() => SendAsync(pair.Client, each)))];
        await Task.WhenAll(sending);
        await receiving;
        return total;
    }

    private static async Task SendAsync(BenchConnection connection, int streams)
    {
        byte[] bytes = new byte[Size];
        for (int i = 0; i < streams; i++)
        {
            await using Stream stream = await connection.OpenAsync(bidirectional: false);
            await connection.WriteLastAsync(stream, bytes);
        }
    }

    private static async Task ReceiveAsync(BenchConnection connection, int streams)
    {
        var finished = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        int left = streams;
        for (int i = 0; i < streams; i++)
        {
            Stream stream = await connection.AcceptAsync();
            _ = DrainAsync(stream);
        }

        await finished.Task;

        async Task DrainAsync(Stream stream)
        {
            try
            {
                byte[] buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(2 * Size);
                int total = 0;
                int count;
                while ((count = await stream.ReadAsync(buffer)) > 0)
                {
                    total += count;
                }

                System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
                await stream.DisposeAsync();
                if (total != Size)
                {
                    throw new InvalidOperationException($"{total} of {Size} bytes arrived.");
                }

                if (Interlocked.Decrement(ref left) == 0)
                {
                    finished.SetResult();
                }
            }
            catch (Exception exception)
            {
                finished.TrySetException(exception);
            }
        }
    }
}
