using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Post.Quic.Tests.Links;

/// <summary>A hop on the way between clients and one server, over loopback, which can be cut.</summary>
internal sealed class CutRelay : IAsyncDisposable
{
    private readonly Socket _front = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly ConcurrentDictionary<EndPoint, Socket> _flows = new();
    private readonly CancellationTokenSource _stopping = new();
    private IPEndPoint _server;
    private long _bytesToServer;
    private readonly Task _running;

    public CutRelay(IPEndPoint server)
    {
        _server = server;
        _front.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _running = RunAsync();
    }

    /// <summary>Where clients go.</summary>
    public IPEndPoint EndPoint => (IPEndPoint)_front.LocalEndPoint!;

    /// <summary>False: nothing comes through, in either direction.</summary>
    public bool IsUp { get; set; } = true;

    /// <summary>Bytes of datagrams that have gone to servers.</summary>
    public long BytesToServer => Interlocked.Read(ref _bytesToServer);

    /// <summary>Another server stands behind it from now on.</summary>
    public void Redirect(IPEndPoint server)
    {
        _server = server;
        foreach (var client in _flows.Keys)
        {
            if (_flows.TryRemove(client, out var flow))
            {
                flow.Dispose();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _front.Dispose();
        foreach (var flow in _flows.Values)
        {
            flow.Dispose();
        }

        await _running;
        _stopping.Dispose();
    }

    private async Task RunAsync()
    {
        var buffer = new byte[65536];
        try
        {
            while (true)
            {
                var got = await _front.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), _stopping.Token);
                if (!IsUp)
                {
                    continue;
                }

                if (!_flows.TryGetValue(got.RemoteEndPoint, out var flow))
                {
                    flow = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
                    await flow.ConnectAsync(_server, _stopping.Token);
                    _flows[got.RemoteEndPoint] = flow;
                    _ = ReturnAsync(flow, got.RemoteEndPoint);
                }

                Interlocked.Add(ref _bytesToServer, got.ReceivedBytes);
                await flow.SendAsync(buffer.AsMemory(0, got.ReceivedBytes), _stopping.Token);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Over.
        }
    }

    private async Task ReturnAsync(Socket flow, EndPoint client)
    {
        var buffer = new byte[65536];
        try
        {
            while (true)
            {
                var count = await flow.ReceiveAsync(buffer, _stopping.Token);
                if (IsUp)
                {
                    await _front.SendToAsync(buffer.AsMemory(0, count), client, _stopping.Token);
                }
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Over.
        }
    }
}
