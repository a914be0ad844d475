using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.InFlight;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Tests.Streams;

/// <summary>Credit in both directions: for data (RFC 9000 section 4.1) and for streams (section 4.6).</summary>
[TestClass]
public sealed class FlowControlTests
{
    private static readonly StreamCredits Small = new(1000, 400, 400, 400, 8, 8);

    [TestMethod]
    public void A_sender_stays_inside_the_streams_credit_and_says_that_it_waits()
    {
        (StreamEnd client, StreamEnd server) = StreamEnd.Pair(server: Small);
        StreamState stream = client.Open();
        stream.Write(new byte[500]);
        StreamPacket packet = client.Build()!;
        Assert.AreEqual(400U, packet.Only(SentFrameKind.Stream).Length);
        StreamPacket blocked = client.Build()!;
        Assert.AreEqual(400UL, blocked.Only(SentFrameKind.StreamDataBlocked).Offset);
        Assert.IsNull(client.Build(), "once for each limit");

        Assert.AreEqual(TransportError.None, server.Receive(packet));
        client.Lost(blocked);
        CollectionAssert.Contains(client.Build()!.Kinds.ToArray(), SentFrameKind.StreamDataBlocked);
        client.Table.Handle(new MaxStreamDataFrame(0, 450));
        Assert.AreEqual(50U, client.Build()!.Only(SentFrameKind.Stream).Length);
    }

    [TestMethod]
    public void A_sender_stays_inside_the_connections_credit_and_says_that_it_waits()
    {
        (StreamEnd client, _) = StreamEnd.Pair(server: Small);
        for (int i = 0; i < 4; i++)
        {
            client.Open().Write(new byte[300]);
        }

        StreamPacket packet = client.Build(4000)!;
        Assert.AreEqual(1000, packet.Frames.Sum(f => f.Length));
        Assert.IsFalse(client.Table.HasDataToSend);
        Assert.IsTrue(client.Table.HasControlToSend);
        Assert.AreEqual(1000UL, client.Build()!.Only(SentFrameKind.DataBlocked).Offset);
        Assert.IsFalse(client.Table.HasFramesToSend);

        client.Lost(packet);
        Assert.AreEqual(1000, client.Build(4000)!.Frames.Sum(f => f.Length), "lost data has had its credit");
        client.Table.HandleMaxData(1100);
        Assert.AreEqual(100U, client.Build()!.Only(SentFrameKind.Stream).Length);
    }

    [TestMethod]
    public void Data_beyond_a_streams_credit_is_a_flow_control_error()
    {
        (_, StreamEnd server) = StreamEnd.Pair(server: Small);
        Assert.IsFalse(server.Receive(StreamStateTests.Data(0, 399, "x"u8)).IsError);
        Assert.AreEqual(
            TransportErrorCode.FlowControlError, server.Receive(StreamStateTests.Data(0, 400, "x"u8)).Code);
    }

    [TestMethod]
    public void Data_beyond_the_connections_credit_is_a_flow_control_error()
    {
        (_, StreamEnd server) = StreamEnd.Pair(server: Small);
        Assert.IsFalse(server.Receive(StreamStateTests.Data(0, 399, "x"u8)).IsError);
        Assert.IsFalse(server.Receive(StreamStateTests.Data(4, 399, "x"u8)).IsError);
        Assert.IsFalse(server.Receive(StreamStateTests.Data(0, 0, new byte[399])).IsError, "counted already");
        Assert.AreEqual(
            TransportErrorCode.FlowControlError, server.Receive(StreamStateTests.Data(8, 200, "x"u8)).Code);
    }

    [TestMethod]
    public void The_final_size_of_a_reset_counts_for_both_credits()
    {
        // RFC 9000 section 4.5.
        (_, StreamEnd server) = StreamEnd.Pair(server: Small);
        Assert.AreEqual(
            TransportErrorCode.FlowControlError, server.Table.Handle(new ResetStreamFrame(0, 0, 401), 0).Code);
        Assert.IsFalse(server.Table.Handle(new ResetStreamFrame(0, 0, 400), 0).IsError);
        Assert.IsFalse(server.Table.Handle(new ResetStreamFrame(4, 0, 400), 0).IsError);
        Assert.AreEqual(
            TransportErrorCode.FlowControlError, server.Table.Handle(new ResetStreamFrame(8, 0, 201), 0).Code);
    }

    [TestMethod]
    public void What_a_reset_left_unsent_is_credit_again()
    {
        (_, StreamEnd server) = StreamEnd.Pair(server: Small);
        server.Table.Handle(new ResetStreamFrame(0, 0, 400), server.Now);
        server.Table.Handle(new ResetStreamFrame(4, 0, 400), server.Now);
        Assert.IsTrue(server.Build()!.Only(SentFrameKind.MaxData).Offset >= 1800);
    }

    [TestMethod]
    public void Credit_follows_what_the_application_read()
    {
        (StreamEnd client, StreamEnd server) = StreamEnd.Pair(server: Small);
        client.Open().Write(new byte[400]);
        server.Receive(client.Build()!);
        StreamState stream = server.Accept();
        Assert.IsNull(server.Build(), "nothing was read");

        stream.Read(new byte[199], server.Now);
        Assert.IsNull(server.Build(), "less than half of the window");
        server.Now += 10_000_000;
        stream.Read(new byte[1], server.Now);
        Assert.AreEqual(600UL, server.Build()!.Only(SentFrameKind.MaxStreamData).Offset);
    }

    [TestMethod]
    public void Credit_follows_a_reader_whose_memory_was_filled_directly()
    {
        (StreamEnd client, StreamEnd server) = StreamEnd.Pair(server: Small);
        StreamState sender = client.Open();
        server.Receive(StreamStateTests.Data(0, 0, default));
        StreamState stream = server.Accept();
        var memory = new byte[300];
        Assert.IsTrue(stream.TryRegisterRead(memory));
        sender.Write([.. Enumerable.Range(0, 250).Select(i => (byte)i)]);
        server.Receive(client.Build()!);

        CollectionAssert.Contains(server.Events, "readable 0");
        Assert.AreEqual(250, stream.TakeRegisteredRead());
        Assert.AreEqual(249, memory[249]);
        Assert.AreEqual(0, server.Pool.RentedBytes, "no copy was kept");
        CollectionAssert.Contains(server.Build()!.Kinds.ToArray(), SentFrameKind.MaxStreamData);
    }

    [TestMethod]
    public void Only_the_newest_limit_is_sent_again()
    {
        // RFC 9000 section 13.3.
        (StreamEnd client, StreamEnd server) = StreamEnd.Pair(server: Small);
        StreamState sender = client.Open();
        sender.Write(new byte[300]);
        server.Receive(client.Build()!);
        StreamState stream = server.Accept();
        stream.Read(new byte[300], server.Now);
        StreamPacket older = server.Build()!;
        client.Receive(older);
        sender.Write(new byte[600]);
        server.Receive(client.Build()!);
        server.Now += 10_000_000;
        stream.Read(new byte[600], server.Now);
        StreamPacket newer = server.Build()!;

        server.Lost(older);
        Assert.IsNull(server.Build());
        server.Lost(newer);
        StreamPacket again = server.Build()!;
        Assert.AreEqual(newer.Only(SentFrameKind.MaxStreamData).Offset, again.Only(SentFrameKind.MaxStreamData).Offset);
    }

    [TestMethod]
    public void No_credit_is_given_to_a_stream_whose_end_is_known()
    {
        (StreamEnd client, StreamEnd server) = StreamEnd.Pair(server: Small);
        StreamState sender = client.Open();
        sender.Write(new byte[400]);
        sender.Finish();
        server.Receive(client.Build()!);
        server.Accept().Read(new byte[390], server.Now);
        StreamPacket? packet = server.Build();
        Assert.IsFalse(packet?.Kinds.Contains(SentFrameKind.MaxStreamData) ?? false);
    }

    [TestMethod]
    public void A_window_doubles_while_it_is_read_within_a_round_trip_up_to_its_maximum()
    {
        var window = new ReceiveWindow(1000, 8000);
        long now = 50_000_000;
        window.OnReceived(now);
        var sizes = new List<ulong>();
        for (int i = 0; i < 5; i++)
        {
            now += 20_000;
            window.Consume(window.Size / 2, now, roundTrip: 50_000);
            window.Consume(window.Limit - window.Consumed, now, roundTrip: 50_000);
            sizes.Add(window.Size);
            window.Announce(now);
        }

        CollectionAssert.AreEqual(new ulong[] { 2000, 4000, 8000, 8000, 8000 }, sizes);
    }

    [TestMethod]
    public void A_window_that_lasts_for_several_round_trips_stays_as_it_is()
    {
        var window = new ReceiveWindow(1000, 8000);
        window.OnReceived(0);
        for (long now = 100_000; now < 1_000_000; now += 100_000)
        {
            Assert.IsFalse(window.Consume(500, now, roundTrip: 40_000));
            Assert.IsTrue(window.UpdateDue);
            window.Announce(now);
        }

        Assert.AreEqual(1000UL, window.Size);
    }

    /// <summary>A round trip from the update to the first byte that it let out, and the time of the others: that is no rest.</summary>
    [TestMethod]
    public void A_window_whose_sender_stands_still_for_a_round_trip_grows()
    {
        var window = new ReceiveWindow(1000, 8000);
        window.OnReceived(0);
        Assert.IsTrue(window.Consume(500, 52_000, roundTrip: 40_000));
        Assert.AreEqual(2000UL, window.Size);
    }

    [TestMethod]
    public void A_stream_window_that_grows_takes_the_connections_along()
    {
        (StreamEnd client, StreamEnd server) = StreamEnd.Pair(server: Small);
        StreamState sender = client.Open();
        var memory = new byte[1 << 20];
        sender.Write(new byte[1 << 20]);
        server.Receive(StreamStateTests.Data(0, 0, default));
        StreamState stream = server.Accept();
        int read = 0;
        while (read < memory.Length)
        {
            int before = read;
            while (client.Build() is { } packet)
            {
                Assert.AreEqual(TransportError.None, server.Receive(packet));
            }

            read += stream.Read(memory, server.Now);
            while (server.Build() is { } packet)
            {
                client.Receive(packet);
            }

            server.Now += 1000;
            Assert.IsTrue(read > before, "stands still");
        }

        Assert.IsTrue(server.Table.ReceiveWindowSize >= 64 * 1024, $"{server.Table.ReceiveWindowSize}");
    }

    /// <summary>
    /// A peer that goes by one stream's credit alone: whatever is lost, and whatever other streams hold unread, it never has more of it than
    /// the connection's, and it is never left without any for good.
    /// </summary>
    [TestMethod]
    [DataRow(1_000_000, 300_000)]
    [DataRow(64_000, 64_000)]
    [DataRow(100_000, 99_999)]
    public void A_streams_credit_is_never_more_than_the_connections(int connection, int stream)
    {
        for (int seed = 0; seed < 60; seed++)
        {
            var random = new Random(seed);
            var credits = new StreamCredits((ulong)connection, (ulong)stream, (ulong)stream, (ulong)stream, 8, 8);
            using var server = new StreamEnd(isServer: true, credits, o => new StreamTableOptions
            {
                IsServer = true,
                Announced = credits,
                MaxStreamWindow = 2_000_000,
                MaxConnectionWindow = 2_000_000,
            });
            server.Table.ApplyPeerCredits(credits);
            int count = 1 + (seed % 3);
            var sent = new ulong[count];
            var allowed = Enumerable.Repeat((ulong)stream, count).ToArray();
            var streams = new List<StreamState>();
            ulong maxData = (ulong)connection;
            var lost = new List<StreamPacket>();
            for (int i = 0; i < count; i++)
            {
                Assert.IsFalse(server.Receive(StreamStateTests.Data((ulong)i * 4, 0, default)).IsError);
                streams.Add(server.Accept());
            }

            for (int step = 0; step < 3_000 && sent[0] < 5_000_000; step++)
            {
                server.Now += random.Next(1, 20_000);
                int at = random.Next(count);
                ulong total = sent.Aggregate(0UL, (sum, bytes) => sum + bytes);
                ulong length = Math.Min(Math.Min(allowed[at] - sent[at], maxData - total), (ulong)random.Next(20_000));
                Assert.IsFalse(server.Receive(StreamStateTests.Data((ulong)at * 4, sent[at], new byte[length])).IsError);
                sent[at] += length;

                // The others are read rarely: what they hold is no credit of the first one's.
                int read = random.Next(20) == 0 ? random.Next(count) : 0;
                streams[read].Read(new byte[random.Next(60_000)], server.Now);
                while (server.Build(random.Next(40, 200)) is { } packet)
                {
                    if (random.Next(3) == 0)
                    {
                        lost.Add(packet);
                        continue;
                    }

                    foreach (SentFrame frame in packet.Frames)
                    {
                        if (frame.Kind == SentFrameKind.MaxData)
                        {
                            maxData = Math.Max(maxData, frame.Offset);
                        }
                        else if (frame.Kind == SentFrameKind.MaxStreamData)
                        {
                            int index = (int)(frame.Id / 4);
                            allowed[index] = Math.Max(allowed[index], frame.Offset);
                            total = sent.Aggregate(0UL, (sum, bytes) => sum + bytes);
                            Assert.IsLessThanOrEqualTo(
                                (long)(maxData - total), (long)frame.Offset - (long)sent[index], $"seed {seed}, step {step}, stream {index}");
                        }
                    }
                }

                if (lost.Count > 0 && random.Next(3) == 0)
                {
                    server.Lost(lost[0]);
                    lost.RemoveAt(0);
                }
            }

            Assert.IsGreaterThanOrEqualTo(2_000_000UL, sent[0], $"seed {seed} stands still");
        }
    }

    [TestMethod]
    public void A_streams_first_credit_is_never_more_than_the_connections()
    {
        var settings = new ConnectionSettings { InitialMaxData = 1000, InitialMaxStreamData = 1001 };
        StreamCredits credits = ParameterFactory.Credits(ParameterFactory.Create(settings));
        Assert.AreEqual(1000UL, credits.MaxStreamDataBidirectionalLocal);
        Assert.AreEqual(1000UL, credits.MaxStreamDataBidirectionalRemote);
        Assert.AreEqual(1000UL, credits.MaxStreamDataUnidirectional);
    }

    [TestMethod]
    public void New_streams_wait_for_the_peers_permission()
    {
        (StreamEnd client, StreamEnd server) = StreamEnd.Pair(server: Small);
        for (int i = 0; i < 8; i++)
        {
            client.Open();
        }

        Assert.IsFalse(client.Table.TryOpen(true, out _));
        Assert.IsFalse(client.Table.TryOpen(true, out _));
        StreamPacket blocked = client.Build()!;
        Assert.AreEqual(8UL, blocked.Only(SentFrameKind.StreamsBlockedBidirectional).Offset);
        Assert.IsNull(client.Build());
        server.Receive(blocked);
        client.Table.HandleMaxStreams(true, 9);
        CollectionAssert.Contains(client.Events, "credit bidi");
        Assert.AreEqual(32UL, client.Open().Id);
    }

    [TestMethod]
    public void A_stream_that_ended_well_makes_room_for_another()
    {
        (StreamEnd client, StreamEnd server) = StreamEnd.Pair(server: Small);
        for (int i = 0; i < 1000; i++)
        {
            StreamState stream = client.Open(bidirectional: false);
            stream.Write("x"u8);
            stream.Finish();
            stream.Release(0, client.Now);
            client.Exchange(server);
            StreamState accepted = server.Accept(bidirectional: false);
            accepted.Read(new byte[10], server.Now);
            accepted.Release(0, server.Now);
            client.Exchange(server);
        }

        Assert.AreEqual(0, client.Table.Count + server.Table.Count);
    }

    /// <summary>
    /// The same work for us, asked for in another way: the request is whole, and nobody wants the answer (rapid reset,
    /// CVE-2023-44487, with STOP_SENDING in place of the reset).
    /// </summary>
    [TestMethod]
    public void Credit_for_streams_whose_answer_the_peer_stopped_comes_back_at_a_pace()
    {
        (StreamEnd client, StreamEnd server) = StreamEnd.Pair();
        int opened = 0;
        while (opened < 2 * Limits.AbortedStreamBurst && client.Table.TryOpen(true, out StreamState? stream))
        {
            stream!.Write("x"u8);
            stream.Finish();
            client.Exchange(server);
            StreamState accepted = server.Accept();
            accepted.Read(new byte[10], server.Now);
            stream.StopReading(0, client.Now);
            stream.Release(0, client.Now);
            client.Exchange(server);
            accepted.Release(0, server.Now);
            client.Exchange(server);
            opened++;
        }

        Assert.IsLessThanOrEqualTo(Limits.AbortedStreamBurst + 100, opened, "streams without waiting");
    }

    [TestMethod]
    public void Credit_for_streams_that_the_peer_reset_comes_back_at_a_pace()
    {
        (StreamEnd client, StreamEnd server) = StreamEnd.Pair();
        int opened = 0;
        while (client.Table.TryOpen(true, out StreamState? stream))
        {
            stream!.Reset(1);
            client.Exchange(server);
            StreamState accepted = server.Accept();
            accepted.Release(0, server.Now);
            client.Exchange(server);
            opened++;
        }

        // The burst and what the first limit allowed; then two a millisecond.
        Assert.IsTrue(opened <= Limits.AbortedStreamBurst + 100, $"{opened} streams without waiting");
        Assert.IsTrue(server.Table.NextTimeout <= server.Now + 1000);
        server.Now += 10_000;
        server.Table.HandleTimeout(server.Now);
        server.Exchange(client);
        Assert.AreEqual(20UL, client.Table.OpenCreditLeft(true));
    }

    [TestMethod]
    public void Rejected_early_data_leaves_nothing_of_its_streams_and_limits()
    {
        // RFC 9001 section 4.6.2, RFC 9000 section 7.4.1.
        using var client = new StreamEnd(isServer: false);
        client.Table.ApplyPeerCredits(new StreamCredits(1000, 500, 500, 500, 10, 10));
        StreamState stream = client.Open();
        stream.Write(new byte[100]);
        client.Build();

        client.Table.UndoEarlyData(client.Now);
        CollectionAssert.Contains(client.Events, "rejected 0");
        Assert.IsTrue(stream.IsClosed);
        Assert.AreEqual(0, stream.Write("x"u8));
        Assert.AreEqual(0, client.Table.Count);
        Assert.AreEqual(0, client.Pool.RentedBytes);
        Assert.IsFalse(client.Table.HasFramesToSend);
        Assert.IsFalse(client.Table.TryOpen(true, out _));

        client.Table.ApplyPeerCredits(new StreamCredits(300, 200, 200, 200, 1, 1));
        StreamState again = client.Open();
        Assert.AreEqual(0UL, again.Id);
        again.Write(new byte[1000]);
        Assert.AreEqual(200U, client.Build()!.Only(SentFrameKind.Stream).Length);
    }

    [TestMethod]
    public void Accepted_early_data_goes_on_with_the_higher_limits()
    {
        using var client = new StreamEnd(isServer: false);
        var remembered = new StreamCredits(1000, 500, 500, 500, 10, 10);
        client.Table.ApplyPeerCredits(remembered);
        StreamState stream = client.Open();
        stream.Write(new byte[600]);
        Assert.AreEqual(500U, client.Build()!.Only(SentFrameKind.Stream).Length);

        StreamCredits real = remembered with { MaxStreamDataBidirectionalRemote = 550 };
        client.Table.ApplyPeerCredits(real);
        StreamPacket? packet = client.Build();
        Assert.AreEqual(50U, packet!.Only(SentFrameKind.Stream).Length);
    }
}
