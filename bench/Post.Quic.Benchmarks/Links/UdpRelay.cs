using System.Net;
using System.Net.Sockets;

namespace Post.Quic.Benchmarks.Links;

/// <summary>
/// A link for one connection over UDP, in this process: the client sends to it as if it were the server. It needs no rights and
/// treats all engines alike. Two threads, one a direction; the case <c>link</c> measures what they can carry.
/// </summary>
/// <remarks>ECN marks do not pass, and each engine finds that out by itself.</remarks>
internal sealed class UdpRelay : IDisposable
{
    private const int SocketBuffer = 4 << 20;
    private const int Headers = 20 + 8;

    private readonly Socket _front;
    private readonly Socket _back;
    private readonly LinkDirection[] _directions;

    private UdpRelay(IPEndPoint server, LinkOptions settings)
    {
        _front = Open();
        _back = Open();
        _front.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _back.Connect(server);
        ToServer = new DelayLine(settings, 0, Headers);
        ToClient = new DelayLine(settings, 1, Headers);
        var client = new Client();
        _directions =
        [
            new Forth(_front, _back, client, ToServer),
            new Back(_back, _front, client, ToClient),
        ];
    }

    /// <summary>Where the client is to connect to.</summary>
    public IPEndPoint EndPoint => (IPEndPoint)_front.LocalEndPoint!;

    public DelayLine ToServer { get; }

    public DelayLine ToClient { get; }

    /// <summary>Puts a link in front of a server.</summary>
    public static UdpRelay Start(IPEndPoint server, LinkOptions settings)
    {
        var relay = new UdpRelay(server, settings);
        foreach (LinkDirection direction in relay._directions)
        {
            direction.Start();
        }

        return relay;
    }

    public void Dispose()
    {
        foreach (LinkDirection direction in _directions)
        {
            direction.Stop();
        }

        _front.Dispose();
        _back.Dispose();
    }

    private static Socket Open() => new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp)
    {
        ReceiveBufferSize = SocketBuffer,
        SendBufferSize = SocketBuffer,
    };

    /// <summary>Where the client was last seen.</summary>
    private sealed class Client
    {
        public volatile SocketAddress? Address;
    }

    private sealed class Forth(Socket front, Socket back, Client client, DelayLine line) : LinkDirection(line, "link to server")
    {
        private readonly SocketAddress _from = new(AddressFamily.InterNetwork);

        protected override bool WaitToRead(int milliseconds) => front.Poll(milliseconds * 1000, SelectMode.SelectRead);

        protected override int Read(Span<byte> packet)
        {
            int length = front.ReceiveFrom(packet, SocketFlags.None, _from);
            if (client.Address is not { } known || !known.Equals(_from))
            {
                var moved = new SocketAddress(AddressFamily.InterNetwork, _from.Size);
                _from.Buffer.Span.CopyTo(moved.Buffer.Span);
                client.Address = moved;
            }

            return length;
        }

        protected override void Write(ReadOnlySpan<byte> packet)
        {
            try
            {
                _ = back.Send(packet);
            }
            catch (SocketException)
            {
                // The server is gone; packets to nowhere are lost.
            }
        }
    }

    private sealed class Back(Socket back, Socket front, Client client, DelayLine line) : LinkDirection(line, "link to client")
    {
        protected override bool WaitToRead(int milliseconds) => back.Poll(milliseconds * 1000, SelectMode.SelectRead);

        protected override int Read(Span<byte> packet)
        {
            try
            {
                return back.Receive(packet);
            }
            catch (SocketException)
            {
                // An earlier packet was refused: the server is gone.
                return 0;
            }
        }

        protected override void Write(ReadOnlySpan<byte> packet)
        {
            try
            {
                _ = front.SendTo(packet, SocketFlags.None, client.Address!);
            }
            catch (SocketException)
            {
                // The client is gone; packets to nowhere are lost.
            }
        }
    }
}
