using Post.Quic.Engine.InFlight;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Tests.Streams;

/// <summary>Resets that keep a promise (draft-ietf-quic-reliable-stream-reset).</summary>
[TestClass]
public sealed class ReliableResetTests
{
    private const ulong Code = 77;

    [TestMethod]
    public void A_stream_that_is_reset_still_delivers_its_header()
    {
        (StreamEnd client, StreamEnd server) = StreamEnd.Pair();
        StreamState stream = client.Open(bidirectional: false);
        stream.Write("headerpayload"u8);
        StreamPacket lost = client.Build()!;
        stream.Reset(Code, reliableSize: 6);
        StreamPacket reset = client.Build()!;
        CollectionAssert.AreEqual(new[] { SentFrameKind.ResetStreamAt }, reset.Kinds.ToArray());
        client.Lost(lost);
        StreamPacket data = client.Build()!;
        Assert.AreEqual(6U, data.Only(SentFrameKind.Stream).Length, "only what is promised is sent again");

        server.Receive(reset);
        StreamState accepted = server.Accept(bidirectional: false);
        Assert.AreEqual(ReceiveState.Open, accepted.Receive!.State);
        server.Receive(data);
        Assert.AreEqual("header", StreamStateTests.Read(accepted, server));
        Assert.AreEqual(ReceiveState.ResetReceived, accepted.Receive.State);
        Assert.AreEqual(Code, accepted.Receive.ResetCode);

        client.Acked(reset);
        CollectionAssert.DoesNotContain(client.Events, "settled 2");
        client.Acked(data);
        CollectionAssert.Contains(client.Events, "settled 2");
    }

    [TestMethod]
    public void A_promise_of_unsent_data_is_sent_before_its_reset()
    {
        (StreamEnd client, StreamEnd server) = StreamEnd.Pair();
        StreamState stream = client.Open(bidirectional: false);
        stream.Write(new byte[3000]);
        stream.Reset(1, reliableSize: 2000);
        StreamPacket first = client.Build()!, second = client.Build()!;
        CollectionAssert.AreEqual(new[] { SentFrameKind.Stream }, first.Kinds.ToArray());
        Assert.AreEqual(2000, first.Frames.Concat(second.Frames).Sum(f => f.Length));
        StreamPacket reset = client.Build()!;
        Assert.AreEqual(2000UL, reset.Only(SentFrameKind.ResetStreamAt).Offset);
        foreach (StreamPacket packet in new[] { reset, second, first })
        {
            Assert.AreEqual(TransportError.None, server.Receive(packet));
        }

        Assert.AreEqual(2000, server.Accept(bidirectional: false).Read(new byte[3000], server.Now));
    }

    [TestMethod]
    public void A_promise_can_be_lowered_and_not_raised()
    {
        // draft-ietf-quic-reliable-stream-reset section 5.
        (StreamEnd client, _) = StreamEnd.Pair();
        StreamState stream = client.Open(bidirectional: false);
        stream.Write(new byte[500]);
        client.Build();
        stream.Reset(1, reliableSize: 100);
        StreamPacket first = client.Build()!;
        stream.Reset(1, reliableSize: 300);
        Assert.IsNull(client.Build());
        stream.Reset(2);
        StreamPacket second = client.Build()!;
        Assert.AreEqual(SentFrameKind.ResetStream, second.Frames[0].Kind);
        Assert.AreEqual(1UL, stream.Send!.ResetCode, "the code stays");
        Assert.AreEqual(500UL, stream.Send.FinalSize);
        client.Acked(first);
        Assert.AreEqual(SendState.ResetSent, stream.Send.State, "the lower promise is not acknowledged");
        client.Acked(second);
        Assert.AreEqual(SendState.ResetReceived, stream.Send.State);
    }

    [TestMethod]
    public void A_peer_that_does_not_know_reliable_resets_gets_plain_ones()
    {
        (StreamEnd client, _) = StreamEnd.Pair();
        client.Table.PeerKnowsResetStreamAt = false;
        StreamState stream = client.Open(bidirectional: false);
        stream.Write(new byte[500]);
        stream.Reset(1, reliableSize: 100);
        CollectionAssert.AreEqual(new[] { SentFrameKind.ResetStream }, client.Build()!.Kinds.ToArray());
    }

    [TestMethod]
    public void A_receiver_ignores_a_raised_promise_and_refuses_a_changed_code()
    {
        // draft-ietf-quic-reliable-stream-reset section 5.
        (_, StreamEnd server) = StreamEnd.Pair();
        Assert.IsFalse(server.Table.Handle(new ResetStreamAtFrame(2, 9, 100, 50), server.Now).IsError);
        Assert.IsFalse(server.Table.Handle(new ResetStreamAtFrame(2, 9, 100, 4), server.Now).IsError);
        Assert.IsFalse(server.Table.Handle(new ResetStreamAtFrame(2, 9, 100, 80), server.Now).IsError);
        server.Receive(StreamStateTests.Data(2, 0, "head"u8));
        StreamState stream = server.Accept(bidirectional: false);
        Assert.AreEqual("head", StreamStateTests.Read(stream, server));
        Assert.AreEqual(ReceiveState.ResetReceived, stream.Receive!.State);
        Assert.AreEqual(
            TransportErrorCode.StreamStateError,
            server.Table.Handle(new ResetStreamAtFrame(2, 8, 100, 4), server.Now).Code);
        Assert.AreEqual(
            TransportErrorCode.FinalSizeError,
            server.Table.Handle(new ResetStreamAtFrame(2, 9, 101, 4), server.Now).Code);
    }
}
