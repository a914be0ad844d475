using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;

namespace Post.Quic.Benchmarks.Links;

/// <summary>
/// A link for TCP: two network namespaces, an interface in each, and between them the same delay lines that <see cref="UdpRelay"/>
/// has. The kernel's TCP runs on both ends as over any network. It needs Linux and root.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class TunLink : IDisposable
{
    private const string Interface = "link";

    private static readonly IPAddress ClientAddress = IPAddress.Parse("10.77.0.1");
    private static readonly IPAddress ServerAddress = IPAddress.Parse("10.77.0.2");

    private readonly NetworkNamespace _client;
    private readonly NetworkNamespace _server;
    private readonly TunDevice _clientDevice;
    private readonly TunDevice _serverDevice;
    private readonly LinkDirection[] _directions;

    /// <summary>Makes it.</summary>
    /// <exception cref="NotMeasuredException">This machine does not permit it; the message says why.</exception>
    public TunLink(LinkOptions settings)
    {
        _client = new NetworkNamespace();
        try
        {
            _server = new NetworkNamespace();
            _clientDevice = Attach(_client, ClientAddress, ServerAddress, settings.Mtu);
            _serverDevice = Attach(_server, ServerAddress, ClientAddress, settings.Mtu);
        }
        catch
        {
            _client.Dispose();
            _server?.Dispose();
            _clientDevice?.Dispose();
            throw;
        }

        _directions =
        [
            new Direction(_clientDevice, _serverDevice, new DelayLine(settings, 0, overhead: 0)),
            new Direction(_serverDevice, _clientDevice, new DelayLine(settings, 1, overhead: 0)),
        ];
        foreach (LinkDirection direction in _directions)
        {
            direction.Start();
        }
    }

    /// <summary>A listener at the server's end.</summary>
    public TcpListener Listen() => _server.Run(() =>
    {
        var listener = new TcpListener(ServerAddress, 0);
        listener.Start();
        return listener;
    });

    /// <summary>A socket at the client's end, to connect with.</summary>
    public Socket OpenClient() => _client.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));

    public void Dispose()
    {
        foreach (LinkDirection direction in _directions)
        {
            direction.Stop();
        }

        _clientDevice.Dispose();
        _serverDevice.Dispose();
        _client.Dispose();
        _server.Dispose();
    }

    private static TunDevice Attach(NetworkNamespace place, IPAddress here, IPAddress there, int mtu)
    {
        TunDevice device = place.Run(() => new TunDevice(Interface));
        place.Execute("ip", "addr", "add", $"{here}", "peer", $"{there}", "dev", Interface);
        place.Execute("ip", "link", "set", "dev", Interface, "mtu", $"{mtu}", "txqueuelen", "10000", "up");
        return device;
    }

    private sealed class Direction(TunDevice from, TunDevice to, DelayLine line) : LinkDirection(line, "link")
    {
        protected override bool WaitToRead(int milliseconds) => from.WaitToRead(milliseconds);

        protected override int Read(Span<byte> packet) => from.Read(packet);

        protected override void Write(ReadOnlySpan<byte> packet) => to.Write(packet);
    }
}
