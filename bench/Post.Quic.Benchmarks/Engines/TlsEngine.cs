using System.Net;
using System.Net.Security;
using System.Net.Sockets;

namespace Post.Quic.Benchmarks.Engines;

/// <summary>SslStream over TCP: one stream a connection. It shows what the machine's kernel and TLS give without QUIC.</summary>
internal sealed class TlsEngine : BenchEngine
{
    private readonly TcpListener _listener = new(BenchIdentity.AnyPort);

    public override string Name => "TLS over TCP";

    public override bool HasStreams => false;

    public override Task StartAsync()
    {
        _listener.Start();
        return Task.CompletedTask;
    }

    public override async Task<BenchPair> ConnectAsync()
    {
        Task<SslStream> accepting = AcceptAsync();
        var socket = new TcpClient { NoDelay = true };
        await socket.ConnectAsync((IPEndPoint)_listener.LocalEndpoint);
        var client = new SslStream(socket.GetStream());
        SslClientAuthenticationOptions options = BenchIdentity.Client();
        options.AllowTlsResume = false;
        await client.AuthenticateAsClientAsync(options);
        return new BenchPair(new Connection(client), new Connection(await accepting));
    }

    public override ValueTask DisposeAsync()
    {
        _listener.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<SslStream> AcceptAsync()
    {
        TcpClient socket = await _listener.AcceptTcpClientAsync();
        socket.NoDelay = true;
        var server = new SslStream(socket.GetStream());
        await server.AuthenticateAsServerAsync(BenchIdentity.Server());
        return server;
    }

    private sealed class Connection(SslStream stream) : BenchConnection
    {
        public override ValueTask<Stream> OpenAsync(bool bidirectional) => new(stream);

        public override ValueTask<Stream> AcceptAsync() => new(stream);

        public override async ValueTask WriteLastAsync(Stream stream, ReadOnlyMemory<byte> bytes)
        {
            await stream.WriteAsync(bytes);
            await ((SslStream)stream).ShutdownAsync();
        }

        public override ValueTask DisposeAsync() => stream.DisposeAsync();
    }
}
