using System.Diagnostics;
using Post.Quic.Benchmarks.Payloads;
using Post.Quic.Benchmarks.Reporting;

namespace Post.Quic.Benchmarks.Cases.Objects;

/// <summary>When each object was sent and when it came, by the one clock that both ends have here.</summary>
internal sealed class Arrivals(SmallObjects objects, TimeSpan lifetime)
{
    private readonly long[] _sent = new long[objects.Count];
    private readonly long[] _came = new long[objects.Count];
    private readonly TaskCompletionSource _all = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Exception? _wrong;
    private int _count;

    public SmallObjects Objects { get; } = objects;

    public int Count => Volatile.Read(ref _count);

    public Task All => _all.Task;

    /// <summary>Percent that came within the lifetime.</summary>
    public double InTime => 100.0 * Taken().Count(latency => latency <= lifetime) / Objects.Count;

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
        TimeSpan[] latencies = Taken();
        return
        [
            new Figure("in time", InTime, "%"),
            new Figure("late", (100.0 * latencies.Length / Objects.Count) - InTime, "%"),
            .. Latencies.Figures(latencies).Select(figure => new Figure(figure.Name, figure.Value / 1000, "ms")),
        ];
    }

    private TimeSpan[] Taken() =>
    [
        .. Enumerable.Range(0, Objects.Count).Where(i => _came[i] != 0).Select(i => Stopwatch.GetElapsedTime(_sent[i], _came[i])),
    ];
}
