using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Post.Quic.Benchmarks.Engines;
using Post.Quic.Benchmarks.Links;
using Post.Quic.Benchmarks.Payloads;
using Post.Quic.Benchmarks.Reporting;

namespace Post.Quic.Benchmarks.Cases;

/// <summary>The link of the lossy cases itself: its limit must be far above what they move.</summary>
internal sealed class LinkCase : BenchCase
{
    private const int Size = 1472;
    private const int Outstanding = 128;
    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(25);

    public override string Name => "link";

    public override string Measures =>
        "What the relay carries one way that stands in for a network: datagrams of 1,472 bytes, 128 under way, for --seconds; and how exact "
        + "its delay of 25 ms is.";

    public override string Excludes => "QUIC. Sender and receiver share the processor with the relay, as in the cases that use it.";

    public override BenchEngine Subject { get; } = new NoEngine("relay");

    public override async Task<IReadOnlyList<Figure>> RunAsync(
        BenchEngine engine, BenchOptions settings, CancellationToken cancellationToken)
    {
        var duration = TimeSpan.FromSeconds(settings.Seconds);
        (long count, TimeSpan elapsed) = await Task.Run(() => Flood(duration, cancellationToken), cancellationToken);
        TimeSpan[] delays = await Task.Run(() => Probe(duration, cancellationToken), cancellationToken);
        return
        [
            new Figure("rate", count / elapsed.TotalSeconds, "datagrams/s"),
            new Figure("throughput", count * Size * 8.0 / elapsed.TotalSeconds / 1e9, "Gbit/s"),
            .. Latencies.Figures(delays).Select(figure => new Figure($"25 ms, {figure.Name}", figure.Value / 1000, "ms")),
        ];
    }

    private static (long Count, TimeSpan Elapsed) Flood(TimeSpan duration, CancellationToken cancellationToken)
    {
        using var ends = new Ends(new LinkOptions());
        byte[] received = new byte[2048];
        long sent = 0;
        long taken = 0;
        long started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < duration)
        {
            cancellationToken.ThrowIfCancellationRequested();
            while (sent - taken < Outstanding)
            {
                ends.Client.Send(Pattern.At(sent++, Size).Span);
            }

            TakeNext();
        }

        TimeSpan elapsed = Stopwatch.GetElapsedTime(started);
        long counted = taken;
        while (taken < sent)
        {
            TakeNext();
        }

        return (counted, elapsed);

        void TakeNext()
        {
            int length = ends.Server.Receive(received);
            if (length != Size || !Pattern.Is(taken, received.AsSpan(0, length)))
            {
                throw new WrongBytesException($"Datagram {taken} is not the one that was sent: the relay lost or changed it.");
            }

            taken++;
        }
    }

    private static TimeSpan[] Probe(TimeSpan duration, CancellationToken cancellationToken)
    {
        using var ends = new Ends(new LinkOptions { Delay = Delay });
        var delays = new List<TimeSpan>();
        byte[] received = new byte[2048];
        long started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < duration)
        {
            cancellationToken.ThrowIfCancellationRequested();
            long sent = Stopwatch.GetTimestamp();
            ends.Client.Send(Pattern.At(delays.Count, Size).Span);
            int length = ends.Server.Receive(received);
            delays.Add(Stopwatch.GetElapsedTime(sent));
            if (!Pattern.Is(delays.Count - 1, received.AsSpan(0, length)) || delays[^1] < Delay)
            {
                throw new WrongBytesException("A datagram came changed, or too early.");
            }
        }

        return [.. delays];
    }

    private sealed class Ends : IDisposable
    {
        private readonly UdpRelay _relay;

        public Ends(LinkOptions settings)
        {
            Server.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            _relay = UdpRelay.Start((IPEndPoint)Server.LocalEndPoint!, settings);
            Client.Connect(_relay.EndPoint);
        }

        public Socket Client { get; } = Open();

        public Socket Server { get; } = Open();

        public void Dispose()
        {
            Client.Dispose();
            _relay.Dispose();
            Server.Dispose();
        }

        // A datagram that does not come within this time is lost: the case fails.
        private static Socket Open() => new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp)
        {
            ReceiveBufferSize = 4 << 20,
            ReceiveTimeout = 5_000,
        };
    }
}
