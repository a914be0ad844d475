using System.Net;
using System.Security.Cryptography.X509Certificates;
using Post.Sockets.Testing;
using Post.Sockets.Tests.Seam;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Resumption;

/// <summary>
/// A server and a client that are started and killed as processes are: what an association knew is gone, and what the application kept (here:
/// <see cref="Kept"/>) is there again.
/// </summary>
internal sealed class DurableWorld(int seed = 0, InMemoryLinkOptions? link = null)
{
    private readonly SeamGuard _guard = new();
    private Listener? _listener;
    private long _lost;

    public InMemoryNetwork Network { get; } = new(seed, link);

    public AssociationOptions ClientOptions { get; init; } = new() { ResumptionTimeout = TimeSpan.FromSeconds(5) };

    public AssociationOptions ServerOptions { get; init; } = new()
    {
        Incremental = IncrementalDelivery.Always,
        ResumptionTimeout = TimeSpan.FromSeconds(5),
    };

    public ListenerOptions ListenerOptions { get; init; } = new();

    /// <summary>What the server's application has on its disk, by durable key.</summary>
    public Dictionary<string, MemoryStream> Kept { get; } = [];

    /// <summary>Objects that came to their end at the server, by durable key.</summary>
    public Dictionary<string, int> Whole { get; } = [];

    /// <summary>The offsets that the server's application asked for.</summary>
    public List<long> Offsets { get; } = [];

    public Association Client { get; private set; } = null!;

    public Association Server { get; private set; } = null!;

    public static void Run(DurableWorld world, Func<DurableWorld, Task> body, TimeSpan? limit = null)
    {
        world.Network.Run(() => body(world), limit);
        Assert.AreEqual(0, world.Network.Clock.ForeignWork, "work came from another thread");
        world._guard.AssertKept();
    }

    public Task DelayAsync(double milliseconds) => Task.Delay(TimeSpan.FromMilliseconds(milliseconds), Network.Clock);

    public PostTransport CreateTransport() => new GuardedTransport(Network.CreateTransport(), _guard);

    /// <summary>Starts the server's process, with the handler that keeps what comes.</summary>
    public async Task StartServerAsync(bool keeps = true)
    {
        _listener = await Listener.ListenAsync(
            CreateTransport(), Local.At(new DnsEndPoint("server", 1)), ListenerOptions with { Association = ServerOptions });
        _listener.Register<Accept>(accept =>
        {
            Server = accept.Association;
            if (keeps)
            {
                Server.Register<Received>(received => KeepAsync(received.Object));
            }
        });
    }

    /// <summary>Starts the client's process; the server has accepted it.</summary>
    public async Task StartClientAsync(X509Certificate2? identity = null)
    {
        var before = Server;
        Client = await Association.AssociateAsync(
            CreateTransport(), Local.Anonymous with { Certificate = identity }, Remote.Named("server", 1), ClientOptions);
        while (Server == before && _listener is not null && !Client.Completion.IsCompleted)
        {
            await DelayAsync(1);
        }
    }

    /// <summary>Bytes that clients have sent.</summary>
    public long Moved => _lost + Network.Wires.Sum(static wire => wire.Client.GetStatistics().BytesSent ?? 0);

    /// <summary>Times that all connections were lost.</summary>
    public int Losses { get; private set; }

    /// <summary>All connections are lost.</summary>
    public void Lose()
    {
        _lost = Moved;
        Losses++;
        foreach (var wire in Network.Wires)
        {
            wire.Break();
        }
    }

    /// <summary>Kills the server's process: nobody is told, and nothing of what it knew is left.</summary>
    public async Task KillServerAsync()
    {
        Lose();
        await _listener!.DisposeAsync();
        Server.Abort();
    }

    /// <summary>Likewise the client's.</summary>
    public void KillClient()
    {
        Lose();
        Client.Abort();
    }

    private async ValueTask KeepAsync(ReceivedObject item)
    {
        if (item.DurableKey is not { } key)
        {
            return;
        }

        if (!Kept.TryGetValue(key, out var file))
        {
            Kept.Add(key, file = new MemoryStream());
        }

        if (item.CanResume)
        {
            Offsets.Add(file.Length);
            item.ResumeFrom(file.Length);
        }

        file.Position = item.Offset;
        file.SetLength(item.Offset);
        try
        {
            if (item.IsIncremental)
            {
                await item.AsStream().CopyToAsync(file);
            }
            else
            {
                file.Write(item.ToArray());
            }

            Whole[key] = Whole.GetValueOrDefault(key) + 1;
        }
        catch (PostException)
        {
            // It stays for the next time.
        }
    }
}
