using CsCheck;
using Post.Quic.Testing;
using Post.Sockets.Testing;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Transport;

/// <summary>Streams of the in-memory transport keep every byte and every promise of the seam.</summary>
[TestClass]
public sealed class InMemoryStreamTests
{
    private static readonly InMemoryLinkOptions Slow = new() { BitsPerSecond = 1_000_000, Delay = TimeSpan.FromMilliseconds(20) };

    [TestMethod]
    [DataRow(0)]
    [DataRow(1)]
    [DataRow(100_000)]
    [DataRow(5_000_000)]
    public void Bytes_arrive_intact_and_the_end_is_acknowledged(int size)
    {
        var world = new TransportWorld();
        world.Run(async () =>
        {
            byte[] sent = TransportWorld.Bytes(size);
            TransportStream stream = world.Post(sent);
            TransportWorld.AreSame(sent, await world.AcceptAllAsync());
            await world.DelayAsync(1);
            Assert.AreSame(stream, world.ClientEvents.Acknowledged.Single());
        });
    }

    [TestMethod]
    public void Bytes_arrive_intact_whatever_the_network_does() => Gen.Select(
        Gen.Int, Gen.Double[0, 0.3], Gen.Double[0, 0.3], Gen.Int[0, 50], Gen.Int[0, 20], Gen.Int[0, 3], Gen.Int[1, 60_000].Array[1, 8], Gen.Bool)
        .SampleSeeded(sample =>
        {
            var (seed, loss, reorder, delay, jitter, rate, sizes, reno) = sample;
            var link = new InMemoryLinkOptions
            {
                Loss = loss,
                Reorder = reorder,
                Delay = TimeSpan.FromMilliseconds(delay),
                Jitter = TimeSpan.FromMilliseconds(jitter),
                BitsPerSecond = rate * 1_000_000L,
                Congestion = reno ? InMemoryCongestion.Reno : InMemoryCongestion.Ideal,
                QueueLimit = 16 * 1024,
            };
            var world = new TransportWorld(seed, link) { Limits = new TransportOptions { StreamReceiveWindow = 8192, ConnectionReceiveWindow = 20_000 } };
            world.Run(async () =>
            {
                foreach (int size in sizes)
                {
                    world.Post(TransportWorld.Bytes(size, size), incremental: (size & 1) == 0);
                }

                var streams = new List<Task<byte[]>>();
                foreach (int size in sizes)
                {
                    streams.Add(TransportWorld.ReadAllAsync(await world.Server.AcceptStreamAsync(CancellationToken.None)));
                }

                byte[][] received = await Task.WhenAll(streams);
                foreach (int size in sizes)
                {
                    Assert.IsTrue(received.Any(bytes => bytes.AsSpan().SequenceEqual(TransportWorld.Bytes(size, size))), $"{size} bytes");
                }

                await Task.Delay(TimeSpan.FromSeconds(20), world.Network.Clock);
                Assert.HasCount(sizes.Length, world.ClientEvents.Acknowledged);
                Assert.IsEmpty(world.ClientEvents.Closed);
            });
        }, iter: 300);

    [TestMethod]
    public void A_reset_reaches_the_reader_at_once_with_its_code()
    {
        var world = new TransportWorld(link: Slow);
        world.Run(async () =>
        {
            TransportStream stream = world.Open();
            await stream.WriteAsync(new byte[10], endOfStream: false, CancellationToken.None);
            TransportStream inbound = await world.Server.AcceptStreamAsync(CancellationToken.None);
            Assert.AreEqual(10, (await inbound.ReadAsync(new byte[100], CancellationToken.None)).Count);
            ValueTask<TransportReadResult> reading = inbound.ReadAsync(new byte[100], CancellationToken.None);
            stream.Reset(0x77);
            Assert.AreEqual(TransportReadResult.Reset(0x77), await reading);
            Assert.IsTrue((await stream.WriteAsync(new byte[1], false, CancellationToken.None)).IsStopped);
            await world.DelayAsync(1000);
            Assert.IsEmpty(world.ClientEvents.Acknowledged);
        });
    }

    [TestMethod]
    [DataRow(true, 300)]
    [DataRow(true, 6000)]
    [DataRow(false, 300)]
    public void A_reliable_reset_delivers_the_beginning_even_if_it_was_lost_or_not_sent_yet(bool capable, int reliable)
    {
        for (int seed = 0; seed < 20; seed++)
        {
            var world = new TransportWorld(
                seed,
                Slow with { Loss = 0.3 },
                capable ? InMemoryNetwork.DefaultCapabilities : InMemoryNetwork.DefaultCapabilities & ~TransportCapabilities.ReliableReset);
            world.Run(async () =>
            {
                byte[] sent = TransportWorld.Bytes(100_000);
                TransportStream stream = world.Open();
                ValueTask<TransportWriteResult> writing = stream.WriteAsync(sent, endOfStream: true, CancellationToken.None);
                stream.Reset(0x10, reliable);
                Assert.IsTrue((await writing).IsStopped);
                TransportStream inbound = await world.Server.AcceptStreamAsync(CancellationToken.None);
                using var received = new MemoryStream();
                byte[] buffer = new byte[777];
                TransportReadResult result;
                while (!(result = await inbound.ReadAsync(buffer, CancellationToken.None)).IsReset)
                {
                    Assert.IsFalse(result.IsCompleted);
                    received.Write(buffer, 0, result.Count);
                }

                Assert.AreEqual(0x10, result.ResetCode);

                // More may have come before the reset did.
                Assert.IsGreaterThanOrEqualTo(capable ? reliable : 0, received.Length, $"seed {world.Network.Seed}");
                Assert.IsTrue(received.ToArray().AsSpan().SequenceEqual(sent.AsSpan(0, (int)received.Length)));
            });
        }
    }

    [TestMethod]
    public void A_reader_that_stops_tells_the_writer_why()
    {
        var world = new TransportWorld(link: Slow);
        world.Run(async () =>
        {
            TransportStream stream = world.Open();
            ValueTask<TransportWriteResult> writing = stream.WriteAsync(new byte[1_000_000], endOfStream: true, CancellationToken.None);
            TransportStream inbound = await world.Server.AcceptStreamAsync(CancellationToken.None);
            inbound.StopReading(0x55);
            Assert.AreEqual(TransportWriteResult.Stopped(0x55), await writing);
            Assert.AreEqual((stream, 0x55L), world.ClientEvents.Stopped.Single());
            Assert.AreEqual(TransportWriteResult.Stopped(0x55), await stream.WriteAsync(new byte[1], false, CancellationToken.None));
        });
    }

    [TestMethod]
    public void A_reader_that_does_not_read_holds_the_writer_back_and_no_one_else()
    {
        var world = new TransportWorld { Limits = new TransportOptions { StreamReceiveWindow = 65_536, ConnectionReceiveWindow = 131_072 } };
        world.Run(async () =>
        {
            byte[] sent = TransportWorld.Bytes(1_000_000);
            TransportStream stream = world.Open();
            Task writing = stream.WriteAsync(sent, endOfStream: true, CancellationToken.None).AsTask();
            TransportStream inbound = await world.Server.AcceptStreamAsync(CancellationToken.None);
            world.Post(new byte[1000]);
            Assert.HasCount(1000, await world.AcceptAllAsync());
            await world.DelayAsync(5000);
            Assert.IsFalse(writing.IsCompleted);
            Assert.IsLessThan(70_000, world.Client.GetStatistics().BytesSent!.Value);
            TransportWorld.AreSame(sent, await TransportWorld.ReadAllAsync(inbound));
            await writing;
        });
    }

    [TestMethod]
    public void Streams_beyond_the_peers_limit_wait_until_others_are_done()
    {
        var world = new TransportWorld { Limits = new TransportOptions { MaxInboundUnidirectionalStreams = 2 } };
        world.Run(async () =>
        {
            world.Post([1]);
            world.Post([2]);
            Assert.IsNull(world.Client.TryOpenStream(TransportStreamKind.Unidirectional, default));
            ValueTask<TransportStream> opening = world.Client.OpenStreamAsync(TransportStreamKind.Unidirectional, default, CancellationToken.None);
            await world.DelayAsync(1000);
            Assert.IsFalse(opening.IsCompleted);
            await world.AcceptAllAsync();
            Assert.AreEqual(10, (await opening).Id);
        });
    }

    [TestMethod]
    public void Both_directions_of_a_bidirectional_stream_work_apart()
    {
        var world = new TransportWorld(link: Slow with { Loss = 0.1 });
        world.Run(async () =>
        {
            byte[] there = TransportWorld.Bytes(50_000, 1);
            byte[] back = TransportWorld.Bytes(70_000, 2);
            TransportStream stream = world.Client.TryOpenStream(TransportStreamKind.Bidirectional, default)!;
            Task writing = stream.WriteAsync(there, true, CancellationToken.None).AsTask();
            TransportStream inbound = await world.Server.AcceptStreamAsync(CancellationToken.None);
            Task answering = inbound.WriteAsync(back, true, CancellationToken.None).AsTask();
            TransportWorld.AreSame(there, await TransportWorld.ReadAllAsync(inbound));
            TransportWorld.AreSame(back, await TransportWorld.ReadAllAsync(stream));
            await writing;
            await answering;
        });
    }

    [TestMethod]
    public void A_canceled_write_resets_and_a_canceled_read_loses_nothing()
    {
        var world = new TransportWorld(link: Slow);
        world.Run(async () =>
        {
            using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(500), world.Network.Clock);
            TransportStream canceled = world.Open();
            await Assert.ThrowsAsync<OperationCanceledException>(
                () => canceled.WriteAsync(new byte[1_000_000], true, cancel.Token).AsTask());
            TransportStream inbound = await world.Server.AcceptStreamAsync(CancellationToken.None);
            byte[] buffer = new byte[10_000];
            TransportReadResult result;
            while (!(result = await inbound.ReadAsync(buffer, CancellationToken.None)).IsReset)
            {
                Assert.IsFalse(result.IsCompleted);
            }

            TransportStream stream = world.Open();
            await stream.WriteAsync(new byte[] { 1 }, false, CancellationToken.None);
            inbound = await world.Server.AcceptStreamAsync(CancellationToken.None);
            await inbound.ReadAsync(buffer, CancellationToken.None);
            using var cancelRead = new CancellationTokenSource(TimeSpan.FromMilliseconds(500), world.Network.Clock);
            await Assert.ThrowsAsync<OperationCanceledException>(() => inbound.ReadAsync(buffer, cancelRead.Token).AsTask());
            await stream.WriteAsync(new byte[] { 2 }, true, CancellationToken.None);
            Assert.AreEqual(TransportReadResult.Completed(1), await inbound.ReadAsync(buffer, CancellationToken.None));
            Assert.AreEqual(2, buffer[0]);
        });
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void A_write_completes_when_sent_or_else_when_acknowledged(bool whenSent)
    {
        var world = new TransportWorld(
            link: Slow,
            capabilities: whenSent ? InMemoryNetwork.DefaultCapabilities : InMemoryNetwork.DefaultCapabilities & ~TransportCapabilities.WritesCompleteWhenSent);
        world.Run(async () =>
        {
            TransportStream stream = world.Open();
            TimeSpan before = world.Network.Clock.Elapsed;
            await stream.WriteAsync(new byte[100], false, CancellationToken.None);
            TimeSpan took = world.Network.Clock.Elapsed - before;
            Assert.AreEqual(whenSent, took == TimeSpan.Zero, $"{took}");
            Assert.AreEqual(!whenSent, took >= TimeSpan.FromMilliseconds(40), $"{took}");
        });
    }
}
