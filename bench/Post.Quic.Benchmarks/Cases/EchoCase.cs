using System.Diagnostics;
using Post.Quic.Benchmarks.Engines;

namespace Post.Quic.Benchmarks.Cases;

/// <summary>64 bytes there and back, each time on a new stream.</summary>
internal sealed class EchoCase : BenchCase
{
    private const int Size = 64;

    public override string Name => "echo";

    public override string Description => "64 bytes there and back on a new bidirectional stream";

    public override bool Fits(BenchEngine engine) => engine.HasStreams;

    public override async Task<IReadOnlyList<Figure>> RunAsync(BenchEngine engine, BenchSettings settings)
    {
        await using BenchPair pair = await engine.ConnectAsync();
        int warmUp = settings.Echoes / 10;
        Task serving = Task.Run(() => ServeAsync(pair.Server, settings.Echoes + warmUp));
        for (int i = 0; i < warmUp; i++)
        {
            await EchoAsync(pair.Client);
        }

        double[] latencies = new double[settings.Echoes];
        for (int i = 0; i < latencies.Length; i++)
        {
            long started = Stopwatch.GetTimestamp();
            await EchoAsync(pair.Client);
            latencies[i] = Stopwatch.GetElapsedTime(started).TotalMicroseconds;
        }

        await serving;
        Array.Sort(latencies);
        return
        [
            new Figure("p50", latencies[latencies.Length / 2], "us"),
            new Figure("p99", latencies[(int)(latencies.Length * 0.99)], "us"),
            new Figure("p99.9", latencies[(int)(latencies.Length * 0.999)], "us"),
        ];
    }

    private static async Task EchoAsync(BenchConnection connection)
    {
        byte[] bytes = new byte[Size];
        await using Stream stream = await connection.OpenAsync(bidirectional: true);
        await connection.WriteLastAsync(stream, bytes);
        if (await ReadAsync(stream, bytes) != Size)
        {
            throw new InvalidOperationException("The echo is incomplete.");
        }
    }

    private static async Task ServeAsync(BenchConnection connection, int streams)
    {
        byte[] bytes = new byte[Size];
        for (int i = 0; i < streams; i++)
        {
            await using Stream stream = await connection.AcceptAsync();
            int count = await ReadAsync(stream, bytes);
            await connection.WriteLastAsync(stream, bytes.AsMemory(0, count));
        }
    }

    private static async Task<int> ReadAsync(Stream stream, byte[] bytes)
    {
        byte[] beyond = new byte[1];
        int count = await stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false);
        return await stream.ReadAsync(beyond) == 0 ? count : throw new InvalidOperationException("More came than was sent.");
    }
}
