using System.Buffers;
using Post.Quic.Benchmarks.Engines;
using Post.Quic.Benchmarks.Payloads;
using Post.Quic.Benchmarks.Reporting;

namespace Post.Quic.Benchmarks.Cases.Streams;

/// <summary>Many streams of 1 KiB, each opened, written and ended before its sender opens the next.</summary>
internal sealed class StreamRateCase(int senders) : BenchCase
{
    private static readonly SmallObjects Payloads = new(4096, 1024);

    public override string Name => senders == 1 ? "stream-rate" : $"stream-rate-{senders}";

    public override string Measures =>
        $"--streams of 1 KiB from {(senders == 1 ? "one sender" : $"{senders} senders at once")}: rate, CPU, allocations.";

    public override string Excludes => "Post: these are the engines' bare streams.";

    public override string? WhyNot(BenchEngine engine) => engine.HasStreams ? null : "a connection is one stream.";

    public override async Task<IReadOnlyList<Figure>> RunAsync(
        BenchEngine engine, BenchOptions settings, CancellationToken cancellationToken)
    {
        await using BenchPair pair = await engine.ConnectAsync(cancellationToken);
        await RoundAsync(pair, settings.Streams / 10, cancellationToken);
        var meter = Meter.Start();
        int streams = await RoundAsync(pair, settings.Streams, cancellationToken);
        return Rate.Figures(streams, "stream", meter.Read());
    }

    private async Task<int> RoundAsync(BenchPair pair, int streams, CancellationToken cancellationToken)
    {
        int each = Math.Max(1, streams / senders);
        int total = each * senders;
        Task receiving = Task.Run(() => ReceiveAsync(pair.Server, total, cancellationToken), cancellationToken);
        await Task.WhenAll(Enumerable.Range(0, senders).Select(
            sender => Task.Run(() => SendAsync(pair.Client, sender * each, each, cancellationToken), cancellationToken)));
        await receiving;
        return total;
    }

    private static async Task SendAsync(BenchConnection connection, int first, int count, CancellationToken cancellationToken)
    {
        for (int i = first; i < first + count; i++)
        {
            await using Stream stream = await connection.OpenAsync(bidirectional: false, cancellationToken);
            await connection.WriteLastAsync(stream, Payloads[i], cancellationToken);
        }
    }

    private static async Task ReceiveAsync(BenchConnection connection, int streams, CancellationToken cancellationToken)
    {
        var tally = new SmallObjectTally(Payloads, streams);
        var failed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        for (int i = 0; i < streams; i++)
        {
            _ = TakeAsync(await connection.AcceptAsync(cancellationToken));
        }

        await await Task.WhenAny(tally.Completion, failed.Task).WaitAsync(cancellationToken);

        async Task TakeAsync(Stream stream)
        {
            byte[] buffer = ArrayPool<byte>.Shared.Rent(2 * Payloads.Size);
            try
            {
                int count = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
                await stream.DisposeAsync();
                tally.Take(buffer.AsSpan(0, count));
            }
            catch (Exception exception)
            {
                failed.TrySetException(exception);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
    }
}
