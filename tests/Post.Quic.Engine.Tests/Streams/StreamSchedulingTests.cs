using Post.Quic.Engine.InFlight;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tests.Streams;

/// <summary>Who is sent first: control, class, deadline, then fair turns.</summary>
[TestClass]
public sealed class StreamSchedulingTests
{
    private static readonly StreamCredits Large = new(1 << 30, 1 << 28, 1 << 28, 1 << 28, 20_000, 20_000);

    [TestMethod]
    public void A_more_urgent_class_is_sent_first()
    {
        StreamEnd client = Client();
        Add(client, 5, long.MaxValue);
        Add(client, 1_000_000, long.MaxValue);
        Add(client, 0, long.MaxValue);
        Add(client, 2, 10);
        CollectionAssert.AreEqual(new ulong[] { 8, 12, 0, 4 }, OrderOfEnds(client));
    }

    [TestMethod]
    public void Inside_a_class_the_earlier_deadline_is_sent_first_and_none_is_last()
    {
        StreamEnd client = Client();
        Add(client, 1, long.MaxValue);
        Add(client, 1, 300);
        Add(client, 1, 100);
        Add(client, 1, 200);
        CollectionAssert.AreEqual(new ulong[] { 8, 12, 4, 0 }, OrderOfEnds(client));
    }

    [TestMethod]
    public void Equal_small_streams_leave_in_the_order_they_came()
    {
        StreamEnd client = Client();
        for (int i = 0; i < 50; i++)
        {
            Add(client, 3, long.MaxValue, 1000);
        }

        CollectionAssert.AreEqual(Enumerable.Range(0, 50).Select(i => (ulong)i * 4).ToArray(), OrderOfEnds(client));
    }

    [TestMethod]
    public void Equal_large_streams_share_by_bytes()
    {
        StreamEnd client = Client();
        for (int i = 0; i < 5; i++)
        {
            Add(client, 1, long.MaxValue, 1_000_000);
        }

        var sent = new Dictionary<ulong, long>();
        for (int i = 0; i < 500; i++)
        {
            foreach (SentFrame frame in client.Build(700 + (i % 7 * 100))!.Frames)
            {
                sent[frame.Id] = sent.GetValueOrDefault(frame.Id) + frame.Length;
            }
        }

        Assert.AreEqual(5, sent.Count);
        Assert.IsTrue(sent.Values.Max() - sent.Values.Min() <= 2 * StreamScheduler.TurnLength, string.Join(", ", sent));
    }

    [TestMethod]
    public void Frames_larger_than_a_turn_are_shared_by_bytes_too()
    {
        StreamEnd client = Client();
        StreamState jumbo = Add(client, 1, long.MaxValue, 10_000_000);
        StreamState other = Add(client, 1, long.MaxValue, 10_000_000);
        for (int i = 0; i < 200; i++)
        {
            client.Build(9000);
        }

        long difference = (long)jumbo.Send!.Buffer.SentOffset - (long)other.Send!.Buffer.SentOffset;
        Assert.IsTrue(Math.Abs(difference) <= 2 * 9000, $"{difference}");
    }

    [TestMethod]
    public void A_stream_that_is_reprioritised_while_it_is_sent_moves_at_once()
    {
        StreamEnd client = Client();
        StreamState first = Add(client, 1, long.MaxValue, 100_000);
        StreamState second = Add(client, 2, long.MaxValue, 100_000);
        Assert.IsTrue(client.Build()!.Frames.All(f => f.Id == first.Id));
        second.SetUrgency(new SendUrgency(0, long.MaxValue));
        Assert.IsTrue(client.Build()!.Frames.All(f => f.Id == second.Id));
        second.SetUrgency(new SendUrgency(7, long.MaxValue));
        Assert.IsTrue(client.Build()!.Frames.All(f => f.Id == first.Id));
    }

    [TestMethod]
    public void Control_frames_go_before_data()
    {
        StreamEnd client = Client();
        Add(client, 0, 0, 5000);
        StreamState reset = client.Open();
        reset.SetUrgency(new SendUrgency(99, long.MaxValue));
        reset.Reset(1);
        CollectionAssert.AreEqual(
            new[] { SentFrameKind.ResetStream, SentFrameKind.Stream }, client.Build()!.Kinds.ToArray());
    }

    [TestMethod]
    public void Lost_data_goes_before_new_data_of_its_class_but_not_before_a_more_urgent_one()
    {
        StreamEnd client = Client();
        StreamState urgent = Add(client, 0, long.MaxValue, 0);
        StreamState stream = Add(client, 1, long.MaxValue, 2000);
        StreamPacket packet = client.Build()!;
        Add(client, 1, long.MaxValue, 2000);
        client.Lost(packet);
        urgent.Write(new byte[100]);

        SentFrame[] frames = client.Build()!.Frames;
        Assert.AreEqual(urgent.Id, frames[0].Id);
        Assert.AreEqual((stream.Id, 0UL), (frames[1].Id, frames[1].Offset));
    }

    [TestMethod]
    public void A_frame_that_fills_the_packet_has_no_length()
    {
        (StreamEnd client, StreamEnd server) = StreamEnd.Pair();
        client.Open().Write(new byte[3000]);
        StreamPacket full = client.Build(1200)!;
        Assert.AreEqual(1200, full.Bytes.Length);
        Assert.AreEqual(0, full.Bytes[0] & 0x02, "the LEN bit");
        server.Receive(full);
        StreamPacket second = client.Build(1200)!, last = client.Build(1200)!;
        Assert.AreEqual(0x02, last.Bytes[0] & 0x02, "the rest of the packet is free for others");
        server.Receive(second);
        server.Receive(last);
        Assert.AreEqual(3000L, server.Accept().Receive!.Assembler.ReadableBytes);
    }

    [TestMethod]
    public void Data_of_every_size_fits_packets_of_every_size_and_arrives()
    {
        for (int size = 64; size < 140; size++)
        {
            (StreamEnd client, StreamEnd server) = StreamEnd.Pair();
            int total = 0;
            for (int length = 0; length < 80; length++)
            {
                StreamState stream = client.Open(bidirectional: false);
                stream.Write(new byte[length]);
                stream.Finish();
                total += length;
            }

            while (client.Build(size) is { } packet)
            {
                Assert.AreEqual(TransportError.None, server.Receive(packet), $"packets of {size}");
            }

            int read = 0;
            for (int length = 0; length < 80; length++)
            {
                StreamState stream = server.Accept(bidirectional: false);
                read += stream.Read(new byte[100], server.Now);
                Assert.AreEqual(ReceiveState.DataRead, stream.Receive!.State);
            }

            Assert.AreEqual(total, read);
        }
    }

    private static StreamEnd Client()
    {
        var client = new StreamEnd(false);
        client.Table.ApplyPeerCredits(Large);
        return client;
    }

    private static StreamState Add(StreamEnd client, int priority, long deadline, int length = 100)
    {
        StreamState stream = client.Open();
        stream.SetUrgency(new SendUrgency(priority, deadline));
        if (length > 0)
        {
            stream.Write(new byte[length]);
            stream.Finish();
        }

        return stream;
    }

    [TestMethod]
    public void A_writer_that_asks_is_told_when_its_bytes_were_sent_once_more_waits_than_the_path_takes()
    {
        (StreamEnd client, _) = StreamEnd.Pair();
        client.Table.UnsentLimit = 4000;
        StreamState first = client.Open();
        first.Write(new byte[3000]);
        Assert.IsFalse(first.AwaitSent(), "little waits");
        StreamState second = client.Open();
        second.Write(new byte[3000]);
        Assert.IsTrue(second.AwaitSent());
        CollectionAssert.DoesNotContain(client.Events, $"sent {second.Id}");
        while (client.Build() is not null)
        {
        }

        CollectionAssert.Contains(client.Events, $"sent {second.Id}");
        CollectionAssert.DoesNotContain(client.Events, $"sent {first.Id}");
        second.Write(new byte[1000]);
        Assert.IsFalse(second.AwaitSent(), "all that waited is sent");
    }

    [TestMethod]
    public void What_waits_for_the_peers_credit_or_was_given_up_holds_no_other_writer_back()
    {
        (StreamEnd client, _) = StreamEnd.Pair(server: new StreamCredits(1 << 20, 1000, 1000, 1000, 10, 10));
        client.Table.UnsentLimit = 2000;
        client.Open().Write(new byte[50_000]);
        StreamState other = client.Open();
        other.Write(new byte[900]);
        Assert.IsFalse(other.AwaitSent(), "a stream without credit sends nothing");
        StreamState third = client.Open();
        third.Write(new byte[900]);
        Assert.IsTrue(third.AwaitSent());
        other.Reset(1);
        Assert.IsFalse(client.Table.IsBacklogged, "what was reset is not sent any more");
    }

    private static ulong[] OrderOfEnds(StreamEnd client)
    {
        var ends = new List<ulong>();
        while (client.Build() is { } packet)
        {
            ends.AddRange(packet.Frames.Where(f => f.Fin).Select(f => f.Id));
        }

        return [.. ends];
    }
}
