using System.Net.Quic;
using System.Runtime.Versioning;
using Post.Quic.SystemNetQuic;
using Post.Sockets.Transport;

namespace Post.Quic.Benchmarks.Engines;

/// <summary>System.Net.Quic over libmsquic, found by the system or at a path, and Post over it.</summary>
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
internal sealed class SystemNetQuicEngine : PostObjectsEngine
{
    private readonly SystemNetQuicTransportOptions _options;
    private QuicListener? _listener;

    private SystemNetQuicEngine(SystemNetQuicTransportOptions options) => _options = options;

    public override string Name => "System.Net.Quic";

    public override string Key => "system-net-quic";

    /// <summary>The engine, or in its place one that says why it cannot be measured.</summary>
    /// <param name="path">Where the native library lies; null: at POST_MSQUIC_PATH, if set, or where the system looks.</param>
    public static async Task<BenchEngine> CreateAsync(string? path)
    {
        path ??= Environment.GetEnvironmentVariable("POST_MSQUIC_PATH");
        var options = new SystemNetQuicTransportOptions { MsQuicLibraryPath = string.IsNullOrEmpty(path) ? null : path };
        try
        {
            await using var transport = new SystemNetQuicTransport(options);
            return new SystemNetQuicEngine(options);
        }
        catch (PlatformNotSupportedException exception)
        {
            return new AbsentEngine("System.Net.Quic", "system-net-quic", exception.Message);
        }
    }

    public override async Task StartAsync()
    {
        var options = new QuicServerConnectionOptions
        {
            ServerAuthenticationOptions = BenchIdentity.Server(),
            MaxInboundBidirectionalStreams = BenchIdentity.MaxStreams,
            MaxInboundUnidirectionalStreams = BenchIdentity.MaxStreams,
            DefaultCloseErrorCode = 0,
            DefaultStreamErrorCode = 0,
            IdleTimeout = TimeSpan.FromMinutes(10),
        };
        _listener = await QuicListener.ListenAsync(new QuicListenerOptions
        {
            ListenEndPoint = BenchIdentity.AnyPort,
            ApplicationProtocols = [BenchIdentity.Protocol],
            ListenBacklog = 512,
            ConnectionOptionsCallback = (_, _, _) => ValueTask.FromResult(options),
        });
    }

    public override async Task<BenchPair> ConnectAsync(CancellationToken cancellationToken)
    {
        Task<QuicConnection> accepting = _listener!.AcceptConnectionAsync(cancellationToken).AsTask();
        QuicConnection client = await QuicConnection.ConnectAsync(
            new QuicClientConnectionOptions
            {
                RemoteEndPoint = _listener.LocalEndPoint,
                ClientAuthenticationOptions = BenchIdentity.Client(),
                DefaultCloseErrorCode = 0,
                DefaultStreamErrorCode = 0,
                IdleTimeout = TimeSpan.FromMinutes(10),
            },
            cancellationToken);
        return new BenchPair(new Connection(client), new Connection(await accepting));
    }

    public override ValueTask DisposeAsync() => _listener?.DisposeAsync() ?? ValueTask.CompletedTask;

    protected override PostTransport CreateTransport()
    {
        var transport = new SystemNetQuicTransport(_options);
        return transport.Capabilities.HasFlag(TransportCapabilities.Datagrams)
            ? transport
            : throw new NotMeasuredException("msquic's extras are off here, so objects would be measured without datagrams and priorities.");
    }

    [SupportedOSPlatform("linux")]
    [SupportedOSPlatform("macos")]
    [SupportedOSPlatform("windows")]
    private sealed class Connection(QuicConnection connection) : BenchConnection
    {
        public override async ValueTask<Stream> OpenAsync(bool bidirectional, CancellationToken cancellationToken) =>
            await connection.OpenOutboundStreamAsync(
                bidirectional ? QuicStreamType.Bidirectional : QuicStreamType.Unidirectional, cancellationToken);

        public override async ValueTask<Stream> AcceptAsync(CancellationToken cancellationToken) =>
            await connection.AcceptInboundStreamAsync(cancellationToken);

        public override ValueTask WriteLastAsync(
            Stream stream, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
            ((QuicStream)stream).WriteAsync(bytes, completeWrites: true, cancellationToken);

        public override async ValueTask DisposeAsync()
        {
            await connection.CloseAsync(0);
            await connection.DisposeAsync();
        }
    }
}
