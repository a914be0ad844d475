using System.Diagnostics;
using Post.Quic.Benchmarks.Engines;
using Post.Quic.Benchmarks.Payloads;
using Post.Quic.Benchmarks.Reporting;

namespace Post.Quic.Benchmarks.Cases.Streams;

/// <summary>64 bytes there and back, each time on a new stream.</summary>
internal sealed class StreamEchoCase : BenchCase
{
    private static readonly SmallObjects Payloads = new(256, 64);

    public override string Name => "stream-echo";

    public override string Measures => "64 bytes there and back on a new bidirectional stream, one after the other: latency.";

    public override string Excludes => "Post: these are the engines' bare streams. Nothing else is under way.";

    public override string? WhyNot(BenchEngine engine) => engine.HasStreams ? null : "a connection is one stream.";

    public override async Task<IReadOnlyList<Figure>> RunAsync(
        BenchEngine engine, BenchOptions settings, CancellationToken cancellationToken)
    {
        await using BenchPair pair = await engine.ConnectAsync(cancellationToken);
        int warmUp = settings.Echoes / 10;
        Task serving = Task.Run(() => ServeAsync(pair.Server, settings.Echoes + warmUp, cancellationToken), cancellationToken);
        var latencies = new TimeSpan[settings.Echoes];
        for (int i = -warmUp; i < latencies.Length; i++)
        {
            long started = Stopwatch.GetTimestamp();
            await EchoAsync(pair.Client, i + warmUp, cancellationToken);
            latencies[Math.Max(i, 0)] = Stopwatch.GetElapsedTime(started);
        }

        await serving;
        return [.. Latencies.Figures(latencies)];
    }

    private static async Task EchoAsync(BenchConnection connection, int number, CancellationToken cancellationToken)
    {
        byte[] bytes = new byte[Payloads.Size];
        await using Stream stream = await connection.OpenAsync(bidirectional: true, cancellationToken);
        await connection.WriteLastAsync(stream, Payloads[number], cancellationToken);
        int count = await ReadAsync(stream, bytes, cancellationToken);
        if (Payloads.NumberOf(bytes.AsSpan(0, count)) != number % Payloads.Count)
        {
            throw new WrongBytesException("The echo is that of another.");
        }
    }

    private static async Task ServeAsync(BenchConnection connection, int streams, CancellationToken cancellationToken)
    {
        byte[] bytes = new byte[Payloads.Size];
        for (int i = 0; i < streams; i++)
        {
            await using Stream stream = await connection.AcceptAsync(cancellationToken);
            int count = await ReadAsync(stream, bytes, cancellationToken);
            await connection.WriteLastAsync(stream, bytes.AsMemory(0, count), cancellationToken);
        }
    }

    private static async Task<int> ReadAsync(Stream stream, byte[] bytes, CancellationToken cancellationToken)
    {
        byte[] beyond = new byte[1];
        int count = await stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken);
        return await stream.ReadAsync(beyond, cancellationToken) == 0
            ? count
            : throw new WrongBytesException("More came than was sent.");
    }
}
