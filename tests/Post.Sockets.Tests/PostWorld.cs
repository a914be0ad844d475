using System.Net;
using Post.Sockets.Testing;
using Post.Sockets.Tests.Seam;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests;

/// <summary>
/// A network in virtual time with one association on it, seen from both ends. Every call into the seam is looked at: none may come under
/// an association's lock.
/// </summary>
internal sealed class PostWorld
{
    private readonly SeamGuard _guard;
    private readonly TransportCapabilities _capabilities;

    public PostWorld(
        int seed = 0,
        InMemoryLinkOptions? link = null,
        TransportCapabilities capabilities = InMemoryNetwork.DefaultCapabilities)
    {
        Network = new InMemoryNetwork(seed, link);
        _guard = new SeamGuard { IsTransportLocked = () => Monitor.IsEntered(Network.Gate) };
        _capabilities = capabilities;
    }

    public InMemoryNetwork Network { get; }

    /// <summary>What both ends log; null: nothing, which costs nothing.</summary>
    public LogBook? Logs { get; init; }

    /// <summary>False where the cost of a call is measured, and the guard's would be part of it.</summary>
    public bool IsGuarded { get; init; } = true;

    public AssociationOptions ClientOptions { get; init; } = new();

    public AssociationOptions ServerOptions { get; init; } = new();

    public Association Client { get; private set; } = null!;

    public Association Server { get; private set; } = null!;

    /// <summary>The rank of the datagram that either end handed over last.</summary>
    public TransportPriority LastDatagram => _guard.LastDatagram;

    public InMemoryWire Wire => Network.Wires[0];

    public static InMemoryLinkOptions Link(
        long bitsPerSecond = 0, double delay = 0, double loss = 0, double reorder = 0, double jitter = 0) => new()
        {
            BitsPerSecond = bitsPerSecond,
            Delay = TimeSpan.FromMilliseconds(delay),
            Loss = loss,
            Reorder = reorder,
            Jitter = TimeSpan.FromMilliseconds(jitter),
        };

    public static byte[] Bytes(int size, int seed = 1)
    {
        var bytes = new byte[size];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>Runs a test in virtual time with the association made.</summary>
    public void Run(Func<PostWorld, Task> body, TimeSpan? limit = null)
    {
        Network.Run(
            async () =>
            {
                await ConnectAsync();
                await body(this);
            },
            limit);
        Assert.AreEqual(0, Network.Clock.ForeignWork, "work came from another thread");
        _guard.AssertKept();
        Assert.AreEqual(IsGuarded, _guard.Calls > 0, "whether calls into the seam were looked at");
    }

    /// <summary>A guarded transport on the network, for what a test makes beside the association of this world.</summary>
    public PostTransport CreateTransport(TransportCapabilities capabilities = InMemoryNetwork.DefaultCapabilities) =>
        IsGuarded ? new GuardedTransport(Network.CreateTransport(capabilities), _guard) : Network.CreateTransport(capabilities);

    public Task DelayAsync(double milliseconds) => Task.Delay(TimeSpan.FromMilliseconds(milliseconds), Network.Clock);

    private async Task ConnectAsync()
    {
        var transport = CreateTransport(_capabilities);
        var factory = new AssociationFactory(transport, Logs);
        var listener = await factory.ListenAsync(Local.At(new DnsEndPoint("server", 1)), new ListenerOptions { Association = ServerOptions });
        var accepting = listener.AcceptAsync().AsTask();
        Client = await factory.AssociateAsync(Local.Anonymous, Remote.Named("server", 1), ClientOptions);
        Server = (await accepting)!;
    }
}
