using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Diagnostics;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Recovery;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tests.Diagnostics;

/// <summary>A trace of a connection that does not exist, and what is needed to call it.</summary>
internal sealed class TraceWorld
{
    public const long Start = 5_000_000;

    public TraceWorld(int bufferSize = 256 * 1024, bool isServer = false, TraceStream? output = null, ILogger? logger = null)
    {
        Output = output ?? new TraceStream();
        Connection = new QlogConnection(isServer, new ConnectionId([1, 2, 3, 4, 5, 6, 7, 8]), Local, Remote);
        Options = new QuicTraceOptions
        {
            OpenStream = _ => Output,
            BufferSize = bufferSize,
            Title = "a title",
            Description = "what it is for",
            VantagePointName = "here",
        };
        Options.Validate();
        Trace = QlogTrace.TryOpen(Options, Connection, Time, logger ?? NullLogger.Instance)!;
    }

    public static NetworkAddress Local => NetworkAddress.FromIPv4(0x7f000001, 50000);

    public static NetworkAddress Remote => NetworkAddress.FromIPv4(0x7f000002, 443);

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));

    public QuicTraceOptions Options { get; }

    public QlogConnection Connection { get; }

    public TraceStream Output { get; }

    public QlogTrace Trace { get; }

    public Network Path { get; } = NewPath(0);

    public static Network NewPath(int id)
    {
        var mtu = new MtuDiscovery(1452);
        return new Network(id, Local, Remote, new Transmission(0, new CubicController(mtu.Current), mtu, ecnEnabled: true));
    }

    /// <summary>The bytes of frames that <paramref name="write"/> writes.</summary>
    public static byte[] Payload(PayloadWriter write)
    {
        byte[] buffer = new byte[4096];
        var writer = new WireWriter(buffer);
        write(ref writer);
        return writer.Written.ToArray();
    }

    /// <summary>Ends the trace and reads what it wrote.</summary>
    public async Task<QlogFile> ReadAsync()
    {
        await Trace.DisposeAsync();
        return QlogFile.Parse(Output.ToArray());
    }
}
