using System.Net;
using Post.Sockets.Testing;
using Post.Sockets.Tests.Seam;

namespace Post.Sockets.Tests.Paths;

/// <summary>A client with interfaces of its own and a server, with an association between them, in virtual time.</summary>
internal sealed class RoamingWorld
{
    public static readonly IPAddress Ethernet = IPAddress.Parse("192.0.2.1");
    public static readonly IPAddress Wireless = IPAddress.Parse("203.0.113.1");

    public static readonly IPEndPoint ServerAddress = new(IPAddress.Parse("198.51.100.1"), 4433);

    private readonly SeamGuard _guard = new();

    public RoamingWorld(
        int seed = 0, MultipathPolicy policy = MultipathPolicy.Handover, InMemoryLinkOptions? wired = null, InMemoryLinkOptions? wireless = null)
    {
        Network = new InMemoryNetwork(seed);
        Options = new AssociationOptions { Multipath = policy, ResumptionTimeout = TimeSpan.FromMinutes(10) };
        Laptop = Network.CreateTransport(InMemoryNetwork.AllCapabilities);
        Wired = Laptop.AddInterface("eth0", Ethernet, wired ?? PostWorld.Link(20_000_000, 10));
        Wifi = Laptop.AddInterface("wlan0", Wireless, wireless ?? PostWorld.Link(10_000_000, 20));
    }

    public InMemoryNetwork Network { get; }

    public InMemoryTransport Laptop { get; }

    public InMemoryInterface Wired { get; }

    public InMemoryInterface Wifi { get; }

    public AssociationOptions Options { get; init; }

    /// <summary>Where else the server is.</summary>
    public IReadOnlyList<IPEndPoint> Further { get; init; } = [];

    public Local Local { get; init; } = Local.Anonymous;

    /// <summary>What the client logs.</summary>
    public LogBook Logs { get; } = new();

    public Association Client { get; private set; } = null!;

    public Association Server { get; private set; } = null!;

    public TimeSpan Now => Network.Clock.Elapsed;

    public void Run(Func<RoamingWorld, Task> body, TimeSpan? limit = null)
    {
        Network.Run(
            async () =>
            {
                var factory = new AssociationFactory(new GuardedTransport(Network.CreateTransport(InMemoryNetwork.AllCapabilities), _guard));
                var address = ServerAddress;
                await using var listener = await factory.ListenAsync(
                    new Local { EndPoints = [address, .. Further], FurtherEndPoints = Further }, new ListenerOptions { Association = Options });
                var accepting = listener.AcceptAsync().AsTask();
                Client = await new AssociationFactory(new GuardedTransport(Laptop, _guard), Logs).AssociateAsync(
                    Local, Remote.Named("198.51.100.1", 4433) with { Addresses = [address.Address] }, Options);
                Server = (await accepting)!;
                await DelayAsync(500);
                await body(this);
            },
            limit);
        Assert.AreEqual(0, Network.Clock.ForeignWork, "work came from another thread");
        _guard.AssertKept();
    }

    public Task DelayAsync(double milliseconds) => Task.Delay(TimeSpan.FromMilliseconds(milliseconds), Network.Clock);

    public string Paths => string.Join(", ", Client.Paths.Select(path => $"{path.Id} {path.InterfaceName} {path.State}"));
}
