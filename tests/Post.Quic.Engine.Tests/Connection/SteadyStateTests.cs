using System.Diagnostics;
using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Paths.Scheduling;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Tests.Simulation;

namespace Post.Quic.Engine.Tests.Connections;

[TestClass]
public sealed class SteadyStateTests
{
    private const int BatchBytes = 64 * 1024;

    public TestContext TestContext { get; set; } = null!;

    [TestMethod]
    [DoNotParallelize]
    [DataRow(1)]
    [DataRow(2)]
    public void Bulk_transfer_allocates_nothing_per_packet(int paths)
    {
        ConnectionSettings settings = ConnectionSettings.Default with
        {
            InitialMaxData = 16 << 20,
            InitialMaxStreamData = 16 << 20,
            StreamSendBuffer = 512 << 10,
            MaxPaths = paths,
            PathScheduler = static () => new InTurns(),
        };
        using Pair pair = new Pair(new PairOptions { Client = settings, Server = settings }).Handshake();
        pair.RunFor(500_000);
        if (paths == 2)
        {
            NetworkAddress other = pair.Client.Address.WithPort(50_001);
            Assert.AreEqual(PathOpening.Begun, pair.Client.Core!.TryOpenPath(other, default, pair.Now, out _));
            pair.RunFor(500_000);
        }

        pair.Server.Discard = true;
        Assert.IsTrue(pair.Client.Core!.Streams.TryOpen(false, out StreamState? stream));
        var loop = new DirectLoop(pair, stream!);
        loop.Run(20_000);

        long packetsBefore = pair.Client.Core.GetStatistics().PacketsSent + pair.Server.Core!.GetStatistics().PacketsSent;
        long allocatedBefore = GC.GetAllocatedBytesForCurrentThread();
        long start = Stopwatch.GetTimestamp();
        loop.Run(100_000);
        TimeSpan time = Stopwatch.GetElapsedTime(start);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - allocatedBefore;
        long packets = pair.Client.Core.GetStatistics().PacketsSent + pair.Server.Core.GetStatistics().PacketsSent - packetsBefore;
        TestContext.WriteLine(
            $"{allocated} bytes for {packets} packets; {time.TotalNanoseconds / packets:F0} ns a packet, built and received; "
            + $"{loop.Bytes * 8 / time.TotalSeconds / 1e9:F2} Gbit/s");
        Assert.IsTrue(Array.TrueForAll(pair.Client.Core.GetPaths(), path => path.PacketsSent > 10_000));
        Assert.IsLessThan(packets / 10, allocated, $"{allocated} bytes allocated for {packets} packets");
    }

    private sealed class InTurns : IPathScheduler
    {
        private int _turn;

        public int Choose(ReadOnlySpan<PathView> paths, in SendDemand demand, long now)
        {
            for (int i = 0; i < paths.Length; i++)
            {
                int path = ++_turn % paths.Length;
                if (paths[path].CanSend)
                {
                    return path;
                }
            }

            return -1;
        }
    }

    /// <summary>Two cores with nothing between them: what is measured is the engine and not the network.</summary>
    private sealed class DirectLoop(Pair pair, StreamState stream)
    {
        private readonly byte[] _buffer = new byte[BatchBytes];
        private readonly byte[] _data = new byte[64 * 1024];
        private readonly byte[] _sink = new byte[64 * 1024];
        private long _now = pair.Now;
        private StreamState? _incoming;

        public long Bytes { get; private set; }

        public void Run(int packets)
        {
            ConnectionCore client = pair.Client.Core!;
            ConnectionCore server = pair.Server.Core!;
            long end = client.GetStatistics().PacketsSent + packets;
            while (client.GetStatistics().PacketsSent < end)
            {
                _now += 100;
                while (stream.Send!.Buffer.CopyRoom >= _data.Length)
                {
                    _ = stream.Write(_data);
                }

                Pass(client, server);
                Read(server);
                Pass(server, client);
                client.HandleTimeout(_now);
                server.HandleTimeout(_now);
            }
        }

        private void Pass(ConnectionCore from, ConnectionCore to)
        {
            int length;
            while ((length = from.BuildDatagrams(_buffer, _now, out OutgoingDatagrams batch)) != 0)
            {
                var metadata = new DatagramMetadata(batch.Remote, batch.Local, batch.Ecn);
                for (int at = 0; at < length; at += batch.SegmentSize)
                {
                    to.ReceiveDatagram(_buffer.AsSpan(at, Math.Min(batch.SegmentSize, length - at)), metadata, _now);
                }
            }
        }

        private void Read(ConnectionCore server)
        {
            if (_incoming is null && !server.Streams.TryAccept(false, _now, out _incoming))
            {
                return;
            }

            int read;
            while ((read = _incoming!.Read(_sink, _now)) > 0)
            {
                Bytes += read;
            }
        }
    }
}
