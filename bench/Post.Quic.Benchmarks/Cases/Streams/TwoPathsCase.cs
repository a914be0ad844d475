using System.Net;
using Post.Quic.Benchmarks.Engines;
using Post.Quic.Benchmarks.Links;
using Post.Quic.Benchmarks.Payloads;
using Post.Quic.Benchmarks.Reporting;
using Post.Quic.Engine;

namespace Post.Quic.Benchmarks.Cases.Streams;

/// <summary>One stream over one link, and over two at once.</summary>
internal sealed class TwoPathsCase : BenchCase
{
    private const int Piece = 64 * 1024;

    private static readonly LinkOptions Link = new() { BitsPerSecond = 50_000_000, Delay = TimeSpan.FromMilliseconds(10) };

    /// <summary>Until the window of a new path is as large as its link.</summary>
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(1);

    public override string Name => "two-paths";

    public override string Measures =>
        "One endless stream over a link of 50 Mbit/s and a round trip of 20 ms for --seconds, then for as long over two such links at once: "
        + "what arrives, in Mbit/s.";

    public override string Excludes =>
        "The first second of each, in which the windows grow. Headers count as part of the links' rate, and not of what arrives.";

    public override string? WhyNot(BenchEngine engine) => engine is ManagedEngine ? null : "It uses one path at a time.";

    public override async Task<IReadOnlyList<Figure>> RunAsync(
        BenchEngine engine, BenchOptions settings, CancellationToken cancellationToken)
    {
        var options = new QuicServerConnectionOptions { ServerAuthenticationOptions = BenchIdentity.Server(), MaxPaths = 2 };
        await using QuicListener listener = await QuicListener.ListenAsync(
            new QuicListenerOptions
            {
                ListenEndPoint = BenchIdentity.AnyPort,
                ConnectionOptionsCallback = (_, _, _) => ValueTask.FromResult(options),
            },
            cancellationToken);
        using UdpRelay first = UdpRelay.Start(listener.LocalEndPoint, Link with { Seed = settings.RunSeed });
        using UdpRelay second = UdpRelay.Start(listener.LocalEndPoint, Link with { Seed = settings.RunSeed });
        Task<QuicConnection> accepting = listener.AcceptConnectionAsync(cancellationToken).AsTask();
        await using QuicConnection client = await QuicConnection.ConnectAsync(
            new QuicClientConnectionOptions
            {
                RemoteEndPoint = first.EndPoint,
                ClientAuthenticationOptions = BenchIdentity.Client(),
                MaxPaths = 2,
            },
            cancellationToken);
        await using QuicConnection server = await accepting;

        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var tally = new PatternTally(1, length: null);
        Task receiving = ReceiveAsync(server, tally, cancellationToken);
        Task sending = SendAsync(client, over.Token, cancellationToken);
        double one = await RateAsync(tally, settings, cancellationToken);
        _ = await client.OpenPathAsync(new IPEndPoint(IPAddress.Loopback, 0), second.EndPoint, cancellationToken);
        double two = await RateAsync(tally, settings, cancellationToken);
        await over.CancelAsync();
        await sending;
        await receiving;
        await tally.Completion;
        return
        [
            new Figure("goodput, one path", one / 1e6, "Mbit/s"),
            new Figure("goodput, two paths", two / 1e6, "Mbit/s"),
        ];
    }

    private static async Task<double> RateAsync(PatternTally tally, BenchOptions settings, CancellationToken cancellationToken)
    {
        await Task.Delay(WarmUp, cancellationToken);
        var meter = Meter.Start();
        long before = tally.Bytes;
        await Task.Delay(TimeSpan.FromSeconds(settings.Seconds), cancellationToken);
        long bytes = tally.Bytes - before;
        return bytes * 8 / meter.Read().Elapsed.TotalSeconds;
    }

    private static async Task SendAsync(QuicConnection client, CancellationToken over, CancellationToken cancellationToken)
    {
        await using QuicStream stream = await client.OpenOutboundStreamAsync(QuicStreamType.Unidirectional, cancellationToken);
        long sent = 0;
        for (; !over.IsCancellationRequested; sent += Piece)
        {
            await stream.WriteAsync(Pattern.At(sent, Piece), cancellationToken);
        }

        await stream.WriteAsync(Pattern.At(sent, Piece), completeWrites: true, cancellationToken);
        await stream.WritesClosed.WaitAsync(cancellationToken);
    }

    private static async Task ReceiveAsync(QuicConnection server, PatternTally tally, CancellationToken cancellationToken)
    {
        await using QuicStream stream = await server.AcceptInboundStreamAsync(cancellationToken);
        byte[] buffer = new byte[Piece];
        int count;
        do
        {
            count = await stream.ReadAsync(buffer, cancellationToken);
            tally.Take(0, buffer.AsSpan(0, count), isLast: count == 0);
        }
        while (count > 0);
    }
}
