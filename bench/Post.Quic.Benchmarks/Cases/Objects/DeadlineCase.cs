using System.Diagnostics;
using System.Globalization;
using Post.Quic.Benchmarks.Engines;
using Post.Quic.Benchmarks.Links;
using Post.Quic.Benchmarks.Payloads;
using Post.Quic.Benchmarks.Reporting;
using Post.Sockets;

namespace Post.Quic.Benchmarks.Cases.Objects;

/// <summary>Objects that are worth something for 150 ms, over a link that loses packets.</summary>
internal sealed class DeadlineCase(double loss) : BenchCase
{
    private const int Size = 1024;
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Lifetime = TimeSpan.FromMilliseconds(150);
    private static readonly ObjectProperties Perishable = new() { Lifetime = Lifetime };

    public override string Name => $"deadlines-{Percent}";

    public override string Measures =>
        $"100 objects of 1 KiB a second for --seconds, each with a lifetime of 150 ms, round trip 50 ms, {Percent}% of the packets lost "
        + "each way: the share that a handler took in time, and latency.";

    public override string Excludes => "Contention: the link has no limit of bandwidth, but at 5% the load is near what congestion control allows, which shows. TLS "
        + "delivers what is too late as well: it counts as late.";

    public override async Task<IReadOnlyList<Figure>> RunAsync(
        BenchEngine engine, BenchOptions settings, CancellationToken cancellationToken)
    {
        var options = new ServiceOptions
        {
            Link = new LinkOptions { Loss = loss, Delay = TimeSpan.FromMilliseconds(25), Seed = settings.RunSeed },
        };
        await using ObjectPair pair = await ObjectPair.OpenAsync(engine, options, cancellationToken);
        int count = Math.Max(1, (int)(settings.Seconds / Tick.TotalSeconds));
        var arrivals = new Arrivals(new SmallObjects(count, Size));
        pair.Server.Receive((_, bytes, _) => arrivals.Take(bytes));
        await SendAsync(pair.Client, arrivals, cancellationToken);
        long undelivered = await pair.Client.SettleAsync(cancellationToken);
        if (!engine.IsPost)
        {
            await pair.UntilAsync(arrivals.All, cancellationToken);
        }

        // Its sender may take a delivered object for expired, when the receipt was lost, but never the other way round.
        arrivals.ThrowIfWrong();
        if (arrivals.Count < count - undelivered)
        {
            throw new WrongBytesException($"{count - undelivered} objects were said to be delivered, {arrivals.Count} were.");
        }

        return arrivals.Figures();
    }

    private static async Task SendAsync(ObjectPeer client, Arrivals arrivals, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Tick);
        for (int i = 0; i < arrivals.Objects.Count; i++)
        {
            await timer.WaitForNextTickAsync(cancellationToken);
            arrivals.OnSending(i);
            await client.SendAsync(arrivals.Objects[i], Perishable, cancellationToken);
        }
    }

    private string Percent => (loss * 100).ToString(CultureInfo.InvariantCulture);

    /// <summary>When each object was sent and when it came, by the one clock that both ends have here.</summary>
    private sealed class Arrivals(SmallObjects objects)
    {
        private readonly long[] _sent = new long[objects.Count];
        private readonly long[] _came = new long[objects.Count];
        private readonly TaskCompletionSource _all = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private Exception? _wrong;
        private int _count;

        public SmallObjects Objects { get; } = objects;

        public int Count => Volatile.Read(ref _count);

        public Task All => _all.Task;

        public void OnSending(int number) => _sent[number] = Stopwatch.GetTimestamp();

        public void Take(ReadOnlySpan<byte> bytes)
        {
            try
            {
                int number = Objects.NumberOf(bytes);
                if (Interlocked.Exchange(ref _came[number], Stopwatch.GetTimestamp()) != 0)
                {
                    throw new WrongBytesException($"Object {number} was delivered twice.");
                }

                if (Interlocked.Increment(ref _count) == Objects.Count)
                {
                    _all.TrySetResult();
                }
            }
            catch (WrongBytesException exception)
            {
                _wrong = exception;
                _all.TrySetException(exception);
            }
        }

        public void ThrowIfWrong()
        {
            if (_wrong is { } wrong)
            {
                throw wrong;
            }
        }

        public IReadOnlyList<Figure> Figures()
        {
            TimeSpan[] latencies =
            [
                .. Enumerable.Range(0, Objects.Count).Where(i => _came[i] != 0)
                    .Select(i => Stopwatch.GetElapsedTime(_sent[i], _came[i])),
            ];
            int inTime = latencies.Count(latency => latency <= Lifetime);
            return
            [
                new Figure("in time", 100.0 * inTime / Objects.Count, "%"),
                new Figure("late", 100.0 * (latencies.Length - inTime) / Objects.Count, "%"),
                .. Latencies.Figures(latencies).Select(figure => new Figure(figure.Name, figure.Value / 1000, "ms")),
            ];
        }
    }
}
