using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Post.Quic.Tests.EarlyData;

/// <summary>
/// Stands between clients and a server on loopback: forwards datagrams, keeps copies of what clients sent, can send them again, can
/// hold back what the server answers, and can stand before another server later.
/// </summary>
internal sealed class UdpRelay : IAsyncDisposable
{
    private const int LargestDatagram = 65535;

    private readonly Socket _front = NewSocket();
    private readonly Socket _back = NewSocket();
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentQueue<byte[]> _fromClients = new();
    private readonly Lock _gate = new();
    private readonly Task _running;
    private readonly List<byte[]> _held = [];
    private volatile IPEndPoint? _server;
    private volatile EndPoint? _client;
    private bool _isHolding;
    private int _greetings;

    public UdpRelay()
    {
        _running = Task.WhenAll(ForwardAsync(), ReturnAsync());
    }

    /// <summary>Where clients shall send to.</summary>
    public IPEndPoint EndPoint => (IPEndPoint)_front.LocalEndPoint!;

    /// <summary>Flights in which servers answered a client's first hello.</summary>
    public int Greetings => Volatile.Read(ref _greetings);

    /// <summary>Each datagram of a client is sent so many times.</summary>
    public int Copies { get; set; } = 1;

    /// <summary>The server to forward to from now on.</summary>
    public void StandBefore(EndPoint server) => _server = (IPEndPoint)server;

    /// <summary>What clients have sent since the last call.</summary>
    public byte[][] TakeCaptured()
    {
        var taken = new List<byte[]>();
        while (_fromClients.TryDequeue(out byte[]? datagram))
        {
            taken.Add(datagram);
        }

        return [.. taken];
    }

    /// <summary>Sends to the server what was captured, as an attacker on the path can.</summary>
    public async Task SendAgainAsync(IEnumerable<byte[]> captured)
    {
        foreach (byte[] datagram in captured)
        {
            await _back.SendToAsync(datagram, SocketFlags.None, _server!);
        }
    }

    /// <summary>From now on what servers answer waits here.</summary>
    public void HoldAnswers()
    {
        lock (_gate)
        {
            _isHolding = true;
        }
    }

    /// <summary>Gives out what waited, and holds nothing any more.</summary>
    public void ReleaseAnswers()
    {
        lock (_gate)
        {
            _isHolding = false;
            _held.ForEach(Return);
            _held.Clear();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;
        _front.Dispose();
        _back.Dispose();
        _stopping.Dispose();
    }

    /// <summary>A long header of the type Initial: RFC 9000 section 17.2, RFC 9369 section 3.2.</summary>
    private static bool IsInitial(byte[] datagram) => (datagram[0] & 0xB0) == (datagram[4] == 1 ? 0x80 : 0x90);

    private static Socket NewSocket()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveBufferSize = 4 << 20 };
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }

    private async Task ForwardAsync()
    {
        byte[] buffer = new byte[LargestDatagram];
        while (await ReceiveAsync(_front, buffer) is { } received)
        {
            _client = received.RemoteEndPoint;
            _fromClients.Enqueue(buffer[..received.ReceivedBytes]);
            for (int copy = 0; copy < Copies && _server is { } server; copy++)
            {
                await _back.SendToAsync(buffer.AsMemory(0, received.ReceivedBytes), SocketFlags.None, server);
            }
        }
    }

    private async Task ReturnAsync()
    {
        byte[] buffer = new byte[LargestDatagram];
        while (await ReceiveAsync(_back, buffer) is { } received)
        {
            if (IsInitial(buffer))
            {
                Interlocked.Increment(ref _greetings);
            }

            lock (_gate)
            {
                if (_isHolding)
                {
                    _held.Add(buffer[..received.ReceivedBytes]);
                }
                else
                {
                    Return(buffer[..received.ReceivedBytes]);
                }
            }
        }
    }

    private void Return(byte[] datagram)
    {
        if (_client is { } client)
        {
            _front.SendTo(datagram, client);
        }
    }

    private async Task<SocketReceiveFromResult?> ReceiveAsync(Socket socket, byte[] buffer)
    {
        while (true)
        {
            try
            {
                return await socket.ReceiveFromAsync(buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), _stopping.Token);
            }
            catch (OperationCanceledException)
            {
                return null;
            }
            catch (SocketException)
            {
                // Nobody listened where it sent to: an answer to one datagram, not the end.
            }
        }
    }
}
