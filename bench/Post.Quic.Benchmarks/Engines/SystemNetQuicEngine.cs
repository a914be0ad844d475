using System.Net.Quic;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Post.Quic.Benchmarks.Engines;

/// <summary>System.Net.Quic over libmsquic, found by the system or at the path in POST_MSQUIC_PATH.</summary>
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
internal sealed class SystemNetQuicEngine : BenchEngine
{
    private QuicListener? _listener;

    public override string Name => "System.Net.Quic";

    [SupportedOSPlatformGuard("linux")]
    [SupportedOSPlatformGuard("macos")]
    [SupportedOSPlatformGuard("windows")]
    public static bool IsSupported => IsPlatform && TryLoad();

    [SupportedOSPlatformGuard("linux")]
    [SupportedOSPlatformGuard("macos")]
    [SupportedOSPlatformGuard("windows")]
    private static bool IsPlatform => OperatingSystem.IsLinux() || OperatingSystem.IsMacOS() || OperatingSystem.IsWindows();

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

    public override async Task<BenchPair> ConnectAsync()
    {
        Task<QuicConnection> accepting = _listener!.AcceptConnectionAsync().AsTask();
        QuicConnection client = await QuicConnection.ConnectAsync(new QuicClientConnectionOptions
        {
            RemoteEndPoint = _listener.LocalEndPoint,
            ClientAuthenticationOptions = BenchIdentity.Client(),
            DefaultCloseErrorCode = 0,
            DefaultStreamErrorCode = 0,
            IdleTimeout = TimeSpan.FromMinutes(10),
        });
        return new BenchPair(new Connection(client), new Connection(await accepting));
    }

    public override ValueTask DisposeAsync() => _listener?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static bool TryLoad()
    {
        // Loaded by its path, the library is found when System.Net.Quic asks for it by name.
        if (Environment.GetEnvironmentVariable("POST_MSQUIC_PATH") is { Length: > 0 } path)
        {
            _ = NativeLibrary.TryLoad(path, out _);
        }

        return IsPlatform && QuicConnection.IsSupported;
    }

    [SupportedOSPlatform("linux")]
    [SupportedOSPlatform("macos")]
    [SupportedOSPlatform("windows")]
    private sealed class Connection(QuicConnection connection) : BenchConnection
    {
        public override async ValueTask<Stream> OpenAsync(bool bidirectional) => await connection.OpenOutboundStreamAsync(
            bidirectional ? QuicStreamType.Bidirectional : QuicStreamType.Unidirectional);

        public override async ValueTask<Stream> AcceptAsync() => await connection.AcceptInboundStreamAsync();

        public override ValueTask WriteLastAsync(Stream stream, ReadOnlyMemory<byte> bytes) =>
            ((QuicStream)stream).WriteAsync(bytes, completeWrites: true);

        public override async ValueTask DisposeAsync()
        {
            await connection.CloseAsync(0);
            await connection.DisposeAsync();
        }
    }
}
