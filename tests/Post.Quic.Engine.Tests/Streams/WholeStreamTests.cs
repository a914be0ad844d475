using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.InFlight;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Tests.Simulation;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tests.Streams;

/// <summary>Streams that are sent in one call and come as one event.</summary>
[TestClass]
public sealed class WholeStreamTests
{
    private const int KiB = 1024;

    private static readonly StreamCredits Large = new(1UL << 40, 1 << 20, 1 << 20, 1 << 20, 20_000, 20_000);

    [TestMethod]
    public void A_whole_stream_is_one_frame_and_one_event_and_leaves_nothing_behind()
    {
        (StreamEnd client, StreamEnd server) = Pair();
        byte[]? came = null;
        server.WholeCame = (id, bytes) =>
        {
            Assert.AreEqual(2UL, id);
            came = bytes;
        };

        Assert.AreEqual(WholeStreamResult.Queued, client.Table.TrySendWhole("head"u8, "body"u8, SendUrgency.Default, 7));
        StreamPacket packet = client.Build()!;
        Assert.AreEqual(new SentFrame(SentFrameKind.Stream, 2, 0, 8, fin: true), packet.Frames.Single());
        CollectionAssert.AreEqual(new[] { "sent whole 7" }, client.Events);
        Assert.AreEqual(TransportError.None, server.Receive(packet));
        CollectionAssert.AreEqual("headbody"u8.ToArray(), came);
        Assert.AreEqual(0, server.Table.Count);
        Assert.AreEqual(0, server.Arrived.Count);

        client.Acked(packet);
        CollectionAssert.AreEqual(new[] { "sent whole 7", "acknowledged whole 7", "closed 2" }, client.Events);
        Assert.AreEqual(0, client.Table.Count);
        Assert.AreEqual(0, client.Pool.RentedBytes);
    }

    [TestMethod]
    public void An_empty_whole_stream_is_sent_and_comes()
    {
        (StreamEnd client, StreamEnd server) = Pair();
        Assert.AreEqual(WholeStreamResult.Queued, client.Table.TrySendWhole([], [], SendUrgency.Default, 1));
        client.Exchange(server);
        Assert.AreEqual(1, server.WholeReceived);
        CollectionAssert.Contains(client.Events, "sent whole 1");
        CollectionAssert.Contains(client.Events, "acknowledged whole 1");
    }

    [TestMethod]
    public void Several_whole_streams_share_a_packet()
    {
        (StreamEnd client, StreamEnd server) = Pair();
        for (int i = 0; i < 10; i++)
        {
            Send(client, i, 100);
        }

        StreamPacket packet = client.Build()!;
        Assert.AreEqual(10, packet.Frames.Length);
        server.Receive(packet);
        Assert.AreEqual(10, server.WholeReceived);
    }

    [TestMethod]
    public void A_stream_that_is_cut_over_two_packets_comes_whole_where_both_are_there()
    {
        (StreamEnd client, StreamEnd server) = Pair();
        var came = new Dictionary<ulong, byte[]>();
        server.WholeCame = (id, bytes) => came.Add(id, bytes);
        byte[][] bodies = [.. Enumerable.Range(0, 7).Select(i => Bytes(i, KiB))];
        for (int i = 0; i < bodies.Length; i++)
        {
            Send(client, i, bodies[i]);
        }

        // Seven of them fill six and a bit: no packet is left half empty.
        var packets = new List<StreamPacket>();
        while (client.Build() is { } packet)
        {
            packets.Add(packet);
            Assert.AreEqual(TransportError.None, server.Receive(packet));
        }

        Assert.AreEqual(7, packets.Count);
        Assert.IsTrue(packets.Take(6).All(packet => packet.Bytes.Length >= 1200 - 32), string.Join(' ', packets.Select(p => p.Bytes.Length)));
        server.Table.PushArrived(server.Now);
        Assert.AreEqual(7, came.Count);
        for (int i = 0; i < bodies.Length; i++)
        {
            CollectionAssert.AreEqual(bodies[i], came[StreamId.Create((ulong)i, bidirectional: false, serverInitiated: false)]);
        }

        Assert.AreEqual(0, server.Table.Count);
        Assert.AreEqual(0, server.Pool.RentedBytes);
        packets.ForEach(client.Acked);
        Assert.AreEqual(0, client.Table.Count);
        Assert.AreEqual(7, client.Events.Count(e => e.StartsWith("acknowledged", StringComparison.Ordinal)));
    }

    [TestMethod]
    public void A_stream_of_which_a_part_is_missing_is_pushed_as_a_stream_and_read_to_its_end()
    {
        (StreamEnd client, StreamEnd server) = Pair();
        byte[] body = Bytes(3, 2000);
        Send(client, 1, body);
        StreamPacket first = client.Build()!, second = client.Build()!;
        server.Receive(second);
        server.Table.PushArrived(server.Now);
        StreamState stream = server.Arrived.Single();
        Assert.AreEqual(0, server.WholeReceived);
        Assert.IsFalse(server.Table.HasArrived);

        server.Receive(first);
        byte[] read = new byte[4096];
        Assert.AreEqual(2000, stream.Read(read, server.Now));
        CollectionAssert.AreEqual(body, read[..2000]);
        Assert.AreEqual(ReceiveState.DataRead, stream.Receive!.State);
        stream.Release(0, server.Now);
        Assert.AreEqual(0, server.Table.Count);
    }

    [TestMethod]
    public void A_stream_without_its_end_is_pushed_at_once()
    {
        (StreamEnd client, StreamEnd server) = Pair();
        StreamState sender = client.Open(bidirectional: false);
        sender.Write("and more follows"u8);
        server.Receive(client.Build()!);
        Assert.IsTrue(server.Table.HasArrived);
        server.Table.PushArrived(server.Now);
        Assert.AreEqual(sender.Id, server.Arrived.Single().Id);
    }

    [TestMethod]
    public void What_is_lost_is_sent_again_and_late_copies_change_nothing()
    {
        (StreamEnd client, StreamEnd server) = Pair();
        Send(client, 1, 100);
        StreamPacket lost = client.Build()!;
        client.Lost(lost);
        StreamPacket again = client.Build()!;
        Assert.AreEqual(lost.Frames.Single(), again.Frames.Single());
        CollectionAssert.AreEqual(new[] { "sent whole 1" }, client.Events, "sent is told once");
        Assert.AreEqual(TransportError.None, server.Receive(again));
        Assert.AreEqual(TransportError.None, server.Receive(lost));
        Assert.AreEqual(TransportError.None, server.Receive(again));
        Assert.AreEqual(1, server.WholeReceived);
        client.Acked(again);
        client.Acked(lost);
        client.Lost(lost);
        Assert.AreEqual(1, client.Events.Count(e => e == "acknowledged whole 1"));
        Assert.IsNull(client.Build());
    }

    [TestMethod]
    public void Streams_come_as_they_arrive_and_each_of_them_once()
    {
        (StreamEnd client, StreamEnd server) = Pair();
        var order = new List<ulong>();
        server.WholeCame = (id, _) => order.Add(id >> 2);
        var packets = new List<StreamPacket>();
        for (int i = 0; i < 6; i++)
        {
            Send(client, i, 10);
            packets.Add(client.Build()!);
        }

        foreach (int i in new[] { 4, 1, 4, 1, 5, 0, 3, 5, 2, 0, 1, 2, 3, 4, 5 })
        {
            Assert.AreEqual(TransportError.None, server.Receive(packets[i]));
        }

        CollectionAssert.AreEqual(new ulong[] { 4, 1, 5, 0, 3, 2 }, order);
        Assert.AreEqual(0, server.Table.Count);
    }

    [TestMethod]
    public void A_reset_before_the_first_byte_left_sends_no_data()
    {
        (StreamEnd client, StreamEnd server) = Pair();
        Send(client, 1, 100);
        Assert.IsTrue(client.Table.ResetWhole(1, 5, 0));
        StreamPacket packet = client.Build()!;
        Assert.AreEqual(SentFrameKind.ResetStream, packet.Frames.Single().Kind);
        server.Receive(packet);
        server.Table.PushArrived(server.Now);
        Assert.AreEqual(ReceiveState.ResetReceived, server.Arrived.Single().Receive!.State);
        client.Acked(packet);
        Assert.AreEqual(0, client.Table.Count);
        CollectionAssert.AreEqual(new[] { "closed 2" }, client.Events, "neither sent nor acknowledged");
        Assert.IsFalse(client.Table.ResetWhole(1, 5, 0));
        Send(client, 1, 100);
    }

    [TestMethod]
    public void A_reset_after_a_loss_delivers_the_reliable_beginning()
    {
        (StreamEnd client, StreamEnd server) = Pair();
        byte[] body = Bytes(1, 100);
        Send(client, 1, body);
        StreamPacket lost = client.Build()!;
        Assert.IsTrue(client.Table.ResetWhole(1, 5, reliableSize: 40));
        client.Lost(lost);
        StreamPacket packet = client.Build()!;
        CollectionAssert.AreEquivalent(new[] { SentFrameKind.Stream, SentFrameKind.ResetStreamAt }, packet.Kinds.ToArray());
        server.Receive(packet);
        server.Table.PushArrived(server.Now);
        StreamState stream = server.Arrived.Single();
        byte[] read = new byte[200];
        Assert.AreEqual(40, stream.Read(read, server.Now));
        CollectionAssert.AreEqual(body[..40], read[..40]);
        Assert.AreEqual(ReceiveState.ResetReceived, stream.Receive!.State);
        client.Acked(packet);
        Assert.AreEqual(0, client.Table.Count);
    }

    [TestMethod]
    public void A_stream_that_the_peer_stops_is_reset_with_its_code_and_told()
    {
        (StreamEnd client, StreamEnd server) = Pair();
        Send(client, 9, 2000);
        server.Receive(client.Build()!);
        server.Table.PushArrived(server.Now);
        server.Arrived.Single().StopReading(77, server.Now);
        client.Receive(server.Build()!);
        CollectionAssert.Contains(client.Events, "stopped(77) whole 9");
        StreamPacket reset = client.Build()!;
        Assert.AreEqual(SentFrameKind.ResetStream, reset.Frames.Single().Kind);
        client.Acked(reset);
        Assert.AreEqual(0, client.Table.Count);
        CollectionAssert.DoesNotContain(client.Events, "acknowledged whole 9");
    }

    [TestMethod]
    public void What_does_not_fit_is_refused_with_the_reason()
    {
        StreamCredits small = new(30_000, 1 << 20, 1 << 20, 5000, 100, 2);
        (StreamEnd client, StreamEnd server) = Pair();
        Assert.AreEqual(WholeStreamResult.Queued, client.Table.TrySendWhole(new byte[Limits.WholeStreamBytes], [], default, 1));
        Assert.AreEqual(WholeStreamResult.TooLarge, client.Table.TrySendWhole(new byte[Limits.WholeStreamBytes], [1], default, 2));

        (client, server) = Pair(server: small);
        Assert.AreEqual(WholeStreamResult.TooLarge, client.Table.TrySendWhole(new byte[5001], [], default, 1));
        Assert.AreEqual(WholeStreamResult.Queued, client.Table.TrySendWhole(new byte[5000], [], default, 1));
        Assert.ThrowsExactly<ArgumentException>(() => client.Table.TrySendWhole([], [], default, 1));
        Assert.AreEqual(WholeStreamResult.Queued, client.Table.TrySendWhole([], [], default, 2));
        Assert.AreEqual(WholeStreamResult.NoStreams, client.Table.TrySendWhole([], [], default, 3));
        client.Exchange(server);
        Assert.AreEqual(WholeStreamResult.Queued, client.Table.TrySendWhole([], [], default, 3), "credit came back");
    }

    [TestMethod]
    public void More_than_the_path_or_the_credit_takes_soon_is_refused_while_one_waits()
    {
        (StreamEnd client, StreamEnd server) = Pair();
        client.Table.UnsentLimit = 10_000;
        for (int i = 0; i < 4; i++)
        {
            Assert.AreEqual(WholeStreamResult.Queued, client.Table.TrySendWhole(new byte[16 * KiB], [], default, i));
        }

        Assert.AreEqual(WholeStreamResult.Full, client.Table.TrySendWhole(new byte[1], [], default, 4));
        while (!client.Events.Contains("sent whole 0"))
        {
            client.Build();
        }

        Assert.AreEqual(WholeStreamResult.Queued, client.Table.TrySendWhole(new byte[1], [], default, 4));
        client.Table.UnsentLimit = 100_000;
        Assert.AreEqual(WholeStreamResult.Queued, client.Table.TrySendWhole(new byte[16 * KiB], [], default, 5));

        (client, server) = Pair(server: Large with { MaxData = 1000 });
        Send(client, 1, 600);
        Assert.AreEqual(WholeStreamResult.Full, client.Table.TrySendWhole(new byte[401], [], default, 2));
        Send(client, 2, 400);
        Assert.IsTrue(client.Table.ResetWhole(1, 0, 0), "room comes with a reset");
        Send(client, 3, 600);
        client.Exchange(server);
        Assert.AreEqual(2, server.WholeReceived);
    }

    [TestMethod]
    public void Credit_for_whole_streams_comes_back_in_time()
    {
        StreamCredits small = new(20_000, 8000, 8000, 8000, 6, 6);
        (StreamEnd client, StreamEnd server) = Pair(small, small);
        int blocked = 0;
        for (int i = 0; i < 10_000; i++)
        {
            Send(client, i, 1000);
            if (i % 3 == 0)
            {
                StreamPacket? packet;
                while ((packet = client.Build()) is not null)
                {
                    blocked += packet.Kinds.Count(kind =>
                        kind is SentFrameKind.DataBlocked or SentFrameKind.StreamsBlockedUnidirectional or SentFrameKind.StreamDataBlocked);
                    Assert.AreEqual(TransportError.None, server.Receive(packet));
                    client.Acked(packet);
                }

                server.Table.PushArrived(server.Now);
                while (server.Build() is { } credit)
                {
                    client.Receive(credit);
                    server.Acked(credit);
                }
            }
        }

        client.Exchange(server);
        server.Table.PushArrived(server.Now);
        Assert.AreEqual(10_000, server.WholeReceived);
        Assert.AreEqual(0, blocked);
    }

    [TestMethod]
    public void A_peer_beyond_its_limits_is_an_error_as_with_any_stream()
    {
        StreamCredits small = new(9000, 8000, 8000, 5000, 6, 6);
        (_, StreamEnd server) = Pair(small, small);
        Assert.AreEqual(TransportErrorCode.StreamLimitError, server.Receive(StreamStateTests.Data(6 << 2 | 2, 0, "x"u8, true)).Code);
        Assert.AreEqual(TransportErrorCode.FlowControlError, server.Receive(StreamStateTests.Data(2, 0, new byte[5001], true)).Code);
        Assert.AreEqual(TransportError.None, server.Receive(StreamStateTests.Data(2, 0, new byte[5000], true)));

        // What was read gives credit back, but the peer does not know of it before it is told.
        Assert.AreEqual(TransportErrorCode.FlowControlError, server.Receive(StreamStateTests.Data(6, 0, new byte[4001], true)).Code);
        Assert.AreEqual(TransportErrorCode.StreamStateError, server.Receive(StreamStateTests.Data(3, 0, "x"u8, true)).Code);
        Assert.AreEqual(1, server.WholeReceived);
    }

    [TestMethod]
    public void What_a_listener_does_not_take_becomes_a_stream_and_flow_control_holds_the_peer()
    {
        (StreamEnd client, StreamEnd server) = Pair(server: Large with { MaxData = 5000 });
        server.TakesWhole = false;
        for (int i = 0; i < 5; i++)
        {
            Send(client, i, 1000);
        }

        client.Exchange(server);
        server.Table.PushArrived(server.Now);
        Assert.AreEqual(5, server.Table.Count);
        Assert.AreEqual(0UL, client.Table.SendCreditLeft);
        Assert.AreEqual(5, server.Arrived.Count);
        foreach (StreamState stream in server.Arrived)
        {
            byte[] read = new byte[2000];
            int i = (int)(stream.Id >> 2);
            Assert.AreEqual(1000, stream.Read(read, server.Now));
            CollectionAssert.AreEqual(Bytes(i, 1000), read[..1000]);
            stream.Release(0, server.Now);
        }

        client.Exchange(server);
        Assert.AreEqual(0, server.Table.Count);
        Assert.IsTrue(client.Table.SendCreditLeft > 0);
    }

    [TestMethod]
    public void Whole_streams_that_wait_for_a_listener_count_against_the_limits()
    {
        (StreamEnd client, StreamEnd server) = Pair(server: new StreamCredits(5000, 8000, 8000, 8000, 6, 8));
        server.CreditsWhole = false;
        for (int i = 0; i < 8; i++)
        {
            Send(client, i, i < 4 ? 1000 : 100);
        }

        Assert.AreEqual(WholeStreamResult.NoStreams, client.Table.TrySendWhole([1], [], default, 8));
        client.Exchange(server);
        server.Table.PushArrived(server.Now);
        Assert.AreEqual(8, server.WholeReceived);
        Assert.AreEqual(600UL, client.Table.SendCreditLeft);
        Assert.AreEqual(0UL, client.Table.OpenCreditLeft(bidirectional: false));
        server.Table.CreditWhole(4400, 8, server.Now);
        client.Exchange(server);
        Assert.IsTrue(client.Table.SendCreditLeft >= 5000);
        Assert.AreEqual(8UL, client.Table.OpenCreditLeft(bidirectional: false));
    }

    [TestMethod]
    public void Streams_from_before_pushing_began_are_pushed_and_those_that_did_not_come_yet_are_not_lost()
    {
        (StreamEnd client, StreamEnd server) = StreamEnd.Pair(Large, Large);
        var packets = new List<StreamPacket>();
        for (int i = 0; i < 4; i++)
        {
            Send(client, i, 100);
            packets.Add(client.Build()!);
        }

        server.Receive(packets[1]);
        server.Receive(packets[3]);
        Assert.AreEqual(0, server.WholeReceived);
        server.Table.BeginPushing();
        server.Table.BeginPushing();
        server.Table.PushArrived(server.Now);
        Assert.AreEqual(2, server.WholeReceived);
        foreach (StreamPacket packet in packets)
        {
            Assert.AreEqual(TransportError.None, server.Receive(packet));
        }

        Assert.AreEqual(4, server.WholeReceived);
        Assert.AreEqual(0, server.Table.Count);
    }

    [TestMethod]
    public void Rejected_early_data_takes_whole_streams_with_it_and_frees_their_tokens()
    {
        (StreamEnd client, StreamEnd server) = Pair();
        Send(client, 1, 100);
        StreamPacket early = client.Build()!;
        Send(client, 2, 100);
        client.Table.UndoEarlyData(client.Now);
        client.Table.ApplyPeerCredits(server.Announced);
        client.Events.Clear();
        Assert.AreEqual(0, client.Table.Count);
        Assert.AreEqual(0, client.Pool.RentedBytes);
        Assert.AreEqual(0, early.Frames.Count(frame => frame.Kind != SentFrameKind.Stream));
        Send(client, 1, 50);
        Send(client, 2, 60);
        client.Exchange(server);
        CollectionAssert.IsSubsetOf(new[] { "acknowledged whole 1", "acknowledged whole 2" }, client.Events);
        Assert.AreEqual(2, server.WholeReceived);
    }

    [TestMethod]
    [DoNotParallelize]
    [DataRow(1)]
    [DataRow(2)]
    public void A_flood_of_tiny_streams_costs_no_memory(int step)
    {
        const int Streams = 100_000;
        (StreamEnd client, StreamEnd server) = Pair(server: Large with { MaxStreamsUnidirectional = 1000 });
        long before = 0;
        ulong index = 0;
        for (int i = 0; i < Streams; i++, index += (ulong)step)
        {
            if (i == Streams / 10)
            {
                before = GC.GetTotalMemory(forceFullCollection: true);
            }

            byte[] frame = StreamStateTests.Data(index << 2 | 2, 0, "x"u8, true);
            TransportError error = server.Receive(frame);
            if (error.IsError)
            {
                // Every second stream is left out; those between stay open, and count against the limit.
                Assert.AreEqual(2, step);
                Assert.AreEqual(TransportErrorCode.StreamLimitError, error.Code);
                Assert.IsTrue(i <= 2000, $"{i} streams, with as many open beside them");
                return;
            }

            server.Build();
        }

        Assert.AreEqual(1, step);
        Assert.AreEqual(Streams, server.WholeReceived);
        Assert.AreEqual(0, server.Table.Count);
        Assert.IsTrue(GC.GetTotalMemory(forceFullCollection: true) - before < 100_000);
        GC.KeepAlive(client);
    }

    [TestMethod]
    [DoNotParallelize]
    public void A_whole_stream_allocates_nothing_in_steady_state()
    {
        using var client = new StreamEnd(false, Large) { KeepsEvents = false };
        using var server = new StreamEnd(true, Large) { KeepsEvents = false };
        client.Table.ApplyPeerCredits(Large);
        server.Table.ApplyPeerCredits(Large);
        server.Table.BeginPushing();
        byte[] header = new byte[12], body = new byte[KiB], packet = new byte[1200];
        long token = 0;
        Run(20_000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Run(20_000);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.IsTrue(allocated < 4096, $"{allocated} bytes for 20,000 streams");

        void Run(int count)
        {
            for (int i = 0; i < count; i++)
            {
                if (client.Table.TrySendWhole(header, body, SendUrgency.Default, token++) != WholeStreamResult.Queued)
                {
                    throw new InvalidOperationException("not taken");
                }

                if (i % 20 == 19)
                {
                    Pump(client, server);
                    server.Table.PushArrived(server.Now);
                    Pump(server, client);
                }
            }
        }

        void Pump(StreamEnd from, StreamEnd to)
        {
            while (true)
            {
                var writer = new WireWriter(packet);
                if (!from.Table.WriteFrames(ref writer, from.Log, from.Now))
                {
                    return;
                }

                to.Receive(writer.Written);
                (long first, int frames) = from.Log.Commit();
                for (int i = 0; i < frames; i++)
                {
                    from.Table.OnAcked(from.Log[first + i], from.Now);
                }

                from.Log.FreeUpTo(first + frames);
            }
        }
    }

    private static (StreamEnd Client, StreamEnd Server) Pair(StreamCredits? client = null, StreamCredits? server = null)
    {
        (StreamEnd one, StreamEnd other) = StreamEnd.Pair(client ?? Large, server ?? Large);
        other.Table.BeginPushing();
        return (one, other);
    }

    private static void Send(StreamEnd end, long token, int length) => Send(end, token, Bytes((int)token, length));

    private static void Send(StreamEnd end, long token, byte[] body) => Assert.AreEqual(
        WholeStreamResult.Queued,
        end.Table.TrySendWhole(body.AsSpan(0, body.Length / 3), body.AsSpan(body.Length / 3), SendUrgency.Default, token));

    private static byte[] Bytes(int seed, int length) => [.. Enumerable.Range(seed, length).Select(i => (byte)((i * 7) + (i >> 8)))];
}
