using System.Net;
using Post.Sockets.Testing;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Transport;

/// <summary>A network with one connection on it, and what its two ends were told.</summary>
internal sealed class TransportWorld
{
    public TransportWorld(
        int seed = 0,
        InMemoryLinkOptions? link = null,
        TransportCapabilities capabilities = InMemoryNetwork.DefaultCapabilities)
    {
        Network = new InMemoryNetwork(seed, link);

        // Streams are fetched here, one by one; that they are pushed, and come whole, is the matter of WholeStreamTests.
        Transport = Network.CreateTransport(capabilities & ~TransportCapabilities.WholeStreams);
    }

    public InMemoryNetwork Network { get; }

    public InMemoryTransport Transport { get; }

    public TransportOptions Limits { get; init; } = new();

    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Patient, since what a world tests comes after the handshake, and one at 30% loss may take its time.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromMinutes(10);

    public TimeSpan? KeepAlive { get; init; }

    public TransportConnection Client { get; private set; } = null!;

    public TransportConnection Server { get; private set; } = null!;

    public EventLog ClientEvents { get; private set; } = null!;

    public EventLog ServerEvents { get; private set; } = null!;

    public InMemoryWire Wire => Network.Wires[0];

    /// <summary>Runs the body in virtual time with the connection made, and sees to it that nothing left virtual time.</summary>
    public void Run(Func<Task> body, TimeSpan? limit = null)
    {
        Network.Run(
            async () =>
            {
                await ConnectAsync();
                await body();
            },
            limit);
        Assert.AreEqual(0, Network.Clock.ForeignWork, "work came from another thread");
    }

    public async Task ConnectAsync()
    {
        TransportListener listener = await Transport.ListenAsync(
            new TransportListenRequest { Local = Local.At(new DnsEndPoint("server", 1)), Options = Limits with { IdleTimeout = IdleTimeout, KeepAliveInterval = null } },
            CancellationToken.None);
        ValueTask<TransportConnection?> accepting = listener.AcceptAsync(CancellationToken.None);
        Client = await Transport.ConnectAsync(
            new TransportConnectRequest
            {
                Local = Local.Anonymous,
                Remote = Remote.Named("server", 1),
                Options = Limits with { HandshakeTimeout = HandshakeTimeout, IdleTimeout = IdleTimeout, KeepAliveInterval = KeepAlive },
            },
            CancellationToken.None);
        ClientEvents = new EventLog(Network.Clock);
        Client.Start(ClientEvents);
        Server = (await accepting)!;
        ServerEvents = new EventLog(Network.Clock);
        Server.Start(ServerEvents);
    }

    public Task DelayAsync(double milliseconds) => Task.Delay(TimeSpan.FromMilliseconds(milliseconds), Network.Clock);

    public TransportStream Open(int niceness = 0, long deadline = TransportPriority.NoDeadline, bool incremental = false, long order = 0) =>
        Client.TryOpenStream(TransportStreamKind.Unidirectional, new TransportPriority(niceness, deadline, incremental, order))!;

    /// <summary>Opens a stream and writes it to its end, without waiting for that.</summary>
    public TransportStream Post(byte[] bytes, int niceness = 0, long deadline = TransportPriority.NoDeadline, bool incremental = false, long order = 0)
    {
        TransportStream stream = Open(niceness, deadline, incremental, order);
        _ = stream.WriteAsync(bytes, endOfStream: true, CancellationToken.None).AsTask();
        return stream;
    }

    public async Task<byte[]> AcceptAllAsync() => await ReadAllAsync(await Server.AcceptStreamAsync(CancellationToken.None));

    public static async Task<byte[]> ReadAllAsync(TransportStream stream)
    {
        using var all = new MemoryStream();
        byte[] buffer = new byte[16 * 1024];
        while (true)
        {
            TransportReadResult result = await stream.ReadAsync(buffer, CancellationToken.None);
            Assert.IsFalse(result.IsReset, $"reset with {result.ResetCode}");
            all.Write(buffer, 0, result.Count);
            if (result.IsCompleted)
            {
                return all.ToArray();
            }
        }
    }

    /// <summary>Like CollectionAssert.AreEqual, but fast enough for megabytes.</summary>
    public static void AreSame(byte[] expected, byte[] actual, string message = "") =>
        Assert.IsTrue(actual.AsSpan().SequenceEqual(expected), $"{actual.Length} bytes came, other than the {expected.Length} sent; {message}");

    public static byte[] Bytes(int size, int seed = 1)
    {
        byte[] bytes = new byte[size];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
