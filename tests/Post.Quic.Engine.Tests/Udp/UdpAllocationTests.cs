using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Udp;
using static Post.Quic.Engine.Tests.Udp.UdpTestSockets;

namespace Post.Quic.Engine.Tests.Udp;

/// <summary>Alone, because it counts what the whole process allocates: receiving happens on other threads.</summary>
[TestClass]
[DoNotParallelize]
public sealed class UdpAllocationTests
{
    [TestMethod]
    [DataRow(Linux, "127.0.0.1", 1)]
    [DataRow(Linux, "::1", 40)]
    [DataRow(Portable, "127.0.0.1", 1)]
    [DataRow(Portable, "::1", 10)]
    public void Steady_state_allocates_nothing_per_datagram(string kind, string address, int segments)
    {
        using UdpSocket server = Open(kind, address, o => o with { DedicatedThread = true });
        using UdpSocket client = Open(kind, address);
        var receiver = new CountingReceiver();
        server.Start(receiver);
        byte[] payload = new byte[1200 * segments];
        UdpRoute route = To(server);
        Exchange(200);

        // The runtime and the test runner allocate too, now and then; what a datagram costs, it costs every time.
        long least = long.MaxValue;
        for (int attempt = 0; attempt < 5 && least > 0; attempt++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            Exchange(1000);
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        Assert.IsLessThan(1000, least);

        void Exchange(int calls)
        {
            for (int i = 0; i < calls; i++)
            {
                Assert.AreEqual(UdpSendResult.Sent, client.Send(payload, 1200, route, EcnCodepoint.Ect0, out _));
                receiver.WaitFor(payload.Length);
            }
        }
    }

    private sealed class CountingReceiver : IUdpReceiver
    {
        private readonly object _gate = new();
        private int _bytes;

        public void OnReceive(UdpReceiveBatch batch)
        {
            lock (_gate)
            {
                _bytes += batch.Data.Length;
                Monitor.Pulse(_gate);
            }
        }

        public void OnWritable()
        {
        }

        public void WaitFor(int bytes)
        {
            lock (_gate)
            {
                while (_bytes < bytes)
                {
                    Assert.IsTrue(Monitor.Wait(_gate, TimeSpan.FromSeconds(20)), "Datagrams are missing.");
                }

                _bytes -= bytes;
            }
        }
    }
}
