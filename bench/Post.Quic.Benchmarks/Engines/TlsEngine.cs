using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Post.Quic.Benchmarks.Links;

namespace Post.Quic.Benchmarks.Engines;

/// <summary>SslStream over TCP: one stream a connection. It shows what the machine's kernel and TLS give without QUIC.</summary>
internal sealed class TlsEngine : BenchEngine
{
    // Of TCP (RFC 9293): the option by which Linux names the congestion control of a socket.
    private const int ProtocolTcp = 6;
    private const int TcpCongestion = 13;

    private readonly TcpListener _listener = new(BenchIdentity.AnyPort);

    public override string Name => "TLS over TCP";

    public override string Key => "tls";

    public override bool HasStreams => false;

    public override bool IsPost => false;

    public override Task StartAsync()
    {
        _listener.Start();
        return Task.CompletedTask;
    }

    public override async Task<BenchPair> ConnectAsync(CancellationToken cancellationToken)
    {
        Task<SslStream> accepting = AcceptAsync(_listener, cancellationToken);
        SslStream client = await ConnectAsync(
            new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp), _listener, cancellationToken);
        return new BenchPair(new Connection(client), new Connection(await accepting));
    }

    public override Task<ObjectService> ServeAsync(ServiceOptions options, CancellationToken cancellationToken)
    {
        if (options.Sessions is not null)
        {
            throw new NotMeasuredException("SslStream does not tell whether a session was resumed.");
        }

        if (options.Link is null)
        {
            var listener = new TcpListener(BenchIdentity.AnyPort);
            listener.Start();
            return Task.FromResult<ObjectService>(new Service(listener, null));
        }

        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
        {
            throw new NotMeasuredException("a lossy link for TCP takes network namespaces, so Linux and root.");
        }

        var link = new TunLink(options.Link);
        return Task.FromResult<ObjectService>(new Service(link.Listen(), link));
    }

    public override ValueTask DisposeAsync()
    {
        _listener.Dispose();
        return ValueTask.CompletedTask;
    }

    private static async Task<SslStream> ConnectAsync(Socket socket, TcpListener listener, CancellationToken cancellationToken)
    {
        socket.NoDelay = true;
        await socket.ConnectAsync(listener.LocalEndpoint, cancellationToken);
        var client = new SslStream(new NetworkStream(socket, ownsSocket: true));
        SslClientAuthenticationOptions options = BenchIdentity.Client();
        options.AllowTlsResume = false;
        options.EnabledSslProtocols = SslProtocols.Tls13;
        await client.AuthenticateAsClientAsync(options, cancellationToken);
        return client;
    }

    private static async Task<SslStream> AcceptAsync(TcpListener listener, CancellationToken cancellationToken)
    {
        Socket socket = await listener.AcceptSocketAsync(cancellationToken);
        socket.NoDelay = true;
        var server = new SslStream(new NetworkStream(socket, ownsSocket: true));
        await server.AuthenticateAsServerAsync(BenchIdentity.Server(), cancellationToken);
        return server;
    }

    private sealed class Connection(SslStream stream) : BenchConnection
    {
        public override ValueTask<Stream> OpenAsync(bool bidirectional, CancellationToken cancellationToken) => new(stream);

        public override ValueTask<Stream> AcceptAsync(CancellationToken cancellationToken) => new(stream);

        public override async ValueTask WriteLastAsync(
            Stream stream, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
        {
            await stream.WriteAsync(bytes, cancellationToken);
            await ((SslStream)stream).ShutdownAsync();
        }

        public override ValueTask DisposeAsync() => stream.DisposeAsync();
    }

    private sealed class Service(TcpListener listener, TunLink? link) : ObjectService
    {
        public override async Task<ObjectPeer> AcceptAsync(CancellationToken cancellationToken) =>
            new FramePeer(await TlsEngine.AcceptAsync(listener, cancellationToken));

        public override async Task<ObjectPeer> ConnectAsync(CancellationToken cancellationToken)
        {
            Socket socket;
            if (link is not null && OperatingSystem.IsLinux())
            {
                // Of the same kind as both QUIC engines have by default, so that the links are compared and not these.
                socket = link.OpenClient();
                socket.SetRawSocketOption(ProtocolTcp, TcpCongestion, "cubic"u8);
            }
            else
            {
                socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            }

            return new FramePeer(await TlsEngine.ConnectAsync(socket, listener, cancellationToken));
        }

        public override ValueTask DisposeAsync()
        {
            listener.Dispose();
            if (OperatingSystem.IsLinux())
            {
                link?.Dispose();
            }

            return ValueTask.CompletedTask;
        }
    }
}
