using System.Net;
using Post.Sockets.Protocol;
using Post.Sockets.Testing;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Objects;

/// <summary>The bound on what is held for the application holds for memory, not only for bytes of payload.</summary>
[TestClass]
[DoNotParallelize]
public sealed class HeldMemoryTests
{
    public TestContext TestContext { get; set; } = null!;

    [TestMethod]
    [DataRow(60_000, 10, 0, false)]
    [DataRow(60_000, 10, 0, true)]
    [DataRow(20_000, 10, 600, false)]
    [DataRow(20_000, 1000, 0, false)]
    [DataRow(30_000, 513, 0, false)]
    [DataRow(400, 70_001, 0, false)]
    public void What_a_stopped_reader_makes_us_hold_is_no_more_than_it_is_said_to_be(int count, int size, int metadata, bool perishable)
    {
        var network = new InMemoryNetwork(1, PostWorld.Link(delay: 1));
        long held = 0;
        long memory = 0;
        Association? server = null;
        network.Run(async () =>
        {
            var transport = network.CreateTransport();
            var listener = await Listener.ListenAsync(transport, Local.At(new DnsEndPoint("server", 1)));
            var accepting = listener.AcceptAsync().AsTask();
            var peer = new RawEnd(await transport.ConnectAsync(
                new TransportConnectRequest { Local = Local.Anonymous, Remote = Remote.Named("server", 1) }, CancellationToken.None));
            await peer.SayHelloAsync(new HelloFrame { Features = HelloFeatures.DatagramObjects });
            server = await accepting;
            await SendAsync(peer, 0, 300);
            while (server!.HeldBytes > 0)
            {
                (await server.ReceiveAsync()).Dispose();
            }

            var before = Measure();
            await SendAsync(peer, 300, count);
            held = server.HeldBytes;
            memory = Measure() - before;
            TestContext.WriteLine(
                $"{count} objects of {size} bytes, {metadata} of metadata: {memory / count} bytes of memory each, said to be {held / count}");
            var taken = 0;
            while (server.HeldBytes > 0)
            {
                (await server.ReceiveAsync()).Dispose();
                taken++;
            }

            Assert.AreEqual(count, taken);
            server.Abort();
        });
        Assert.IsLessThanOrEqualTo(held, memory);
        Assert.IsLessThanOrEqualTo(64L * 1024 * 1024, held);

        async Task SendAsync(RawEnd peer, int from, int number)
        {
            for (var id = from; id < from + number; id++)
            {
                var header = new ObjectHeader { Id = id, PayloadLength = size, Lifetime = perishable ? 3_600_000_000 : -1, Metadata = new byte[metadata] };
                var bytes = new byte[header.Length() + size];
                header.Write(bytes);
                if (perishable)
                {
                    peer.Connection.TrySendDatagram(bytes, TransportPriority.Control, id);
                }
                else
                {
                    await peer.SendAsync(bytes);
                }

                if (id % 100 == 0)
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(5), network.Clock);
                }
            }

            await Task.Delay(TimeSpan.FromMilliseconds(500), network.Clock);
        }
    }

    [TestMethod]
    [DataRow(64 * 1024 * 1024)]
    [DataRow(1024 * 1024)]
    public void Objects_that_come_piece_by_piece_while_nobody_takes_them_keep_to_the_budget_too(int budget)
    {
        var network = new InMemoryNetwork(1, PostWorld.Link(delay: 1));
        network.Run(async () =>
        {
            var transport = network.CreateTransport();
            var options = new AssociationOptions { Incremental = IncrementalDelivery.Always, ReceiveBudget = budget, MaxWholeObjectSize = budget / 4 };
            var listener = await Listener.ListenAsync(
                transport, Local.At(new DnsEndPoint("server", 1)), new ListenerOptions { Association = options });
            var accepting = listener.AcceptAsync().AsTask();
            var client = await Association.AssociateAsync(
                transport, Local.Anonymous, Remote.Named("server", 1), new() { MaxQueuedBytes = 1L << 40 });
            var server = (await accepting)!;
            var bytes = new byte[600_000];
            var before = Measure();
            var sent = Enumerable.Range(0, 400)
                .Select(i => client.Send(bytes, new() { Niceness = i % 40, Lifetime = TimeSpan.FromHours(1) })).ToArray();
            await Task.Delay(TimeSpan.FromSeconds(10), network.Clock);
            var memory = Measure() - before;
            TestContext.WriteLine($"budget {budget}: {server.HeldBytes} said to be held, {memory} of memory on both sides");
            Assert.IsGreaterThan(budget / 8, server.HeldBytes);
            Assert.IsLessThanOrEqualTo(budget, server.HeldBytes);
            server.Register<Received>(static async received => await received.Object.AsStream().CopyToAsync(Stream.Null).ConfigureAwait(false));
            foreach (var item in sent)
            {
                (await item.Completion).EnsureAcked();
            }

            client.Abort();
        });
    }

    private static long Measure()
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        return GC.GetTotalMemory(forceFullCollection: true);
    }
}
