using CsCheck;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Datagrams;
using Post.Quic.Engine.InFlight;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Tests.Streams;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;
using Post.Quic.Testing;

namespace Post.Quic.Engine.Tests.Datagrams;

/// <summary>Datagrams on their way out, and in one order with streams.</summary>
[TestClass]
public sealed class DatagramQueueTests : IDisposable
{
    private const long Now = 1_000_000;

    private readonly Recorder _events = new();
    private readonly SentFrameLog _log = new();

    public void Dispose() => _log.Dispose();

    [TestMethod]
    public void Datagrams_leave_by_class_then_deadline_then_order()
    {
        DatagramQueue queue = Create();
        Add(queue, 1, long.MaxValue);
        Add(queue, 1, Now + 500);
        Add(queue, 0, long.MaxValue);
        Add(queue, 1, Now + 400);
        Add(queue, 1, long.MaxValue);
        CollectionAssert.AreEqual(new ulong[] { 2, 3, 1, 0, 4 }, Write(queue, 1200).Select(f => f.Id).ToArray());
        Assert.IsFalse(queue.HasDataToSend);
    }

    [TestMethod]
    public void A_datagram_goes_from_queued_to_acknowledged()
    {
        DatagramQueue queue = Create();
        Add(queue, 0, long.MaxValue);
        SentFrame frame = Write(queue, 1200).Single();
        queue.OnAcked(frame);
        CollectionAssert.AreEqual(new[] { "0 Sent", "0 Acknowledged" }, _events.Lines);
    }

    [TestMethod]
    public void A_suspected_loss_becomes_certain_with_time()
    {
        DatagramQueue queue = Create();
        Add(queue, 0, long.MaxValue);
        queue.OnLost(Write(queue, 1200).Single(), Now);
        Assert.AreEqual(Now + queue.SuspicionTime, queue.NextTimeout);
        queue.HandleTimeout(queue.NextTimeout);
        CollectionAssert.AreEqual(new[] { "0 Sent", "0 SuspectedLost", "0 Lost" }, _events.Lines);
        Assert.AreEqual(long.MaxValue, queue.NextTimeout);
        Assert.IsFalse(queue.HasDataToSend, "RFC 9221 section 5: never sent again by the transport");
    }

    [TestMethod]
    public void A_suspected_loss_that_was_none_becomes_acknowledged()
    {
        DatagramQueue queue = Create();
        Add(queue, 0, long.MaxValue);
        SentFrame frame = Write(queue, 1200).Single();
        queue.OnLost(frame, Now);
        queue.OnArrivedLate(frame);
        queue.HandleTimeout(Now + 100_000_000);
        CollectionAssert.AreEqual(new[] { "0 Sent", "0 SuspectedLost", "0 Acknowledged" }, _events.Lines);
    }

    [TestMethod]
    public void A_datagram_that_was_given_up_has_no_second_end()
    {
        DatagramQueue queue = Create();
        Add(queue, 0, long.MaxValue);
        SentFrame frame = Write(queue, 1200).Single();
        queue.OnLost(frame, Now);
        queue.HandleTimeout(Now + 100_000_000);
        queue.OnArrivedLate(frame);
        CollectionAssert.AreEqual(new[] { "0 Sent", "0 SuspectedLost", "0 Lost" }, _events.Lines);
    }

    [TestMethod]
    public void What_waits_longer_than_its_age_limit_expires()
    {
        DatagramQueue queue = Create();
        Add(queue, 0, Now + 10);
        Add(queue, 0, Now + 20);
        Assert.AreEqual(Now + 10, queue.NextTimeout);
        queue.HandleTimeout(Now + 10);
        Assert.AreEqual(0, Write(queue, 1200, Now + 20).Length, "also where the timer is late");
        CollectionAssert.AreEqual(new[] { "0 Expired", "1 Expired" }, _events.Lines);
    }

    [TestMethod]
    public void What_no_longer_fits_a_shrunk_path_is_reported()
    {
        DatagramQueue queue = Create();
        Add(queue, 0, long.MaxValue, 1100);
        Add(queue, 0, long.MaxValue, 900);
        Assert.IsTrue(queue.SetSizes(65535, 1000));
        Assert.AreEqual(999, queue.MaxSize);
        CollectionAssert.AreEqual(new[] { "0 TooLarge" }, _events.Lines);
        Assert.AreEqual(900, queue.QueuedBytes);
        Assert.AreEqual(DatagramEnqueueResult.TooLarge, queue.TryEnqueue(new byte[1000], 0, long.MaxValue, out _));
        Assert.IsFalse(queue.SetSizes(65535, 1000));
    }

    [TestMethod]
    public void The_peers_frame_size_bounds_the_datagram_with_its_type_and_length()
    {
        // RFC 9221 section 3: the size is that of the frame; 0 means that none are taken.
        DatagramQueue queue = Create();
        queue.SetSizes(100, 1200);
        Add(queue, 0, long.MaxValue, queue.MaxSize);
        using var log = new SentFrameLog();
        var writer = new WireWriter(new byte[1200]);
        Assert.IsTrue(queue.WriteFrames(ref writer, log, SendUrgency.Last, Now));
        Assert.AreEqual(100, writer.Position);
        queue.SetSizes(0, 1200);
        Assert.AreEqual(DatagramEnqueueResult.NotSupported, queue.TryEnqueue(default, 0, long.MaxValue, out _));
    }

    [TestMethod]
    public void The_queue_is_bounded_in_number_and_bytes()
    {
        var queue = new DatagramQueue(new DatagramQueueOptions { MaxCount = 3, MaxBytes = 1000 }, _events);
        queue.SetSizes(65535, 1200);
        Add(queue, 0, long.MaxValue, 600);
        Assert.AreEqual(DatagramEnqueueResult.QueueFull, queue.TryEnqueue(new byte[401], 0, long.MaxValue, out _));
        Add(queue, 0, long.MaxValue, 0);
        Add(queue, 0, long.MaxValue, 0);
        Assert.AreEqual(DatagramEnqueueResult.QueueFull, queue.TryEnqueue(default, 0, long.MaxValue, out _));
    }

    [TestMethod]
    public void Suspicions_are_bounded()
    {
        DatagramQueue queue = Create();
        for (int i = 0; i < Limits.SuspectedDatagrams + 10; i++)
        {
            Add(queue, 0, long.MaxValue, 1);
            queue.OnLost(Write(queue, 1200).Single(), Now);
        }

        Assert.AreEqual(10, _events.Lines.Count(l => l.EndsWith(" Lost", StringComparison.Ordinal)));
    }

    [TestMethod]
    public void Rejected_early_data_loses_what_was_sent_and_keeps_what_waits()
    {
        DatagramQueue queue = Create();
        queue.IsEarlyData = true;
        Add(queue, 0, long.MaxValue);
        Write(queue, 1200);
        Add(queue, 0, long.MaxValue);
        queue.UndoEarlyData();
        CollectionAssert.AreEqual(new[] { "0 Sent", "0 Lost" }, _events.Lines);
        Assert.AreEqual(1, queue.Count);
    }

    [TestMethod]
    public void Datagrams_of_every_size_fill_packets_that_can_be_read() =>
        Gen.Select(Gen.Int[0, 60], Gen.Int[1, 130]).SampleSeeded(sample =>
        {
            (int length, int room) = sample;
            var queue = new DatagramQueue(new DatagramQueueOptions(), new Recorder());
            queue.SetSizes(65535, 130);
            queue.TryEnqueue(new byte[length], 0, long.MaxValue, out _);
            using var log = new SentFrameLog();
            var writer = new WireWriter(new byte[room]);
            bool written = queue.WriteFrames(ref writer, log, SendUrgency.Last, Now);
            Assert.AreEqual(room > length, written);
            if (written)
            {
                var reader = new WireReader(writer.Written);
                ulong type;
                while (reader.TryReadVarInt(out type) && type == FrameType.Padding)
                {
                }

                Assert.IsTrue(DatagramFrame.TryParse(type, ref reader, out DatagramFrame frame));
                Assert.AreEqual(length, frame.Data.Length);
                Assert.IsTrue(reader.IsEmpty);
                Assert.IsTrue(type == FrameType.DatagramWithLength || writer.Remaining == 0);
            }
        });

    [TestMethod]
    public void Datagrams_and_streams_share_one_order()
    {
        using var client = new StreamEnd(false);
        client.Table.ApplyPeerCredits(client.Announced);
        DatagramQueue queue = Create();
        Stream(0, long.MaxValue);
        Stream(1, Now + 300);
        Stream(2, long.MaxValue);
        Add(queue, 1, Now + 200);
        Add(queue, 1, Now + 300);
        Add(queue, 1, Now + 400);
        Add(queue, 3, long.MaxValue);

        var order = new List<string>();
        var writer = new WireWriter(new byte[4000]);
        ApplicationData.WriteFrames(client.Table, queue, ref writer, _log, Now);
        (long first, int count) = _log.Commit();
        for (int i = 0; i < count; i++)
        {
            order.Add($"{_log[first + i].Kind} {_log[first + i].Id}");
        }

        CollectionAssert.AreEqual(
            new[] { "Stream 0", "Datagram 0", "Datagram 1", "Stream 4", "Datagram 2", "Stream 8", "Datagram 3" }, order);

        void Stream(int priority, long deadline)
        {
            StreamState stream = client.Open();
            stream.SetUrgency(new SendUrgency(priority, deadline));
            stream.Write(new byte[50]);
        }
    }

    [TestMethod]
    public void A_datagram_that_does_not_fit_leaves_the_rest_to_streams_and_is_next()
    {
        using var client = new StreamEnd(false);
        client.Table.ApplyPeerCredits(client.Announced);
        client.Open().Write(new byte[5000]);
        client.Table.TryGet(0, out StreamState? stream);
        stream!.SetUrgency(new SendUrgency(5, long.MaxValue));
        DatagramQueue queue = Create();
        Add(queue, 0, long.MaxValue, 800);
        Add(queue, 0, long.MaxValue, 800);

        foreach (int unused in Enumerable.Range(0, 2))
        {
            var writer = new WireWriter(new byte[1200]);
            ApplicationData.WriteFrames(client.Table, queue, ref writer, _log, Now);
            Assert.AreEqual(0, writer.Remaining);
            (long first, int count) = _log.Commit();
            Assert.AreEqual(2, count);
            Assert.AreEqual(SentFrameKind.Datagram, _log[first].Kind);
            Assert.AreEqual(SentFrameKind.Stream, _log[first + 1].Kind);
        }
    }

    private static void Add(DatagramQueue queue, int priority, long deadline, int length = 10) =>
        Assert.AreEqual(
            DatagramEnqueueResult.Queued, queue.TryEnqueue(new byte[length], priority, deadline, out _));

    private DatagramQueue Create()
    {
        var queue = new DatagramQueue(new DatagramQueueOptions(), _events);
        queue.SetSizes(65535, 1200);
        return queue;
    }

    private SentFrame[] Write(DatagramQueue queue, int size, long now = Now)
    {
        var writer = new WireWriter(new byte[size]);
        queue.WriteFrames(ref writer, _log, SendUrgency.Last, now);
        (long first, int count) = _log.Commit();
        return [.. Enumerable.Range(0, count).Select(i => _log[first + i])];
    }

    private sealed class Recorder : IDatagramEvents
    {
        public List<string> Lines { get; } = [];

        public void OnDatagramState(ulong number, DatagramState state) => Lines.Add($"{number} {state}");
    }
}
