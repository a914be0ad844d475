using System.Diagnostics;
using Post.Quic.Benchmarks.Engines;
using Post.Quic.Benchmarks.Payloads;
using Post.Quic.Benchmarks.Reporting;
using Post.Sockets;

namespace Post.Quic.Benchmarks.Cases.Objects;

/// <summary>Objects of 64 bytes there and back, with or without a large one beside them.</summary>
internal sealed class ObjectEchoCase(bool besideBulk) : BenchCase
{
    private static readonly SmallObjects Payloads = new(256, 64);

    private static readonly ObjectProperties Urgent = new() { Niceness = 0, Immediate = true };

    private static readonly ObjectProperties Nice = new() { Niceness = 200 };

    public override string Name => besideBulk ? "object-echo-beside-bulk" : "object-echo";

    public override string Measures => "Urgent objects of 64 bytes there and back, one after the other"
        + (besideBulk ? ", while the same association moves an endless nice one: latency, and what is left for the bulk." : ": latency.");

    public override string Excludes => "Networks: on loopback what is measured is queues, wake-ups and copies.";

    public override async Task<IReadOnlyList<Figure>> RunAsync(
        BenchEngine engine, BenchOptions settings, CancellationToken cancellationToken)
    {
        await using ObjectPair pair = await ObjectPair.OpenAsync(engine, new ServiceOptions(), cancellationToken);
        using var bulk = new PatternStream(phase: 0, length: null);
        var bulkTally = new PatternTally(1, length: null);
        Task sendingBulk = Task.CompletedTask;
        pair.Server.Receive((number, piece, isLast) =>
        {
            if (besideBulk && number == 0)
            {
                bulkTally.Take(0, piece, isLast);
            }
            else
            {
                _ = pair.Server.SendAsync(piece.ToArray(), Urgent, cancellationToken).AsTask();
            }
        });
        if (besideBulk)
        {
            sendingBulk = pair.Client.SendAsync(bulk, Nice, cancellationToken);
            await pair.UntilAsync(bulkTally.Begun, cancellationToken);
        }

        var echoes = new Echoes(pair);
        await echoes.RunAsync(settings.Echoes / 10, cancellationToken);
        var meter = Meter.Start();
        long bulkBefore = bulkTally.Bytes;
        TimeSpan[] latencies = await echoes.RunAsync(settings.Echoes, cancellationToken);
        TimeSpan elapsed = meter.Read().Elapsed;
        long bulkBytes = bulkTally.Bytes - bulkBefore;
        if (besideBulk)
        {
            bulk.End();
            await pair.UntilAsync(bulkTally.Completion, cancellationToken);
            await sendingBulk;
        }

        await pair.SettleAsync(cancellationToken);
        return
        [
            .. Latencies.Figures(latencies),
            .. besideBulk ? [new Figure("bulk beside", bulkBytes * 8 / elapsed.TotalSeconds / 1e9, "Gbit/s")] : Array.Empty<Figure>(),
        ];
    }

    /// <summary>The client's side: sends the next one when the last one came back.</summary>
    private sealed class Echoes
    {
        private readonly ObjectPair _pair;
        private TaskCompletionSource<int> _answer = new();

        public Echoes(ObjectPair pair)
        {
            _pair = pair;
            pair.Client.Receive((_, piece, _) =>
            {
                try
                {
                    _answer.TrySetResult(Payloads.NumberOf(piece));
                }
                catch (WrongBytesException exception)
                {
                    _answer.TrySetException(exception);
                }
            });
            _ = pair.Ended.ContinueWith(_ => _answer.TrySetException(pair.EndedTooEarly()), TaskScheduler.Default);
        }

        public async Task<TimeSpan[]> RunAsync(int count, CancellationToken cancellationToken)
        {
            using CancellationTokenRegistration registration = cancellationToken.Register(() => _answer.TrySetCanceled(cancellationToken));
            var latencies = new TimeSpan[count];
            for (int i = 0; i < count; i++)
            {
                if (_pair.Ended.IsCompleted)
                {
                    throw _pair.EndedTooEarly();
                }

                // It goes on in the handler that takes the answer: handing over to another thread would be measured too.
                Task<int> answer = (_answer = new TaskCompletionSource<int>()).Task;
                long started = Stopwatch.GetTimestamp();
                await _pair.Client.SendAsync(Payloads[i], Urgent, cancellationToken);
                int number = await answer;
                latencies[i] = Stopwatch.GetElapsedTime(started);
                if (number != i % Payloads.Count)
                {
                    throw new WrongBytesException("The echo is that of another.");
                }
            }

            return latencies;
        }
    }
}
