using Post.Quic.Benchmarks.Engines;
using Post.Quic.Benchmarks.Payloads;
using Post.Quic.Benchmarks.Reporting;

namespace Post.Quic.Benchmarks.Cases.Streams;

/// <summary>One stream with all the bytes.</summary>
internal sealed class StreamBulkCase : BenchCase
{
    private const int Piece = 128 * 1024;

    public override string Name => "stream-bulk";

    public override string Measures => "One stream of --bytes from client to server: throughput, CPU, allocations.";

    public override string Excludes => "The handshake. Every byte is compared with what was sent, which all engines pay alike.";

    public override async Task<IReadOnlyList<Figure>> RunAsync(
        BenchEngine engine, BenchOptions settings, CancellationToken cancellationToken)
    {
        await using BenchPair pair = await engine.ConnectAsync(cancellationToken);
        var meter = Meter.Start();
        await using Stream outbound = await pair.Client.OpenAsync(bidirectional: false, cancellationToken);
        Task sending = SendAsync(pair.Client, outbound, settings.Bytes, cancellationToken);
        await ReceiveAsync(pair.Server, settings.Bytes, cancellationToken);
        Meter.Reading reading = meter.Read();
        await sending;
        return Bulk.Figures(settings.Bytes, reading);
    }

    private static async Task SendAsync(BenchConnection connection, Stream stream, long bytes, CancellationToken cancellationToken)
    {
        for (long sent = 0; sent < bytes; sent += Piece)
        {
            if (bytes - sent > Piece)
            {
                await stream.WriteAsync(Pattern.At(sent, Piece), cancellationToken);
            }
            else
            {
                await connection.WriteLastAsync(stream, Pattern.At(sent, (int)(bytes - sent)), cancellationToken);
            }
        }
    }

    private static async Task ReceiveAsync(BenchConnection connection, long bytes, CancellationToken cancellationToken)
    {
        var tally = new PatternTally(1, bytes);
        await using Stream stream = await connection.AcceptAsync(cancellationToken);
        byte[] buffer = new byte[Piece];
        int count;
        do
        {
            count = await stream.ReadAsync(buffer, cancellationToken);
            tally.Take(0, buffer.AsSpan(0, count), isLast: count == 0);
        }
        while (count > 0);
        await tally.Completion;
    }
}
