using System.Net;
using Post.Sockets.Testing;
using Post.Sockets.Tests.Seam;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Machines;

/// <summary>An association between two machines in virtual time, and what becomes of the objects that the client sends, by the time of the world.</summary>
internal sealed class MachineWorld
{
    private readonly SeamGuard _guard;
    private readonly Dictionary<long, TimeSpan> _ends = [];
    private readonly List<SentObject> _sent = [];
    private int _delivered;

    public MachineWorld(int seed, InMemoryLinkOptions link, Func<VirtualClock, Machine>? client = null, Func<VirtualClock, Machine>? server = null)
    {
        Network = new InMemoryNetwork(seed, link);
        _guard = new SeamGuard { IsTransportLocked = () => Monitor.IsEntered(Network.Gate) };
        ClientMachine = client?.Invoke(Network.Clock) ?? new Machine(Network.Clock);
        ServerMachine = server?.Invoke(Network.Clock) ?? new Machine(Network.Clock);
    }

    public InMemoryNetwork Network { get; }

    public Machine ClientMachine { get; }

    public Machine ServerMachine { get; }

    public AssociationOptions ClientOptions { get; init; } = new();

    public AssociationOptions ServerOptions { get; init; } = new();

    public TransportCapabilities Capabilities { get; init; } = InMemoryNetwork.DefaultCapabilities;

    /// <summary>How long a handler takes, in milliseconds.</summary>
    public Func<double> HandlerTime { get; init; } = () => 0;

    public Association Client { get; private set; } = null!;

    public Association Server { get; private set; } = null!;

    public IReadOnlyList<SentObject> Sent => _sent;

    public int Delivered => _delivered;

    /// <summary>How long after the end of its lifetime the latest handler ran; below zero where all ran before.</summary>
    public TimeSpan Latest { get; private set; } = TimeSpan.MinValue;

    /// <summary>How long before the end of its lifetime the sender knew that the receiver had given up an object; below zero where it never did.</summary>
    public TimeSpan Earliest { get; private set; } = TimeSpan.MinValue;

    /// <summary>Runs a test in virtual time with the association made.</summary>
    /// <param name="body">The test.</param>
    /// <param name="beside">What goes on beside it, from before the association on.</param>
    public void Run(Func<Task> body, Func<Task>? beside = null)
    {
        Network.Run(async () =>
        {
            var listener = await Listener.ListenAsync(
                ServerMachine.CreateTransport(Network, _guard, Capabilities),
                Local.At(new DnsEndPoint("server", 1)),
                new ListenerOptions { Association = ServerOptions });
            var accepting = listener.AcceptAsync().AsTask();
            var going = beside?.Invoke() ?? Task.CompletedTask;
            Client = await Association.AssociateAsync(
                ClientMachine.CreateTransport(Network, _guard, Capabilities), Local.Anonymous, Remote.Named("server", 1), ClientOptions);
            Server = (await accepting)!;
            await body();
            await going;
        });
        _guard.AssertKept();
    }

    /// <summary>Begins to take objects, and to look at their age.</summary>
    public void Receive() => Server.Register<Received>(async received =>
    {
        Look(received.Object);
        if (HandlerTime() is > 0 and var time)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(time), Network.Clock).ConfigureAwait(false);
        }
    });

    /// <summary>An object is with the application.</summary>
    public void Look(ReceivedObject item)
    {
        _delivered++;
        if (_ends.TryGetValue(item.Id, out var end))
        {
            var late = Network.Clock.Elapsed - end;
            Latest = late > Latest ? late : Latest;
        }
    }

    public SentObject Send(int size, double lifetime, int niceness = 100)
    {
        var span = lifetime > 0 ? TimeSpan.FromMilliseconds(lifetime) : Timeout.InfiniteTimeSpan;
        var at = Network.Clock.Elapsed;
        var sent = Client.Send(new byte[size], new ObjectProperties { Lifetime = span, Niceness = niceness });
        _sent.Add(sent);
        if (lifetime > 0)
        {
            _ends[sent.Id] = at + span;
            _ = NoteAsync(sent, at + span);
        }

        return sent;
    }

    public Task DelayAsync(double milliseconds) => Task.Delay(TimeSpan.FromMilliseconds(milliseconds), Network.Clock);

    private async Task NoteAsync(SentObject sent, TimeSpan end)
    {
        if ((await sent.Completion).Reason == ObjectOutcomeReason.AtReceiver)
        {
            var early = end - Network.Clock.Elapsed;
            Earliest = early > Earliest ? early : Earliest;
        }
    }
}
