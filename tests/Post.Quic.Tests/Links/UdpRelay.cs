using System.Net;
using System.Net.Sockets;

namespace Post.Quic.Tests.Links;

/// <summary>
/// Stands between a client and a server as a NAT and a link do: it forwards datagrams, can begin to send the client's from
/// another port, and carries only what its shape allows in each direction.
/// </summary>
internal sealed class UdpRelay : IAsyncDisposable
{
    private const int LargestDatagram = 65535;

    private readonly IPEndPoint _server;
    private readonly SocketAddress _serverAddress;
    private readonly Socket _front;
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<Task> _running = [];
    private readonly List<Socket> _backs = [];
    private volatile Socket _back;
    private volatile SocketAddress? _client;

    public UdpRelay(IPEndPoint server, LinkShape? shape = null)
    {
        shape ??= new LinkShape();
        _server = server;
        _serverAddress = server.Serialize();
        Up = new ShapedLink(shape, seed: 1);
        Down = new ShapedLink(shape, seed: 2);
        _front = NewSocket();
        _back = NewBack();
        _running.Add(TakeFromClientAsync());
        _running.Add(Up.RunAsync(SendToServerAsync, _stopping.Token));
        _running.Add(Down.RunAsync(SendToClientAsync, _stopping.Token));
    }

    /// <summary>From the client to the server.</summary>
    public ShapedLink Up { get; }

    /// <summary>From the server to the client.</summary>
    public ShapedLink Down { get; }

    /// <summary>Where the client shall send to.</summary>
    public IPEndPoint EndPoint => (IPEndPoint)_front.LocalEndPoint!;

    /// <summary>From where the server sees the client.</summary>
    public IPEndPoint OutsideEndPoint => (IPEndPoint)_back.LocalEndPoint!;

    /// <summary>From now on the client has another port, and what comes to the old one is not forwarded.</summary>
    public void Rebind() => _back = NewBack();

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_running);
        _front.Dispose();
        _backs.ForEach(back => back.Dispose());
        _stopping.Dispose();
    }

    private Socket NewSocket()
    {
        var socket = new Socket(_server.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { ReceiveBufferSize = 4 << 20 };
        IPAddress loopback = _server.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Loopback : IPAddress.Loopback;
        socket.Bind(new IPEndPoint(loopback, 0));
        return socket;
    }

    private Socket NewBack()
    {
        Socket back = NewSocket();
        _backs.Add(back);
        _running.Add(TakeFromServerAsync(back));
        return back;
    }

    private async Task TakeFromClientAsync()
    {
        byte[] buffer = new byte[LargestDatagram];
        var from = new SocketAddress(_server.AddressFamily);
        while (await ReceiveAsync(_front, buffer, from) is { } count)
        {
            // Each time anew: the client may move, too.
            if (_client is null || !_client.Equals(from))
            {
                var client = new SocketAddress(from.Family, from.Size);
                from.Buffer.Span[..from.Size].CopyTo(client.Buffer.Span);
                _client = client;
            }

            Up.Offer(buffer[..count]);
        }
    }

    private async Task TakeFromServerAsync(Socket back)
    {
        byte[] buffer = new byte[LargestDatagram];
        var from = new SocketAddress(_server.AddressFamily);
        while (await ReceiveAsync(back, buffer, from) is { } count)
        {
            if (back == _back)
            {
                Down.Offer(buffer[..count]);
            }
        }
    }

    private async ValueTask SendToServerAsync(ReadOnlyMemory<byte> datagram) => await SendAsync(_back, datagram, _serverAddress);

    private async ValueTask SendToClientAsync(ReadOnlyMemory<byte> datagram)
    {
        if (_client is { } client)
        {
            await SendAsync(_front, datagram, client);
        }
    }

    private async ValueTask SendAsync(Socket socket, ReadOnlyMemory<byte> datagram, SocketAddress to)
    {
        try
        {
            await socket.SendToAsync(datagram, SocketFlags.None, to, _stopping.Token);
        }
        catch (SocketException)
        {
            // Lost on the way: one end has closed its port.
        }
    }

    private async Task<int?> ReceiveAsync(Socket socket, Memory<byte> buffer, SocketAddress from)
    {
        while (true)
        {
            try
            {
                return await socket.ReceiveFromAsync(buffer, SocketFlags.None, from, _stopping.Token);
            }
            catch (OperationCanceledException)
            {
                return null;
            }
            catch (SocketException)
            {
                // What an earlier datagram met on its way: a port that is closed.
            }
        }
    }
}
