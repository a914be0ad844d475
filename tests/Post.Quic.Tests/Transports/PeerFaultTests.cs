using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Post.Quic.Managed;
using Post.Quic.Tests.EndToEnd;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.Transports;

/// <summary>A peer that fails by its own fault closes with INTERNAL_ERROR: it has given up the connection, and not the association.</summary>
[TestClass]
public sealed class PeerFaultTests
{
    public TestContext TestContext { get; set; } = null!;

    private CancellationToken Cancel => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    [DataRow(TestEngine.Managed)]
    [DataRow(TestEngine.MsQuic)]
    [DataRow(TestEngine.PlainMsQuic)]
    public async Task Both_ends_say_that_it_gave_up(TestEngine client)
    {
        await using TransportPair pair = await TransportPair.ConnectAsync(
            PostPair.TransportOf(client), new ManagedTransport(), null, null, null, null, Cancel);
        Task<TransportStream> accepting = pair.AcceptAsync(pair.Client, Cancel).AsTask();
        pair.ServerEvents.FailsOnAcknowledgement = true;
        TransportStream stream = await pair.Server.OpenStreamAsync(TransportStreamKind.Unidirectional, default, Cancel);
        await stream.WriteAsync(new byte[1], endOfStream: true, Cancel);
        await TransportPair.ReadAllAsync(await accepting, Cancel);

        TransportException read = await Assert.ThrowsExactlyAsync<TransportException>(() => pair.AcceptAsync(pair.Client, Cancel).AsTask());

        Assert.AreEqual(TransportErrorReason.GaveUp, read.Reason, read.Message);
        Assert.AreEqual(TransportErrorReason.GaveUp, (await pair.ClientEvents.ClosedAsync(Cancel)).Reason);
        Assert.AreEqual(TransportErrorReason.GaveUp, (await pair.ServerEvents.ClosedAsync(Cancel)).Reason);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task An_association_goes_on_after_a_defect_at_its_listener()
    {
        using var identity = Identity.CreateSelfSigned("server");
        await using var transport = new ManagedTransport();
        using var faulty = new FaultyLoggers("PathChanged");
        await using Listener listener = await new AssociationFactory(transport, faulty).ListenAsync(
            Local.At(new IPEndPoint(IPAddress.Loopback, 0), identity), cancellationToken: Cancel);
        listener.Register<Accept>(static accept => accept.Association.Register<Received>(static _ => { }));
        await using Association client = await Association.AssociateAsync(
            transport,
            Local.Anonymous,
            Remote.Pinned((IPEndPoint)listener.LocalEndPoints[0], KeyFingerprint.Of(identity)),
            cancellationToken: Cancel);
        await client.Send("before"u8).Completion.WaitAsync(Cancel);
        var interrupted = new TaskCompletionSource<PostException>();
        client.Register<ConnectionChanged>(changed => _ = !changed.IsConnected && interrupted.TrySetResult(changed.Error!));

        // The listener hears of the move inside of its engine, and its log fails there.
        faulty.Arm();
        Task moving = client.MigrateAsync(cancellationToken: Cancel).AsTask();
        PostException loss = await interrupted.Task.WaitAsync(Cancel);
        Receipt after = await client.Send("after"u8).Completion.WaitAsync(Cancel);

        Assert.AreEqual(TransportErrorReason.GaveUp, ((TransportException)loss.InnerException!).Reason, loss.Message);
        Assert.AreEqual(ObjectOutcome.Acked, after.Outcome);
        Assert.AreEqual(1, faulty.Faults);
        Assert.IsNull(client.Error);
        await Task.WhenAny(moving);
    }

    /// <summary>An application's log that throws, once, where it is told of one kind of event.</summary>
    private sealed class FaultyLoggers(string eventName) : ILoggerFactory, ILogger
    {
        private int _isArmed;

        public int Faults { get; private set; }

        public void Arm() => _isArmed = 1;

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => NullLogger.Instance.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId.Name == eventName && Interlocked.Exchange(ref _isArmed, 0) == 1)
            {
                Faults++;
                throw new InvalidOperationException("the disk of the log is full");
            }
        }

        public void Dispose()
        {
        }
    }
}
