using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Udp;
using static Post.Quic.Engine.Tests.Udp.UdpTestSockets;

namespace Post.Quic.Engine.Tests.Udp;

/// <summary>Counts by thread what sending and receiving allocate, since other tests run meanwhile.</summary>
[TestClass]
public sealed class UdpAllocationTests
{
    private const int WarmUp = 200;
    private const int Measured = 2000;

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
        long bySending = 0;
        for (int i = 0; i < WarmUp + Measured; i++)
        {
            if (i == WarmUp)
            {
                bySending = 0;
                receiver.Reset();
            }

            long before = GC.GetAllocatedBytesForCurrentThread();
            UdpSendResult result = client.Send(payload, 1200, route, EcnCodepoint.Ect0, out _);
            bySending += GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.AreEqual(UdpSendResult.Sent, result);
            receiver.WaitFor(payload.Length);
        }

        // The runtime makes a small object of its own now and then. One for each call would be 24 bytes times the calls.
        Assert.IsLessThan(Measured, bySending);

        // A reactor's thread does nothing else. A thread of the pool may: but if a datagram cost anything, all of the
        // times between two calls would show it.
        Assert.IsGreaterThan(Measured / 100, receiver.FreeOfAllocation);
        Assert.IsLessThan(kind == Linux ? 1 : receiver.FreeOfAllocation, receiver.WithAllocation);
    }

    private sealed class CountingReceiver : IUdpReceiver
    {
        private readonly object _gate = new();
        private int _bytes;
        private int _thread;
        private long _allocated;

        /// <summary>How often nothing was allocated between two calls on one thread.</summary>
        public int FreeOfAllocation { get; private set; }

        public int WithAllocation { get; private set; }

        public void OnReceive(UdpReceiveBatch batch)
        {
            long allocated = GC.GetAllocatedBytesForCurrentThread();
            lock (_gate)
            {
                if (_thread == Environment.CurrentManagedThreadId)
                {
                    FreeOfAllocation += allocated == _allocated ? 1 : 0;
                    WithAllocation += allocated == _allocated ? 0 : 1;
                }

                _bytes += batch.Data.Length;
                Monitor.Pulse(_gate);
                _thread = Environment.CurrentManagedThreadId;
                _allocated = GC.GetAllocatedBytesForCurrentThread();
            }
        }

        public void OnWritable()
        {
        }

        public void Reset()
        {
            lock (_gate)
            {
                FreeOfAllocation = 0;
                WithAllocation = 0;
            }
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
