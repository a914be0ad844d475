using System.Net;

namespace Post.Sockets.Testing;

/// <summary>One path of a connection, in the hands of whoever plays the network: both of its directions can be changed at any time.</summary>
public sealed class InMemoryPath
{
    private readonly InMemoryNetwork _network;
    private readonly SimulatedLink _toServer;
    private readonly SimulatedLink _toClient;
    private readonly InMemoryInterface? _interface;
    private readonly IPAddress _own;
    private bool _isUp = true;

    internal InMemoryPath(InMemoryWire wire, long id, IPEndPoint client, EndPoint server, InMemoryLinkOptions toServer, InMemoryLinkOptions toClient)
    {
        _network = wire.Network;
        _own = client.Address;
        _interface = wire.ClientEnd.Host?.FindInterface(client.Address);
        Id = id;
        ClientEndPoint = client;
        ServerEndPoint = server;
        _toServer = new SimulatedLink(_network, toServer);
        _toClient = new SimulatedLink(_network, toClient);
        AtClient = new PathEnd(this, _network, wire.ClientEnd, _toServer, _toClient);
        AtServer = new PathEnd(this, _network, wire.ServerEnd, _toClient, _toServer);
        _toServer.ReceiverPath = AtServer;
        _toClient.ReceiverPath = AtClient;
    }

    /// <summary>The number that <see cref="PostPath.Id"/> shows.</summary>
    public long Id { get; }

    /// <summary>The client's address, as the server sees it.</summary>
    public IPEndPoint ClientEndPoint { get; internal set; }

    /// <summary>The server's address.</summary>
    public EndPoint ServerEndPoint { get; }

    /// <summary>What happens to packets from the client to the server. What is under way already is not changed.</summary>
    public InMemoryLinkOptions ToServer
    {
        get => _toServer.Settings;
        set => Change(_toServer, value);
    }

    /// <summary>What happens to packets from the server to the client. What is under way already is not changed.</summary>
    public InMemoryLinkOptions ToClient
    {
        get => _toClient.Settings;
        set => Change(_toClient, value);
    }

    /// <summary>
    /// False: nothing comes through in either direction, what is under way included, and nobody is told. The ends notice by the
    /// silence, and move to another path if there is one. The whole network can be cut, too: see <see cref="InMemoryNetwork.IsUp"/>.
    /// </summary>
    public bool IsUp
    {
        get => _isUp;
        set
        {
            lock (_network.Gate)
            {
                _isUp = value;
                ApplyUp();
            }
        }
    }

    internal PathEnd AtClient { get; }

    internal PathEnd AtServer { get; }

    internal InMemoryNetwork Network => _network;

    internal long RoundTripTicks => ToServer.Delay.Ticks + ToClient.Delay.Ticks;

    /// <summary>The interface of the client that it goes over; null where its host has none.</summary>
    internal string? InterfaceName => _interface?.Name;

    internal bool IsMetered => _interface?.IsMetered ?? false;

    internal bool ComesThrough => _isUp && _network.IsUp && _interface?.Carries(_own) != false;

    /// <summary>The client's interface changed. Under the network's lock.</summary>
    internal void ApplyInterface(InMemoryInterface changed)
    {
        if (changed == _interface)
        {
            _toServer.Settings = changed.Outgoing;
            _toClient.Settings = changed.Incoming;
            ApplyUp();
            AtClient.Owner.Sender.Pump();
            AtServer.Owner.Sender.Pump();
        }
    }

    /// <summary>Something comes through where neither this path nor its interface nor the network is cut.</summary>
    internal void ApplyUp()
    {
        bool up = ComesThrough;
        if (up == _toServer.IsUp)
        {
            return;
        }

        _toServer.SetUp(up);
        _toClient.SetUp(up);
        if (up)
        {
            new InMemoryPathValidation(this).Schedule();
        }
    }

    private void Change(SimulatedLink link, InMemoryLinkOptions settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        lock (_network.Gate)
        {
            link.Settings = settings;

            // More may be allowed now than the timers know.
            AtClient.Owner.Sender.Pump();
            AtServer.Owner.Sender.Pump();
        }
    }
}
