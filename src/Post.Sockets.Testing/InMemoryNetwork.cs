using System.Buffers.Binary;
using System.Net;
using Post.Sockets.Transport;

namespace Post.Sockets.Testing;

/// <summary>
/// A network in memory and in virtual time: hosts whose transports speak to each other over links with bandwidth, delay, loss and
/// reordering. The same seed and the same code give the same run, packet by packet. See docs/testing.md.
/// </summary>
public sealed class InMemoryNetwork
{
    /// <summary>All that the in-memory transport can do, except several paths at the same time.</summary>
    public const TransportCapabilities DefaultCapabilities =
        TransportCapabilities.Datagrams | TransportCapabilities.Priorities | TransportCapabilities.Paths
        | TransportCapabilities.Migration | TransportCapabilities.Resumption | TransportCapabilities.EarlyData
        | TransportCapabilities.ReliableReset | TransportCapabilities.WritesCompleteWhenSent | TransportCapabilities.Statistics | TransportCapabilities.WholeStreams;

    /// <summary>All that the in-memory transport can do, several paths included.</summary>
    public const TransportCapabilities AllCapabilities = DefaultCapabilities | TransportCapabilities.Multipath;

    // Where the system's choice of ports begins (RFC 6335 section 6).
    private const int FirstDynamicPort = 49152;

    // Beyond this many, packets that nobody uses are left to the garbage collector.
    private const int MaxPooled = 4096;

    private readonly Stack<Packet> _packets = new();
    private readonly Stack<QueuedDatagram> _datagrams = new();
    private readonly List<InMemoryListener> _listeners = [];
    private readonly List<InMemoryWire> _wires = [];
    private readonly Dictionary<long, InMemoryTicket> _tickets = [];
    private readonly Random _seeds;
    private int _nextPort = FirstDynamicPort;
    private int _nextClient;
    private bool _isUp = true;
    private int _pauseSources;

    /// <summary>Makes a network.</summary>
    /// <param name="seed">Decides every random event: which packets are lost, held up, and how long.</param>
    /// <param name="link">What happens to packets in both directions of new connections; null: they arrive at once.</param>
    /// <param name="clock">The clock; null: one of its own.</param>
    public InMemoryNetwork(int seed = 0, InMemoryLinkOptions? link = null, VirtualClock? clock = null)
    {
        Seed = seed;
        _seeds = new Random(seed);
        Clock = clock ?? new VirtualClock();
        ToServer = link ?? InMemoryLinkOptions.Perfect;
        ToClient = ToServer;
    }

    /// <summary>The seed, for the message of a test that fails.</summary>
    public int Seed { get; }

    /// <summary>The time of this network.</summary>
    public VirtualClock Clock { get; }

    /// <summary>What happens to packets to the server, on connections made from now on.</summary>
    public InMemoryLinkOptions ToServer { get; set; }

    /// <summary>What happens to packets to the client, on connections made from now on.</summary>
    public InMemoryLinkOptions ToClient { get; set; }

    /// <summary>True: servers do not take early data, whatever their listeners say.</summary>
    public bool RejectEarlyData { get; set; }

    /// <summary>
    /// False: nothing comes through on any path of any connection, and whoever connects hears nothing; nobody is told. Connections end by
    /// their idle time-outs. True again: those that are left go on, and a client that still tries to connect gets through.
    /// </summary>
    public bool IsUp
    {
        get => _isUp;
        set
        {
            lock (Gate)
            {
                _isUp = value;
                foreach (InMemoryWire wire in _wires)
                {
                    foreach (InMemoryPath path in wire.Paths)
                    {
                        path.ApplyUp();
                    }
                }
            }
        }
    }

    /// <summary>The connections that are open, in the order in which they were made.</summary>
    public IReadOnlyList<InMemoryWire> Wires
    {
        get
        {
            lock (Gate)
            {
                return [.. _wires];
            }
        }
    }

    internal object Gate { get; } = new();

    /// <summary>Gives a host its transport.</summary>
    /// <param name="capabilities">What it offers: leave some out to see how Post does without.</param>
    public InMemoryTransport CreateTransport(TransportCapabilities capabilities = DefaultCapabilities) => new(this, capabilities);

    /// <inheritdoc cref="VirtualClock.Run(Func{Task}, TimeSpan?)"/>
    public void Run(Func<Task> body, TimeSpan? limit = null) => Clock.Run(body, limit);

    /// <inheritdoc cref="VirtualClock.Run{T}(Func{Task{T}}, TimeSpan?)"/>
    public T Run<T>(Func<Task<T>> body, TimeSpan? limit = null) => Clock.Run(body, limit);

    internal Random NextRandom() => new(_seeds.Next());

    // Apart from the links' randomness, so that who asks for it changes nothing of what the links do.
    internal Random NextPauseRandom() => new(unchecked((Seed * 31) + ++_pauseSources));

    internal Packet RentPacket() => _packets.TryPop(out Packet? packet) ? packet : new Packet();

    internal void Return(Packet packet)
    {
        if (_packets.Count < MaxPooled)
        {
            _packets.Push(packet);
        }
    }

    internal QueuedDatagram RentDatagram() => _datagrams.TryPop(out QueuedDatagram? datagram) ? datagram : new QueuedDatagram();

    internal void Return(QueuedDatagram datagram)
    {
        if (_datagrams.Count < MaxPooled)
        {
            _datagrams.Push(datagram);
        }
    }

    internal void Add(InMemoryWire wire) => _wires.Add(wire);

    internal void Forget(InMemoryWire wire) => _wires.Remove(wire);

    internal void Add(InMemoryListener listener) => _listeners.Add(listener);

    internal void Remove(InMemoryListener listener) => _listeners.Remove(listener);

    /// <summary>An interface of a client's host changed: the paths over it go by it. Under the lock.</summary>
    internal void ApplyInterface(InMemoryTransport host, InMemoryInterface changed)
    {
        foreach (InMemoryWire wire in _wires)
        {
            if (wire.ClientEnd.Host == host)
            {
                foreach (InMemoryPath path in wire.Paths)
                {
                    path.ApplyInterface(changed);
                }
            }
        }
    }

    /// <summary>Ends all that a host has: its listeners first, so that nobody is let in meanwhile. Under the lock.</summary>
    internal void Leave(InMemoryTransport host)
    {
        foreach (InMemoryListener listener in _listeners.ToArray())
        {
            if (listener.Host == host)
            {
                listener.Close();
            }
        }

        foreach (InMemoryWire wire in _wires.ToArray())
        {
            foreach (InMemoryConnection end in (ReadOnlySpan<InMemoryConnection>)[wire.ClientEnd, wire.ServerEnd])
            {
                if (end.Host == host)
                {
                    end.Close(0, "The transport was disposed.");
                }
            }
        }
    }

    /// <summary>A host listens at an address. Under the lock.</summary>
    internal bool Listens(InMemoryTransport host, IPEndPoint address) =>
        _listeners.Exists(listener => listener.Host == host && listener.LocalEndPoints.Contains(address));

    internal EndPoint Bind(EndPoint endPoint)
    {
        EndPoint bound = endPoint switch
        {
            IPEndPoint { Port: 0 } ip => new IPEndPoint(ip.Address, _nextPort++),
            DnsEndPoint { Port: 0 } dns => new DnsEndPoint(dns.Host, _nextPort++),
            _ => endPoint,
        };
        return _listeners.Exists(listener => listener.LocalEndPoints.Contains(bound))
            ? throw new TransportException(TransportErrorReason.LocalAddressUnavailable, $"{bound} is in use.")
            : bound;
    }

    internal InMemoryListener? Find(Remote remote, out bool addressExists)
    {
        lock (Gate)
        {
            addressExists = _listeners.Exists(listener => listener.LocalEndPoints.Any(endPoint => Matches(endPoint, remote)));
            return _listeners.Find(listener => listener.LocalEndPoints.Any(
                endPoint => Matches(endPoint, remote) && PortOf(endPoint) == remote.Port));
        }
    }

    internal static EndPoint ServerEndPoint(InMemoryListener listener, Remote remote)
    {
        EndPoint endPoint = listener.LocalEndPoints.First(one => Matches(one, remote) && PortOf(one) == remote.Port);
        return remote.Addresses.Count > 0 ? new IPEndPoint(remote.Addresses[0], remote.Port)
            : IPAddress.TryParse(remote.Host, out IPAddress? address) ? new IPEndPoint(address, remote.Port)
            : endPoint;
    }

    internal IPEndPoint ClientEndPoint(IPEndPoint? wished)
    {
        bool any = wished is null || wished.Address.Equals(IPAddress.Any) || wished.Address.Equals(IPAddress.IPv6Any);
        if (wished is not null && !any && wished.Port != 0)
        {
            return wished;
        }

        int number = ++_nextClient;
        IPAddress address = any ? new IPAddress([10, (byte)(number >> 16), (byte)(number >> 8), (byte)number]) : wished!.Address;
        return new IPEndPoint(address, wished is { Port: > 0 } ? wished.Port : FirstDynamicPort + (number % 16384));
    }

    internal byte[] Issue(InMemoryTicket ticket)
    {
        byte[] session = new byte[sizeof(long)];
        lock (Gate)
        {
            long id = _tickets.Count + 1;
            _tickets.Add(id, ticket);
            BinaryPrimitives.WriteInt64BigEndian(session, id);
        }

        return session;
    }

    internal InMemoryTicket? Redeem(ReadOnlySpan<byte> session)
    {
        lock (Gate)
        {
            return BinaryPrimitives.TryReadInt64BigEndian(session, out long id) ? _tickets.GetValueOrDefault(id) : null;
        }
    }

    private static int PortOf(EndPoint endPoint) => endPoint switch
    {
        IPEndPoint ip => ip.Port,
        DnsEndPoint dns => dns.Port,
        _ => -1,
    };

    private static bool Matches(EndPoint endPoint, Remote remote) => endPoint switch
    {
        IPEndPoint ip => ip.Address.Equals(IPAddress.Any) || ip.Address.Equals(IPAddress.IPv6Any)
            || remote.Addresses.Contains(ip.Address)
            || (IPAddress.TryParse(remote.Host, out IPAddress? address)
                ? ip.Address.Equals(address)
                : IPAddress.IsLoopback(ip.Address) && remote.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)),
        DnsEndPoint dns => dns.Host.Equals(remote.Host, StringComparison.OrdinalIgnoreCase),
        _ => false,
    };
}
