using System.Net;
using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Post.Sockets;
using Post.Sockets.Testing;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.Transports;

[TestClass]
public sealed class MergedListenerTests
{
    private static readonly IPEndPoint First = new(IPAddress.Loopback, 1);
    private static readonly IPEndPoint Second = new(IPAddress.Loopback, 2);

    public TestContext TestContext { get; set; } = null!;

    private CancellationToken Cancel => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Who_waits_to_be_accepted_when_it_closes_is_turned_away()
    {
        // Two connections for a backlog of one: the second waits for room outside of the queue.
        var network = new InMemoryNetwork();
        using IDisposable running = network.Clock.RunInRealTime();
        await using InMemoryTransport transport = network.CreateTransport();
        using var identity = Identity.CreateSelfSigned();
        await using TransportListener inner = await transport.ListenAsync(
            new TransportListenRequest { Local = Local.At(First, identity) }, Cancel);
        var taken = Channel.CreateUnbounded<bool>();
        var source = new ListenerSource(
            First,
            async cancellationToken =>
            {
                TransportConnection connection = (await inner.AcceptAsync(cancellationToken))!;
                taken.Writer.TryWrite(true);
                return connection;
            },
            static () => default);
        TransportListener listener = await OpenAsync(backlog: 1, _ => ValueTask.FromResult(source), First);
        var events = new RecordedEvents[2];
        for (int i = 0; i < events.Length; i++)
        {
            TransportConnection client = await transport.ConnectAsync(
                new TransportConnectRequest
                {
                    Local = Local.Anonymous,
                    Remote = Remote.Pinned((IPEndPoint)inner.LocalEndPoints[0], KeyFingerprint.Of(identity)),
                },
                Cancel);
            client.Start(events[i] = new RecordedEvents());
            await taken.Reader.ReadAsync(Cancel);
        }

        await listener.DisposeAsync();

        Assert.AreEqual(TransportErrorReason.ClosedByPeer, (await events[0].ClosedAsync(Cancel)).Reason);
        Assert.AreEqual(TransportErrorReason.ClosedByPeer, (await events[1].ClosedAsync(Cancel)).Reason);
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public async Task A_listen_that_is_canceled_or_fails_leaves_no_socket_open(bool isCanceled)
    {
        int closed = 0;
        Exception failure = isCanceled ? new OperationCanceledException() : new IOException("as asked");

        Exception thrown = await Assert.ThrowsAsync<Exception>(() => OpenAsync(
            backlog: 1,
            address => address.EndPoint.Equals(Second)
                ? ValueTask.FromException<ListenerSource>(failure)
                : ValueTask.FromResult(new ListenerSource(address.EndPoint, WaitAsync, () =>
                {
                    closed++;
                    return default;
                })),
            First,
            Second));

        Assert.AreEqual(1, closed, "the socket that was opened first");
        Assert.AreSame(failure, isCanceled ? thrown : thrown.InnerException);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Disposed_twice_at_once_it_closes_once_and_both_wait_for_that()
    {
        int closed = 0;
        var closing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var mayClose = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        TransportListener listener = await OpenAsync(
            backlog: 1,
            address => ValueTask.FromResult(new ListenerSource(address.EndPoint, WaitAsync, async () =>
            {
                closed++;
                closing.TrySetResult();
                await mayClose.Task;
            })),
            First);

        Task one = listener.DisposeAsync().AsTask();
        await closing.Task.WaitAsync(Cancel);
        Task two = listener.DisposeAsync().AsTask();
        bool returnedEarly = two.IsCompleted;
        mayClose.SetResult();
        await Task.WhenAll(one, two).WaitAsync(Cancel);

        Assert.IsFalse(returnedEarly, "the endpoints were still open");
        Assert.AreEqual(1, closed);
    }

    private static async ValueTask<TransportConnection> WaitAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(Timeout.Infinite, cancellationToken);
        throw new InvalidOperationException();
    }

    private static async Task<TransportListener> OpenAsync(
        int backlog, Func<ListenAddress, ValueTask<ListenerSource>> open, params EndPoint[] endPoints) => await MergedListener.OpenAsync(
        new TransportListenRequest { Local = new Local { EndPoints = endPoints }, Backlog = backlog },
        open,
        static exception => new TransportException(TransportErrorReason.Other, exception.Message, innerException: exception),
        NullLogger.Instance,
        canLeaveIPv4: true);
}
