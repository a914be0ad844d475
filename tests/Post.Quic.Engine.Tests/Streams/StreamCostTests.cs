using System.Diagnostics;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Tests.Simulation;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tests.Streams;

/// <summary>What streams cost: bytes allocated, bytes held, and time that does not grow with the number of streams.</summary>
[TestClass]
public sealed class StreamCostTests
{
    private static readonly StreamCredits Large = new(1UL << 40, 1 << 20, 1 << 20, 1 << 20, 20_000, 20_000);

    private const long ArrayPoolNoise = 4096;

    public TestContext TestContext { get; set; } = null!;

    [TestMethod]
    public void A_stream_from_opening_to_closing_allocates_nothing_in_steady_state()
    {
        using var loop = new Loop();
        loop.Run(3000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        long start = Stopwatch.GetTimestamp();
        loop.Run(20_000);
        TimeSpan elapsed = Stopwatch.GetElapsedTime(start);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        TestContext.WriteLine($"{elapsed.TotalNanoseconds / 20_000:f0} ns a stream of 1 KiB, both sides");
        Assert.AreEqual(20_000 + 3000, loop.Finished);

        // The process-wide array pool sets up a few hundred bytes when its thread comes to another core.
        Assert.IsTrue(allocated < ArrayPoolNoise, $"{allocated} bytes for 20,000 streams");
    }

    [TestMethod]
    public void A_large_stream_allocates_nothing_in_steady_state()
    {
        using var loop = new Loop();
        loop.Transfer(4 << 20);
        long before = GC.GetAllocatedBytesForCurrentThread();
        loop.Transfer(16 << 20);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.IsTrue(allocated < ArrayPoolNoise, $"{allocated} bytes for 16 MiB");
    }

    [TestMethod]
    public void An_idle_stream_holds_less_than_a_kilobyte()
    {
        using var server = new StreamEnd(true, Large) { KeepsEvents = false };
        server.Table.ApplyPeerCredits(Large);
        var streams = new List<StreamState>(10_000);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        for (ulong i = 0; i < 10_000; i++)
        {
            server.Receive(StreamStateTests.Data(i << 2, 0, "x"u8));
            StreamState stream = server.Accept();
            stream.Read(new byte[1], server.Now);
            streams.Add(stream);
        }

        long each = (GC.GetTotalMemory(forceFullCollection: true) - before) / 10_000;
        TestContext.WriteLine($"{each} bytes an idle bidirectional stream");
        Assert.AreEqual(0, server.Pool.RentedBytes);
        Assert.IsTrue(each < 1024, $"{each} bytes");
        GC.KeepAlive(streams);
    }

    [TestMethod]
    public void A_packet_costs_about_the_same_among_10000_streams_as_among_ten()
    {
        double few = NanosecondsPerPacket(10);
        double many = NanosecondsPerPacket(10_000);
        TestContext.WriteLine($"{few:f0} ns a packet with 10 active streams, {many:f0} ns with 10,000");

        // A scan would make it a thousand times as much; caches and a busy machine may make it ten.
        Assert.IsTrue(many < (few * 30) + 5000, $"{few:f0} ns became {many:f0} ns");
    }

    [TestMethod]
    public void A_blocked_connection_does_not_look_at_the_streams_that_wait()
    {
        using var client = new StreamEnd(false, Large) { KeepsEvents = false };
        client.Table.ApplyPeerCredits(Large with { MaxData = 1000 });
        for (int i = 0; i < 10_000; i++)
        {
            client.Open().Write(new byte[2000]);
        }

        while (client.Build() is not null)
        {
        }

        var watch = Stopwatch.StartNew();
        for (int i = 0; i < 100_000; i++)
        {
            Assert.IsFalse(client.Table.HasFramesToSend);
        }

        Assert.IsTrue(watch.ElapsedMilliseconds < 2000, $"{watch.ElapsedMilliseconds} ms for 100,000 questions");
    }

    private static double NanosecondsPerPacket(int streams)
    {
        using var client = new StreamEnd(false, Large) { KeepsEvents = false };
        client.Table.ApplyPeerCredits(Large);
        var data = new byte[1 << 20];
        for (int i = 0; i < streams; i++)
        {
            StreamState stream = client.Open();
            stream.SetUrgency(new SendUrgency(i % 3, i));
            stream.Write(data);
        }

        double best = double.MaxValue;
        var packet = new byte[1200];
        for (int round = 0; round < 5; round++)
        {
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < 1000; i++)
            {
                var writer = new WireWriter(packet);
                client.Table.WriteFrames(ref writer, client.Log, client.Now);
            }

            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalNanoseconds / 1000);
            client.Log.Discard();
        }

        return best;
    }

    /// <summary>A sender and a receiver that do not allocate themselves.</summary>
    private sealed class Loop : IDisposable
    {
        private readonly StreamEnd _client;
        private readonly StreamEnd _server;
        private readonly byte[] _data = new byte[1024];
        private readonly byte[] _packet = new byte[1200];
        private readonly byte[] _read = new byte[64 * 1024];
        private readonly List<StreamState> _open = new(100);

        public Loop()
        {
            _client = new StreamEnd(false, Large) { KeepsEvents = false };
            _server = new StreamEnd(true, Large) { KeepsEvents = false };
            _client.Table.ApplyPeerCredits(Large);
            _server.Table.ApplyPeerCredits(Large);
        }

        public int Finished { get; private set; }

        public void Dispose()
        {
            _client.Dispose();
            _server.Dispose();
        }

        public void Run(int count)
        {
            while (count > 0)
            {
                // A few at a time, as an application with some streams in flight has them.
                for (int i = 0; i < 50 && count > 0; i++, count--)
                {
                    if (!_client.Table.TryOpen(false, out StreamState? stream))
                    {
                        throw new InvalidOperationException("no credit for another stream");
                    }

                    stream!.Write(_data);
                    stream.Finish();
                    stream.Release(0, _client.Now);
                }

                Pump(_client, _server);
                while (_server.Table.TryAccept(false, _server.Now, out StreamState? stream))
                {
                    if (stream!.Read(_read, _server.Now) != _data.Length || stream.Receive!.State != ReceiveState.DataRead)
                    {
                        throw new InvalidOperationException("a stream did not arrive");
                    }

                    stream.Release(0, _server.Now);
                    Finished++;
                }

                Pump(_server, _client);
            }
        }

        public void Transfer(int bytes)
        {
            if (_open.Count == 0)
            {
                _open.Add(_client.Open());
            }

            StreamState sender = _open[0];
            while (bytes > 0)
            {
                sender.Write(_read);
                bytes -= _read.Length;
                Pump(_client, _server);
                if (_open.Count == 1)
                {
                    _open.Add(_server.Accept());
                }

                while (_open[1].Read(_read, _server.Now) > 0)
                {
                }

                Pump(_server, _client);
            }
        }

        private void Pump(StreamEnd from, StreamEnd to)
        {
            while (true)
            {
                var writer = new WireWriter(_packet);
                if (!from.Table.WriteFrames(ref writer, from.Log, from.Now))
                {
                    return;
                }

                to.Receive(writer.Written);
                (long first, int count) = from.Log.Commit();
                for (int i = 0; i < count; i++)
                {
                    from.Table.OnAcked(from.Log[first + i], from.Now);
                }

                from.Log.FreeUpTo(first + count);
            }
        }
    }
}
