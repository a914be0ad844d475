using System.Net.Quic;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Post.Quic.SystemNetQuic;
using Post.Sockets.Transport;

namespace Post.Quic.Benchmarks.Engines;

/// <summary>System.Net.Quic over libmsquic, found by the system or at a path, and Post over it.</summary>
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
internal sealed class SystemNetQuicEngine : PostEngine
{
    private QuicListener? _listener;

    public override string Name => "System.Net.Quic";

    public override string Key => "system-net-quic";

    /// <summary>The engine, where the native library is found.</summary>
    /// <param name="path">Where to look first; null: at POST_MSQUIC_PATH, if set, and where the system looks.</param>
    public static SystemNetQuicEngine? TryCreate(string? path)
    {
        // Loaded by its path, the library is found when System.Net.Quic asks for it by name.
        path ??= Environment.GetEnvironmentVariable("POST_MSQUIC_PATH");
        if (path is { Length: > 0 })
        {
            _ = NativeLibrary.TryLoad(path, out _);
        }

        return (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS() || OperatingSystem.IsWindows()) && QuicConnection.IsSupported
            ? new SystemNetQuicEngine()
            : null;
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

    protected override PostTransport CreateTransport() => new SystemNetQuicTransport();

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
