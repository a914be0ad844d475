using System.Collections.Concurrent;
using System.Net;
using Post.Sockets.Testing;
using Post.Sockets.Tests.Seam;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Associations;

/// <summary>The same promises with real threads: many of them send, cancel and receive at once, in real time.</summary>
[TestClass]
public sealed class ManyThreadsTests
{
    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public async Task Every_object_ends_once_whoever_sends_it(bool losesConnections)
    {
        var network = new InMemoryNetwork(1, PostWorld.Link(200_000_000, 1, loss: 0.01));
        using var running = network.Clock.RunInRealTime();
        var guard = new SeamGuard { IsTransportLocked = () => Monitor.IsEntered(network.Gate) };
        var factory = new AssociationFactory(new GuardedTransport(new PoolTransport(network.CreateTransport()), guard));
        await using var listener = await factory.ListenAsync(
            Local.At(new DnsEndPoint("server", 1)), new ListenerOptions { Association = new() { HandlerConcurrency = 4 } });
        var got = new ConcurrentDictionary<long, int>();
        listener.Register<Accept>(accept => accept.Association.Register<Received>(
            received => _ = got.AddOrUpdate(received.Object.Id, 1, static (_, count) => count + 1)));
        await using var client = await factory.AssociateAsync(Local.Anonymous, Remote.Named("server", 1));
        var ends = new ConcurrentDictionary<long, int>();
        client.Register<ObjectCompleted>(ended => _ = ends.AddOrUpdate(ended.Object.Id, 1, static (_, count) => count + 1));
        var sent = new ConcurrentBag<SentObject>();
        using var losing = new CancellationTokenSource();
        var losses = losesConnections ? Task.Run(() => LoseAsync(network, losing.Token)) : Task.CompletedTask;
        await Task.WhenAll(Enumerable.Range(0, 6).Select(thread => Task.Run(async () =>
        {
            var random = new Random(thread);
            SentObject? before = null;
            for (var i = 0; i < 400; i++)
            {
                var item = await client.SendAsync(new byte[random.Next(3000)], new ObjectProperties
                {
                    Niceness = random.Next(3),
                    Lifetime = random.Next(2) == 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(random.Next(1, 2000)),
                    Antecedents = before is not null && random.Next(4) == 0 ? [before] : [],
                });
                sent.Add(item);
                before = item;
                switch (random.Next(12))
                {
                    case 0:
                        item.Cancel();
                        break;
                    case 1:
                        item.Reprioritize(random.Next(3));
                        break;
                    case 2:
                        await item.Completion;
                        break;
                }
            }
        })));
        await losing.CancelAsync();
        foreach (var item in sent)
        {
            var receipt = await item.Completion.WaitAsync(TimeSpan.FromSeconds(60));
            Assert.IsTrue(!receipt.IsAcked || got.ContainsKey(item.Id));
        }

        await losses;
        await client.CloseAsync();
        await client.Completion;
        Assert.HasCount(2400, sent);
        Assert.IsTrue(got.Values.All(static count => count == 1), "delivered twice");

        // The events come on a thread of their own, maybe a moment later.
        for (var i = 0; i < 100 && ends.Count < 2400; i++)
        {
            await Task.Delay(20);
        }

        Assert.HasCount(2400, ends);
        Assert.IsTrue(ends.Values.All(static count => count == 1), "ended twice");
        guard.AssertKept();
    }

    [TestMethod]
    [DataRow(1)]
    [DataRow(2)]
    public async Task Of_64_senders_every_object_ends_once_whatever_is_canceled_lost_or_disposed(int seed)
    {
        var network = new InMemoryNetwork(seed, PostWorld.Link(500_000_000, 1, loss: 0.01));
        using var running = network.Clock.RunInRealTime();
        var guard = new SeamGuard { IsTransportLocked = () => Monitor.IsEntered(network.Gate) };
        var factory = new AssociationFactory(new GuardedTransport(new PoolTransport(network.CreateTransport()), guard));
        await using var listener = await factory.ListenAsync(
            Local.At(new DnsEndPoint("server", 1)), new ListenerOptions { Association = new() { HandlerConcurrency = 1 + seed } });
        listener.Register<Accept>(accept => accept.Association.Register<Received>(static _ => { }));
        var client = await factory.AssociateAsync(Local.Anonymous, Remote.Named("server", 1));
        var ends = new ConcurrentDictionary<long, int>();
        client.Register<ObjectCompleted>(ended => _ = ends.AddOrUpdate(ended.Object.Id, 1, static (_, count) => count + 1));
        var sent = new ConcurrentBag<SentObject>();
        using var losing = new CancellationTokenSource();
        var losses = Task.Run(() => LoseAsync(network, losing.Token));
        var closing = new TaskCompletionSource();
        var threads = Enumerable.Range(0, 64).Select(number => new Thread(() =>
        {
            var random = new Random((seed * 1000) + number);
            try
            {
                for (var i = 0; i < 200; i++)
                {
                    var item = client.Send(new byte[random.Next(2500)], new ObjectProperties
                    {
                        Niceness = random.Next(3),
                        Lifetime = random.Next(3) > 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(random.Next(1, 500)),
                    });
                    sent.Add(item);
                    if (random.Next(4) == 0)
                    {
                        item.Cancel();
                    }
                    else if (random.Next(16) == 0)
                    {
                        item.Reprioritize(random.Next(3));
                    }

                    if (number == 0 && i == 150)
                    {
                        closing.SetResult();
                    }
                }
            }
            catch (PostException exception) when (exception.Reason == PostErrorReason.AssociationEnded)
            {
                // Disposed, as it may be at any moment.
            }
        })).ToArray();
        foreach (var thread in threads)
        {
            thread.Start();
        }

        await closing.Task;
        var disposing = client.DisposeAsync().AsTask();
        foreach (var thread in threads)
        {
            thread.Join();
        }

        await losing.CancelAsync();
        await losses;
        await disposing.WaitAsync(TimeSpan.FromSeconds(90));
        foreach (var item in sent)
        {
            await item.Completion.WaitAsync(TimeSpan.FromSeconds(10));
        }

        for (var i = 0; i < 200 && ends.Count < sent.Count; i++)
        {
            await Task.Delay(20);
        }

        Assert.AreEqual(sent.Count, ends.Count);
        Assert.IsTrue(ends.Values.All(static count => count == 1), "ended twice");
        Assert.AreEqual(0, client.PendingObjects);
        guard.AssertKept();
    }

    private static async Task LoseAsync(InMemoryNetwork network, CancellationToken cancellationToken)
    {
        var random = new Random(1);
        while (!cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(random.Next(50, 300), CancellationToken.None);
            if (network.Wires is [.., var wire])
            {
                switch (random.Next(3))
                {
                    case 0:
                        wire.BreakClient();
                        break;
                    default:
                        wire.Break(TransportErrorReason.TimedOut);
                        break;
                }
            }
        }
    }

    /// <summary>The in-memory transport with its work on the thread pool, as a real transport has it.</summary>
    private sealed class PoolTransport(InMemoryTransport inner) : PostTransport
    {
        public override string Name => inner.Name;

        public override TransportCapabilities Capabilities => inner.Capabilities;

        public override ValueTask<TransportConnection> ConnectAsync(TransportConnectRequest request, CancellationToken cancellationToken) =>
            inner.ConnectAsync(request, cancellationToken);

        public override ValueTask<TransportListener> ListenAsync(TransportListenRequest request, CancellationToken cancellationToken) =>
            inner.ListenAsync(request, cancellationToken);
    }
}
