using System.Net;
using System.Net.Sockets;

namespace Post.Quic.Interop.Tests.Managed;

/// <summary>
/// Stands between a client and a server as a NAT does: it forwards datagrams, and can begin to send the client's from
/// another port.
/// </summary>
internal sealed class UdpRelay : IAsyncDisposable
{
    private const int LargestDatagram = 65535;

    private readonly IPEndPoint _server;
    private readonly Socket _front;
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<Task> _running = [];
    private readonly List<Socket> _backs = [];
    private volatile Socket _back;
    private volatile SocketAddress? _client;

    public UdpRelay(IPEndPoint server)
    {
        _server = server;
        _front = NewSocket();
        _back = NewBack();
        _running.Add(ForwardAsync());
    }

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
        _running.Add(ReturnAsync(back));
        return back;
    }

    private async Task ForwardAsync()
    {
        byte[] buffer = new byte[LargestDatagram];
        SocketAddress server = _server.Serialize();
        var from = new SocketAddress(_server.AddressFamily);
        while (await ReceiveAsync(_front, buffer, from) is { } count)
        {
            if (_client is null)
            {
                var client = new SocketAddress(from.Family, from.Size);
                from.Buffer.Span[..from.Size].CopyTo(client.Buffer.Span);
                _client = client;
            }

            await _back.SendToAsync(buffer.AsMemory(0, count), SocketFlags.None, server);
        }
    }

    private async Task ReturnAsync(Socket back)
    {
        byte[] buffer = new byte[LargestDatagram];
        var from = new SocketAddress(_server.AddressFamily);
        while (await ReceiveAsync(back, buffer, from) is { } count)
        {
            if (back == _back && _client is { } client)
            {
                await _front.SendToAsync(buffer.AsMemory(0, count), SocketFlags.None, client);
            }
        }
    }

    private async Task<int?> ReceiveAsync(Socket socket, Memory<byte> buffer, SocketAddress from)
    {
        try
        {
            return await socket.ReceiveFromAsync(buffer, SocketFlags.None, from, _stopping.Token);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }
}
