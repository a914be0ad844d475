using Post.Quic.Engine.InFlight;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Tests.Streams;

/// <summary>The states of a stream, and which frames they allow (RFC 9000 sections 2, 3, 4.5 and 19).</summary>
[TestClass]
public sealed class StreamStateTests
{
    // Ids by their two lowest bits (RFC 9000 section 2.1).
    private const ulong ClientBidi = 0;
    private const ulong ServerBidi = 1;
    private const ulong ClientUni = 2;
    private const ulong ServerUni = 3;

    [TestMethod]
    public void A_stream_goes_through_and_is_forgotten_on_both_sides()
    {
        (StreamEnd client, StreamEnd server) = StreamEnd.Pair();
        StreamState request = client.Open();
        request.Write("question"u8);
        request.Finish();
        client.Exchange(server);

        StreamState served = server.Accept();
        Assert.AreEqual("question", Read(served, server));
        Assert.AreEqual(ReceiveState.DataRead, served.Receive!.State);
        served.Write("answer"u8);
        served.Finish();
        server.Exchange(client);
        Assert.AreEqual("answer", Read(request, client));

        CollectionAssert.Contains(client.Events, "settled 0");
        CollectionAssert.Contains(client.Events, "closed 0");
        CollectionAssert.Contains(server.Events, "closed 0");
        Assert.AreEqual(0, client.Table.Count + server.Table.Count);
        Assert.AreEqual(0, client.Pool.RentedBytes + server.Pool.RentedBytes);
    }

    [TestMethod]
    public void The_end_is_settled_only_when_data_and_end_are_acknowledged()
    {
        (StreamEnd client, _) = StreamEnd.Pair();
        StreamState stream = client.Open(bidirectional: false);
        stream.Write(new byte[1500]);
        stream.Finish();
        StreamPacket first = client.Build()!, second = client.Build()!;
        Assert.AreEqual(SendState.DataSent, stream.Send!.State);

        client.Acked(second);
        CollectionAssert.DoesNotContain(client.Events, "settled 2");
        client.Acked(first);
        CollectionAssert.Contains(client.Events, "settled 2");
        CollectionAssert.Contains(client.Events, "closed 2");
    }

    [TestMethod]
    public void A_later_id_opens_all_lower_ones_and_they_are_accepted_in_order()
    {
        // RFC 9000 section 3.2.
        (_, StreamEnd server) = StreamEnd.Pair();
        Assert.IsFalse(server.Receive(Data(8, 0, "x"u8)).IsError);
        Assert.AreEqual(1, server.Table.Count, "lower ids cost nothing until they are used");

        Assert.AreEqual(0UL, server.Accept().Id);
        Assert.AreEqual(4UL, server.Accept().Id);
        Assert.AreEqual(8UL, server.Accept().Id);
        Assert.IsFalse(server.Table.TryAccept(true, server.Now, out _));
    }

    [TestMethod]
    public void More_streams_than_allowed_are_a_stream_limit_error()
    {
        // RFC 9000 section 4.6.
        (_, StreamEnd server) = StreamEnd.Pair();
        Assert.AreEqual(TransportErrorCode.StreamLimitError, server.Receive(Data(100 * 4, 0, "x"u8)).Code);
        Assert.IsFalse(server.Receive(Data(99 * 4, 0, "x"u8)).IsError);
        Assert.AreEqual(TransportErrorCode.StreamLimitError, server.Receive(Data((100 * 4) + 2, 0, "x"u8)).Code);
    }

    [TestMethod]
    public void Data_on_a_stream_that_only_we_send_on_is_a_stream_state_error()
    {
        // RFC 9000 sections 19.4, 19.8, 19.13.
        (_, StreamEnd server) = StreamEnd.Pair();
        server.Open(bidirectional: false);
        Assert.AreEqual(TransportErrorCode.StreamStateError, server.Receive(Data(ServerUni, 0, "x"u8)).Code);
        Assert.AreEqual(
            TransportErrorCode.StreamStateError,
            server.Table.Handle(new ResetStreamFrame(ServerUni, 0, 0), server.Now).Code);
        Assert.AreEqual(
            TransportErrorCode.StreamStateError,
            server.Table.Handle(new StreamDataBlockedFrame(ServerUni, 0)).Code);
    }

    [TestMethod]
    public void Credit_and_stop_for_a_stream_that_only_the_peer_sends_on_are_a_stream_state_error()
    {
        // RFC 9000 sections 19.5, 19.10.
        (_, StreamEnd server) = StreamEnd.Pair();
        Assert.AreEqual(
            TransportErrorCode.StreamStateError,
            server.Table.Handle(new MaxStreamDataFrame(ClientUni, 10)).Code);
        Assert.AreEqual(
            TransportErrorCode.StreamStateError,
            server.Table.Handle(new StopSendingFrame(ClientUni, 0), server.Now).Code);
    }

    [TestMethod]
    public void Frames_for_a_stream_of_ours_that_was_not_opened_are_a_stream_state_error()
    {
        // RFC 9000 sections 19.4, 19.5, 19.8, 19.10.
        (_, StreamEnd server) = StreamEnd.Pair();
        Assert.AreEqual(TransportErrorCode.StreamStateError, server.Receive(Data(ServerBidi, 0, "x"u8)).Code);
        Assert.AreEqual(
            TransportErrorCode.StreamStateError,
            server.Table.Handle(new MaxStreamDataFrame(ServerBidi, 10)).Code);
        Assert.AreEqual(
            TransportErrorCode.StreamStateError,
            server.Table.Handle(new StopSendingFrame(ServerUni, 0), server.Now).Code);
    }

    [TestMethod]
    public void The_final_size_cannot_change()
    {
        // RFC 9000 section 4.5.
        (_, StreamEnd server) = StreamEnd.Pair();
        Assert.IsFalse(server.Receive(Data(ClientBidi, 5, "x"u8, fin: true)).IsError);
        Assert.AreEqual(TransportErrorCode.FinalSizeError, server.Receive(Data(ClientBidi, 5, "xy"u8)).Code);
        Assert.AreEqual(TransportErrorCode.FinalSizeError, server.Receive(Data(ClientBidi, 2, "x"u8, fin: true)).Code);
        Assert.AreEqual(
            TransportErrorCode.FinalSizeError,
            server.Table.Handle(new ResetStreamFrame(ClientBidi, 0, 7), server.Now).Code);
        Assert.IsFalse(server.Table.Handle(new ResetStreamFrame(ClientBidi, 0, 6), server.Now).IsError);
    }

    [TestMethod]
    public void A_final_size_below_what_arrived_is_a_final_size_error()
    {
        // RFC 9000 section 4.5.
        (_, StreamEnd server) = StreamEnd.Pair();
        Assert.IsFalse(server.Receive(Data(ClientBidi, 0, "hello"u8)).IsError);
        Assert.AreEqual(TransportErrorCode.FinalSizeError, server.Receive(Data(ClientBidi, 0, "hell"u8, fin: true)).Code);
        Assert.AreEqual(
            TransportErrorCode.FinalSizeError,
            server.Table.Handle(new ResetStreamFrame(ClientBidi, 0, 4), server.Now).Code);
    }

    [TestMethod]
    public void Stop_sending_is_answered_with_a_reset_of_the_same_code()
    {
        // RFC 9000 section 3.5.
        (StreamEnd client, StreamEnd server) = StreamEnd.Pair();
        StreamState stream = client.Open();
        stream.Write(new byte[5000]);
        server.Receive(client.Build()!);
        server.Accept().StopReading(42, server.Now);

        StreamPacket stop = server.Build()!;
        CollectionAssert.Contains(stop.Kinds.ToArray(), SentFrameKind.StopSending);
        client.Receive(stop);

        CollectionAssert.Contains(client.Events, "stopped(42) 0");
        StreamPacket reset = client.Build()!;
        CollectionAssert.AreEqual(new[] { SentFrameKind.ResetStream }, reset.Kinds.ToArray());
        server.Receive(reset);
        client.Acked(reset);
        Assert.AreEqual(SendState.ResetReceived, stream.Send!.State);
        Assert.AreEqual(42UL, stream.Send.ResetCode);
        Assert.AreEqual(0, client.Pool.RentedBytes, "nobody will send these bytes again");
    }

    [TestMethod]
    public void Stop_sending_ends_what_a_reset_had_promised_beyond_the_credit()
    {
        (StreamEnd client, StreamEnd server) = StreamEnd.Pair(server: new StreamCredits(1 << 20, 1000, 1000, 1000, 10, 10));
        StreamState stream = client.Open();
        stream.Write(new byte[5000]);
        server.Receive(client.Build()!);
        stream.Reset(7, reliableSize: 4000);
        server.Accept().StopReading(42, server.Now);

        client.Exchange(server);

        Assert.AreEqual(SendState.ResetReceived, stream.Send!.State);
        Assert.AreEqual(7UL, stream.Send.ResetCode);
        Assert.AreEqual(0, client.Pool.RentedBytes);
    }

    [TestMethod]
    public void A_lost_stop_is_repeated_until_the_size_is_known()
    {
        (StreamEnd client, StreamEnd server) = StreamEnd.Pair();
        client.Open().Write("x"u8);
        StreamPacket data = client.Build()!;
        server.Receive(data);
        server.Accept().StopReading(1, server.Now);
        StreamPacket stop = server.Build()!;
        server.Lost(stop);
        StreamPacket again = server.Build()!;
        CollectionAssert.Contains(again.Kinds.ToArray(), SentFrameKind.StopSending);

        server.Receive(Data(ClientBidi, 1, default, fin: true));
        server.Lost(again);
        Assert.IsNull(server.Build());
    }

    [TestMethod]
    public void A_reset_throws_received_data_away_and_tells_its_code()
    {
        (StreamEnd client, StreamEnd server) = StreamEnd.Pair();
        StreamState stream = client.Open();
        stream.Write("half"u8);
        server.Receive(client.Build()!);
        stream.Reset(7);
        client.Exchange(server);

        StreamState accepted = server.Accept();
        Assert.AreEqual(ReceiveState.ResetReceived, accepted.Receive!.State);
        Assert.AreEqual(7UL, accepted.Receive.ResetCode);
        Assert.AreEqual(0, accepted.Read(new byte[10], server.Now));
        Assert.AreEqual(0, server.Pool.RentedBytes);
    }

    [TestMethod]
    public void A_reset_after_all_data_arrived_takes_nothing_away()
    {
        // RFC 9000 section 3.2.
        (_, StreamEnd server) = StreamEnd.Pair();
        server.Receive(Data(ClientUni, 0, "all"u8, fin: true));
        Assert.IsFalse(server.Table.Handle(new ResetStreamFrame(ClientUni, 1, 3), server.Now).IsError);
        StreamState stream = server.Accept(bidirectional: false);
        Assert.AreEqual("all", Read(stream, server));
    }

    [TestMethod]
    public void A_lost_reset_is_sent_again_and_lost_data_of_a_reset_stream_is_not()
    {
        (StreamEnd client, _) = StreamEnd.Pair();
        StreamState stream = client.Open();
        stream.Write(new byte[100]);
        StreamPacket data = client.Build()!;
        stream.Reset(9);
        StreamPacket reset = client.Build()!;
        client.Lost(data);
        Assert.IsNull(client.Build());
        client.Lost(reset);
        CollectionAssert.AreEqual(new[] { SentFrameKind.ResetStream }, client.Build()!.Kinds.ToArray());
    }

    [TestMethod]
    public void Frames_for_a_closed_stream_are_ignored()
    {
        (StreamEnd client, StreamEnd server) = StreamEnd.Pair();
        StreamState stream = client.Open(bidirectional: false);
        stream.Write("x"u8);
        stream.Finish();
        StreamPacket packet = client.Build()!;
        server.Receive(packet);
        Read(server.Accept(bidirectional: false), server);
        Assert.AreEqual(0, server.Table.Count);

        Assert.AreEqual(TransportError.None, server.Receive(packet));
        Assert.AreEqual(TransportError.None, server.Table.Handle(new ResetStreamFrame(ClientUni, 0, 1), server.Now));
        Assert.AreEqual(0, server.Table.Count);
        client.Acked(packet);
        client.Lost(packet);
        client.Acked(packet);
        Assert.IsNull(client.Build());
    }

    [TestMethod]
    public void A_stream_that_is_released_unread_closes_when_its_size_is_known()
    {
        (StreamEnd client, StreamEnd server) = StreamEnd.Pair();
        StreamState stream = client.Open(bidirectional: false);
        stream.Write(new byte[3000]);
        server.Receive(client.Build()!);
        server.Accept(bidirectional: false).Release(5, server.Now);
        Assert.AreEqual(0, server.Pool.RentedBytes);
        client.Exchange(server);
        Assert.AreEqual(0, client.Table.Count + server.Table.Count);
    }

    [TestMethod]
    public void An_object_is_used_again_only_after_its_owner_released_it()
    {
        (StreamEnd client, StreamEnd server) = StreamEnd.Pair();
        StreamState first = client.Open(bidirectional: false);
        first.Finish();
        client.Exchange(server);
        Assert.IsTrue(first.IsClosed);
        Assert.AreNotSame(first, client.Open(bidirectional: false));
        first.Release(0, client.Now);
        Assert.AreSame(first, client.Open(bidirectional: false));
    }

    internal static byte[] Data(ulong id, ulong offset, ReadOnlySpan<byte> data, bool fin = false)
    {
        var buffer = new byte[data.Length + 30];
        var writer = new WireWriter(buffer);
        StreamFrame.Write(ref writer, id, offset, data, fin, withLength: true);
        return buffer[..writer.Position];
    }

    internal static string Read(StreamState stream, StreamEnd end)
    {
        var buffer = new byte[100_000];
        int count = stream.Read(buffer, end.Now);
        return System.Text.Encoding.ASCII.GetString(buffer, 0, count);
    }
}
