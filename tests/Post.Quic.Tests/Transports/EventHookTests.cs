using System.Net;
using System.Net.Quic;
using System.Net.Security;
using System.Runtime.Versioning;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Post.Quic.MsQuic;
using Post.Quic.MsQuic.Native;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.Transports;

/// <summary>What the extras hold of a connection they give back, however it ends, and nothing of it ends the process.</summary>
[TestClass]
[DoNotParallelize] // They count what is hooked in the whole process.
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
public sealed class EventHookTests
{
    private static readonly TransportPriority Ordinary = new(3, TransportPriority.NoDeadline, Incremental: true, Order: 0);

    private static readonly PeerTrust Fatal = PeerTrust.Callback((certificate, _, _) =>
    {
        // The application owns what it is given no more than anybody else; that it does this must cost its own connection only.
        certificate.Dispose();
        return true;
    });

    public TestContext TestContext { get; set; } = null!;

    private CancellationToken Cancel => TestContext.CancellationToken;

    [TestInitialize]
    public async Task RequireMsQuicAsync() => await MsQuicPlatform.CreateTransport().DisposeAsync();

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_connection_that_ended_before_it_was_hooked_is_not_held()
    {
        int before = EventHook.Count;
        QuicConnection connection = QuicInternals.NewConnection();
        await connection.CloseAsync(0, Cancel);

        MsQuicExtras.Get().Extras!.Attach(connection, TimeProvider.System, NullLogger.Instance, givesTickets: false);

        Assert.AreEqual(before, EventHook.Count);
        await connection.DisposeAsync();
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task Handshakes_that_clients_give_up_leave_nothing()
    {
        int before = EventHook.Count;
        using X509Certificate2 identity = Identity.CreateSelfSigned();
        await using PostTransport transport = MsQuicPlatform.CreateTransport();
        TransportListener listener = await ListenAsync(transport, identity);
        var options = new Engine.QuicClientConnectionOptions
        {
            RemoteEndPoint = listener.LocalEndPoints[0],
            ClientAuthenticationOptions = new SslClientAuthenticationOptions
            {
                ApplicationProtocols = [new SslApplicationProtocol(new TransportListenRequest { Local = Local.Anonymous }.Protocol)],
                TargetHost = "localhost",
                RemoteCertificateValidationCallback = (_, _, _, _) => false,
            },
        };

        await Parallel.ForAsync(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 20, CancellationToken = Cancel }, async (_, cancel) =>
        {
            await Assert.ThrowsAsync<Exception>(async () => await Engine.QuicConnection.ConnectAsync(options, cancel));
        });

        await WaitUntilAsync(() => EventHook.Count == before);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_client_whose_identification_fails_closes_its_connection()
    {
        int before = EventHook.Count;
        using X509Certificate2 identity = Identity.CreateSelfSigned();
        await using PostTransport transport = MsQuicPlatform.CreateTransport();
        TransportListener listener = await ListenAsync(transport, identity);
        Task<TransportConnection?> accepting = listener.AcceptAsync(Cancel).AsTask();

        await Assert.ThrowsExactlyAsync<TransportException>(() => ConnectAsync(transport, listener, identity, Local.Anonymous, Fatal));

        TransportConnection server = (await accepting)!;
        var events = new RecordedEvents();
        server.Start(events);
        Task<TransportStream> waiting = server.AcceptStreamAsync(Cancel).AsTask();
        await events.ClosedAsync(Cancel);
        await Assert.ThrowsExactlyAsync<TransportException>(() => waiting);
        await server.DisposeAsync();
        await WaitUntilAsync(() => EventHook.Count == before);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_server_whose_identification_fails_closes_its_connection()
    {
        int before = EventHook.Count;
        using X509Certificate2 identity = Identity.CreateSelfSigned();
        await using PostTransport transport = MsQuicPlatform.CreateTransport();
        TransportListener listener = await ListenAsync(transport, identity, Fatal);

        TransportConnection client = await ConnectAsync(
            transport, listener, identity, new Local { Certificate = identity }, PeerTrust.Pinned(KeyFingerprint.Of(identity)));

        await Assert.ThrowsExactlyAsync<TransportException>(() => client.AcceptStreamAsync(Cancel).AsTask());
        await client.DisposeAsync();
        await WaitUntilAsync(() => EventHook.Count == before);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_logger_that_throws_costs_no_more_than_its_line()
    {
        using X509Certificate2 identity = Identity.CreateSelfSigned();
        using var logs = new ThrowingLogs();
        await using PostTransport transport = MsQuicPlatform.CreateTransport(logs: logs);
        TransportListener listener = await ListenAsync(transport, identity);
        Task<TransportConnection?> accepting = listener.AcceptAsync(Cancel).AsTask();
        TransportConnection client = await ConnectAsync(
            transport, listener, identity, Local.Anonymous, PeerTrust.Pinned(KeyFingerprint.Of(identity)));
        TransportConnection server = (await accepting)!;
        client.Start(new RecordedEvents());
        server.Start(new ThrowingEvents());

        // The server's events throw at it, and then the logger does.
        Assert.AreEqual(TransportDatagramResult.Queued, client.TrySendDatagram([1], Ordinary, 1));
        await logs.Asked.WaitAsync(Cancel);

        TransportStream sent = await client.OpenStreamAsync(TransportStreamKind.Unidirectional, Ordinary, Cancel);
        await sent.WriteAsync(new byte[10], endOfStream: true, Cancel);
        Assert.HasCount(10, await TransportPair.ReadAllAsync(await server.AcceptStreamAsync(Cancel), Cancel));
    }

    [TestMethod]
    [DataRow(false, DisplayName = "finds something wrong")]
    [DataRow(true, DisplayName = "fails")]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Where_the_self_test_does_not_pass_objects_travel_as_streams_and_the_log_says_why(bool throws)
    {
        int before = EventHook.Count;
        using X509Certificate2 identity = Identity.CreateSelfSigned();
        using var logs = new RecordedLogs();
        await using PostTransport transport = MsQuicPlatform.CreateTransport(
            logs: logs,
            extras: () => MsQuicExtras.Try(test => throws
                ? throw new InvalidOperationException("a number is wrong")
                : test.FindObstacle() ?? "a number is wrong"));

        Assert.AreEqual(before, EventHook.Count, "The connection that it was tried on is still hooked.");
        Assert.AreEqual(TransportCapabilities.None, transport.Capabilities);
        Assert.Contains("a number is wrong", logs.Lines.Single());

        Listener listener = await Listener.ListenAsync(
            transport, Local.At(new IPEndPoint(IPAddress.Loopback, 0), identity), new ListenerOptions(), Cancel);
        Task<Association?> accepting = listener.AcceptAsync(Cancel).AsTask();
        Association client = await Association.AssociateAsync(
            transport,
            Local.Anonymous,
            Remote.Pinned((IPEndPoint)listener.LocalEndPoints[0], KeyFingerprint.Of(identity)),
            new AssociationOptions(),
            Cancel);
        Association server = (await accepting)!;
        SentObject sent = client.Send(new byte[] { 7 }, new ObjectProperties { Lifetime = TimeSpan.FromSeconds(20) });
        using ReceivedObject received = await server.ReceiveAsync(Cancel);
        CollectionAssert.AreEqual(new byte[] { 7 }, received.ToArray());
        (await sent.Completion.WaitAsync(Cancel)).EnsureAcked();
        client.Abort();
        server.Abort();
    }

    private async Task WaitUntilAsync(Func<bool> condition)
    {
        while (!condition())
        {
            await Task.Delay(10, Cancel);
        }
    }

    private Task<TransportListener> ListenAsync(PostTransport transport, X509Certificate2 identity, PeerTrust? clientTrust = null) =>
        transport.ListenAsync(
            new TransportListenRequest { Local = Local.At(new IPEndPoint(IPAddress.Loopback, 0), identity), ClientTrust = clientTrust },
            Cancel).AsTask();

    private Task<TransportConnection> ConnectAsync(
        PostTransport transport, TransportListener listener, X509Certificate2 identity, Local local, PeerTrust trust) => transport.ConnectAsync(
            new TransportConnectRequest
            {
                Local = local,
                Remote = Remote.Pinned((IPEndPoint)listener.LocalEndPoints[0], KeyFingerprint.Of(identity)) with { Trust = trust },
            },
            Cancel).AsTask();

    private sealed class ThrowingEvents : TransportEvents
    {
        public override void OnDatagramReceived(ReadOnlySpan<byte> payload, bool isEarlyData, long arrivedAt) => throw new InvalidOperationException("as the test wants");
    }

    private sealed class ThrowingLogs : ILoggerFactory, ILogger
    {
        private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Asked => _asked.Task;

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel == LogLevel.Warning;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            _asked.TrySetResult();
            throw new IOException("The disk is full.");
        }

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public void Dispose()
        {
        }
    }

    private sealed class RecordedLogs : ILoggerFactory, ILogger
    {
        public System.Collections.Concurrent.ConcurrentQueue<string> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue(formatter(state, exception));

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public void Dispose()
        {
        }
    }
}
