using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Diagnostics;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Tests.Diagnostics;

/// <summary>How a log is written: beside the connection, bounded, and never at its cost.</summary>
[TestClass]
public sealed class QlogTraceTests
{
    private static readonly byte[] Payload = TraceWorld.Payload((ref WireWriter writer) =>
    {
        PacketNumberRange[] ranges = [new(70, 90), new(2, 20)];
        Assert.IsTrue(AckFrameWriter.TryWrite(ref writer, ranges, 125, default, out _));
        StreamFrame.Write(ref writer, 4, 100_000, new byte[1200], fin: false);
    });

    [TestMethod]
    public async Task Events_that_find_no_room_are_counted_in_the_file_and_hold_nobody_up()
    {
        const int Packets = 50_000;
        var output = new TraceStream { Blocked = new TaskCompletionSource() };
        var world = new TraceWorld(bufferSize: 16 * 1024, output: output);
        for (int i = 0; i < Packets; i++)
        {
            world.Trace.PacketSent(TraceWorld.Start + i, world.Path, EncryptionLevel.Application, (ulong)i, 1250, Payload);
        }

        long lost = world.Trace.TotalLost;
        Assert.IsGreaterThan(0, lost);
        output.Blocked.SetResult();
        await world.Trace.FlushAsync();
        world.Trace.PacketSent(TraceWorld.Start + Packets, world.Path, EncryptionLevel.Application, Packets, 1250, Payload);
        QlogFile file = await world.ReadAsync();
        JsonElement[] notes = [.. file.Named("loglevel:warning")];
        Assert.AreEqual(lost, notes.Sum(note => note.GetProperty("code").GetInt64()));
        Assert.HasCount(Packets + 1, [.. Enumerable.Repeat(0, (int)lost), .. file.Named("quic:packet_sent").Select(_ => 0)]);

        // The note stands where the gap is: before the packet that came after it.
        Assert.AreEqual(Packets, file.Named("quic:packet_sent")[^1].GetProperty("header").GetProperty("packet_number").GetInt64());
        Assert.AreEqual("loglevel:warning", file.Events[^2].GetProperty("name").GetString());
    }

    [TestMethod]
    public async Task Events_lost_at_the_very_end_are_told_too()
    {
        var output = new TraceStream { Blocked = new TaskCompletionSource() };
        var world = new TraceWorld(bufferSize: 16 * 1024, output: output);
        while (world.Trace.TotalLost < 10)
        {
            world.Trace.PacketSent(TraceWorld.Start, world.Path, EncryptionLevel.Application, 1, 1250, Payload);
        }

        world.Trace.Complete();
        world.Trace.PacketSent(TraceWorld.Start, world.Path, EncryptionLevel.Application, 1, 1250, Payload);
        output.Blocked.SetResult();
        QlogFile file = await world.ReadAsync();
        Assert.AreEqual(world.Trace.TotalLost, file.Named("loglevel:warning").Sum(note => note.GetProperty("code").GetInt64()));
        Assert.AreEqual("loglevel:warning", file.Events[^1].GetProperty("name").GetString());
        Assert.IsTrue(output.IsDisposed);
    }

    [TestMethod]
    public async Task Noting_a_packet_allocates_nothing()
    {
        // The clock of this world stands still and the ring is large: the writer sleeps until the end.
        var world = new TraceWorld(bufferSize: 16 << 20);
        var path = new PathEvent(0, 0, PathChange.Mtu, TraceWorld.Local, TraceWorld.Remote);
        Run(100);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Run(5_000);
        Assert.AreEqual(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.AreEqual(0, world.Trace.TotalLost);
        QlogFile file = await world.ReadAsync();
        Assert.HasCount(5_100, file.Named("quic:packet_sent"));

        void Run(int count)
        {
            for (int i = 0; i < count; i++)
            {
                long now = TraceWorld.Start + i;
                world.Trace.PacketSent(TraceWorld.Start, world.Path, EncryptionLevel.Application, (ulong)i, 1250, Payload);
                world.Trace.PacketReceived(TraceWorld.Start, world.Path, EncryptionLevel.Application, (ulong)i, 1250, Payload);
                world.Trace.MetricsUpdated(TraceWorld.Start, world.Path);
                world.Trace.PacketLost(TraceWorld.Start, 0, EncryptionLevel.Application, (ulong)i);
                world.Trace.PacketDropped(TraceWorld.Start, 1200, PacketDropReason.Duplicate);
                world.Trace.PathChanged(TraceWorld.Start, path);
            }
        }
    }

    [TestMethod]
    public async Task Waiting_events_are_written_when_the_interval_is_over()
    {
        var world = new TraceWorld();
        world.Trace.PhaseChanged(TraceWorld.Start, ConnectionPhase.Handshaking);
        world.Time.Advance(TimeSpan.FromMilliseconds(99));
        Assert.AreEqual(0, world.Output.Writes);
        world.Time.Advance(TimeSpan.FromMilliseconds(1));
        await world.Trace.FlushAsync();
        Assert.AreEqual(1, world.Output.Writes);
        long length = world.Output.Length;
        world.Trace.PhaseChanged(TraceWorld.Start, ConnectionPhase.Established);
        world.Time.Advance(TimeSpan.FromMilliseconds(100));
        await world.Trace.FlushAsync();
        Assert.IsGreaterThan(length, world.Output.Length);
        await world.Trace.DisposeAsync();
    }

    [TestMethod]
    public async Task Stream_that_fails_ends_the_log_and_not_the_connection()
    {
        var logger = new ListLogger();
        var world = new TraceWorld(output: new TraceStream { Fails = true }, logger: logger);
        for (int i = 0; i < 20_000; i++)
        {
            world.Trace.PacketSent(TraceWorld.Start, world.Path, EncryptionLevel.Application, 1, 1250, Payload);
        }

        await world.Trace.FlushAsync();
        world.Trace.PacketSent(TraceWorld.Start, world.Path, EncryptionLevel.Application, 1, 1250, Payload);
        await world.Trace.DisposeAsync();
        Assert.IsTrue(world.Output.IsDisposed);
        CollectionAssert.AreEqual(new[] { 21 }, logger.Events.Select(item => item.Id).ToArray());
    }

    [TestMethod]
    public void Connection_without_a_stream_has_no_trace()
    {
        var logger = new ListLogger();
        QlogConnection connection = new TraceWorld().Connection;
        Assert.IsNull(QlogTrace.TryOpen(new QuicTraceOptions { OpenStream = _ => null }, connection, TimeProvider.System, logger));
        Assert.IsEmpty(logger.Events);
        var throwing = new QuicTraceOptions { OpenStream = _ => throw new IOException("no") };
        Assert.IsNull(QlogTrace.TryOpen(throwing, connection, TimeProvider.System, logger));
        CollectionAssert.AreEqual(new[] { 20 }, logger.Events.Select(item => item.Id).ToArray());
    }

    [TestMethod]
    public async Task Directory_gets_a_file_for_each_connection_even_with_the_same_id()
    {
        string directory = Directory.CreateTempSubdirectory("qlog").FullName;
        try
        {
            var options = new QuicTraceOptions { Directory = System.IO.Path.Combine(directory, "new") };
            options.Validate();
            QlogConnection connection = new TraceWorld(isServer: true).Connection;
            for (int i = 0; i < 2; i++)
            {
                QlogTrace trace = QlogTrace.TryOpen(options, connection, TimeProvider.System, NullLogger.Instance)!;
                trace.PhaseChanged(TraceWorld.Start, ConnectionPhase.Handshaking);
                await trace.DisposeAsync();
            }

            string[] names = [.. Directory.GetFiles(options.Directory).Select(file => System.IO.Path.GetFileName(file)!).Order()];
            CollectionAssert.AreEqual(new[] { "0102030405060708_server-2.sqlog", "0102030405060708_server.sqlog" }, names);
            QlogFile file = QlogFile.Parse(await File.ReadAllBytesAsync(System.IO.Path.Combine(options.Directory, names[0])));
            Assert.AreEqual("attempted", file.Single("quic:connection_state_updated").GetProperty("new").GetString());
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [TestMethod]
    public void Options_that_contradict_themselves_are_refused()
    {
        Assert.ThrowsExactly<ArgumentException>(() => new QuicTraceOptions().Validate());
        Assert.ThrowsExactly<ArgumentException>(() => new QuicTraceOptions { Directory = "x", OpenStream = _ => null }.Validate());
        Assert.ThrowsExactly<ArgumentException>(() => new QuicTraceOptions { Directory = "x", BufferSize = 100_000 }.Validate());
        Assert.ThrowsExactly<ArgumentException>(() => new QuicTraceOptions { Directory = "x", BufferSize = 1 << 30 }.Validate());
        Assert.ThrowsExactly<ArgumentException>(
            () => new QuicTraceOptions { Directory = "x", FlushInterval = TimeSpan.Zero }.Validate());
    }
}
