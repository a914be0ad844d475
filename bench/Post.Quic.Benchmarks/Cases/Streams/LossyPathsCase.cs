using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Post.Quic.Benchmarks.Cases.Objects;
using Post.Quic.Benchmarks.Engines;
using Post.Quic.Benchmarks.Links;
using Post.Quic.Benchmarks.Payloads;
using Post.Quic.Benchmarks.Reporting;
using Post.Quic.Engine;

namespace Post.Quic.Benchmarks.Cases.Streams;

/// <summary>Datagrams that are worth something for 150 ms, over one lossy link and over two.</summary>
internal sealed class LossyPathsCase : BenchCase
{
    private const int Size = 1024;
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Lifetime = TimeSpan.FromMilliseconds(150);
    private static readonly TimeSpan OneWay = TimeSpan.FromMilliseconds(25);

    public override string Name => "lossy-paths";

    public override string Measures =>
        "100 datagrams of 1 KiB a second for --seconds, each with 150 ms to live, round trip 50 ms, 10% of the packets lost each way: the share that "
        + "came in time, over one link and over two such links. What is overdue is sent again.";

    public override string Excludes => "Post: these are bare datagrams of the engine.";

    public override string? WhyNot(BenchEngine engine) => engine is ManagedEngine ? null : "It uses one path at a time.";

    public override async Task<IReadOnlyList<Figure>> RunAsync(
        BenchEngine engine, BenchOptions settings, CancellationToken cancellationToken)
    {
        double one = await InTimeAsync(settings, paths: 1, cancellationToken);
        double two = await InTimeAsync(settings, paths: 2, cancellationToken);
        return [new Figure("in time, one path", one, "%"), new Figure("in time, two paths", two, "%")];
    }

    private static async Task<double> InTimeAsync(BenchOptions settings, int paths, CancellationToken cancellationToken)
    {
        int count = Math.Max(1, (int)(settings.Seconds / Tick.TotalSeconds));
        var arrivals = new Arrivals(new SmallObjects(count, Size), Lifetime);
        var options = new QuicServerConnectionOptions
        {
            ServerAuthenticationOptions = BenchIdentity.Server(),
            MaxPaths = 2,
            Events = new Receiver(arrivals),
        };
        await using QuicListener listener = await QuicListener.ListenAsync(
            new QuicListenerOptions
            {
                ListenEndPoint = BenchIdentity.AnyPort,
                ConnectionOptionsCallback = (_, _, _) => ValueTask.FromResult(options),
            },
            cancellationToken);
        var link = new LinkOptions { Loss = 0.1, Delay = OneWay, Seed = settings.RunSeed };
        using UdpRelay first = UdpRelay.Start(listener.LocalEndPoint, link);
        using UdpRelay second = UdpRelay.Start(listener.LocalEndPoint, link with { Seed = settings.RunSeed + 1000 });
        var sender = new Sender(arrivals);
        Task<QuicConnection> accepting = listener.AcceptConnectionAsync(cancellationToken).AsTask();
        await using QuicConnection client = await QuicConnection.ConnectAsync(
            new QuicClientConnectionOptions
            {
                RemoteEndPoint = first.EndPoint,
                ClientAuthenticationOptions = BenchIdentity.Client(),
                MaxPaths = 2,
                Events = sender,
            },
            cancellationToken);
        await using QuicConnection server = await accepting;
        if (paths == 2)
        {
            _ = await client.OpenPathAsync(new IPEndPoint(IPAddress.Loopback, 0), second.EndPoint, cancellationToken);
        }

        sender.Connection = client;
        using var timer = new PeriodicTimer(Tick);
        for (int i = 0; i < count; i++)
        {
            await timer.WaitForNextTickAsync(cancellationToken);
            arrivals.OnSending(i);
            sender.Send(i, isRepair: false);
        }

        await Task.Delay(2 * Lifetime, cancellationToken);
        arrivals.ThrowIfWrong();
        return arrivals.InTime;
    }

    /// <summary>Takes each datagram the first time that it comes.</summary>
    private sealed class Receiver(Arrivals arrivals) : QuicConnectionEvents
    {
        private readonly HashSet<int> _seen = [];

        public override bool OnDatagramReceived(ReadOnlySpan<byte> payload, bool isEarlyData, long arrivedAt)
        {
            if (_seen.Add(arrivals.Objects.NumberOf(payload)))
            {
                arrivals.Take(payload);
            }

            return true;
        }
    }

    /// <summary>Sends again what is overdue, once for each time that it was sent, while it can come in time.</summary>
    private sealed class Sender(Arrivals arrivals) : QuicConnectionEvents
    {
        private readonly ConcurrentDictionary<long, int> _underWay = new();
        private readonly ConcurrentDictionary<int, long> _deadlines = new();
        private long _tokens;

        public QuicConnection? Connection { get; set; }

        public void Send(int number, bool isRepair)
        {
            long deadline = _deadlines.GetOrAdd(
                number, static _ => Stopwatch.GetTimestamp() + (long)((Lifetime - OneWay).TotalSeconds * Stopwatch.Frequency));
            if (Connection is not { } connection || deadline <= Stopwatch.GetTimestamp())
            {
                return;
            }

            long token = Interlocked.Increment(ref _tokens);
            _underWay[token] = number;
            _ = connection.TrySendDatagram(
                arrivals.Objects[number].Span, new QuicPriority(0, deadline) { IsRepair = isRepair }, token);
        }

        public override void OnDatagramState(long token, QuicDatagramState state)
        {
            if (state is QuicDatagramState.Overdue or QuicDatagramState.SuspectedLost && _underWay.TryRemove(token, out int number))
            {
                Send(number, isRepair: true);
            }
        }
    }
}
