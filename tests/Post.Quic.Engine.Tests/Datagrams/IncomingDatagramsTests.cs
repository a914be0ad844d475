using Post.Quic.Engine.Datagrams;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Tests.Datagrams;

[TestClass]
public sealed class IncomingDatagramsTests
{
    [TestMethod]
    public void Datagrams_are_read_in_the_order_they_came()
    {
        using var queue = new IncomingDatagrams(1000, 10, 10_000);
        Receive(queue, [1, 2]);
        Receive(queue, []);
        var buffer = new byte[10];
        Assert.IsFalse(queue.TryRead(new byte[1], out _), "not cut off");
        Assert.IsTrue(queue.TryRead(buffer, out int length));
        Assert.AreEqual((2, (byte)1, (byte)2), (length, buffer[0], buffer[1]));
        Assert.AreEqual(0, queue.PeekLength());
        Assert.IsTrue(queue.TryRead(buffer, out length));
        Assert.AreEqual(0, length);
        Assert.AreEqual(-1, queue.PeekLength());
    }

    [TestMethod]
    public void When_there_are_too_many_the_oldest_go_and_are_counted()
    {
        using var queue = new IncomingDatagrams(1000, 3, 100);
        for (byte i = 0; i < 5; i++)
        {
            Receive(queue, [i]);
        }

        Assert.AreEqual((3, 2L), (queue.Count, queue.Dropped));
        var buffer = new byte[10];
        queue.TryRead(buffer, out _);
        Assert.AreEqual(2, buffer[0]);

        Receive(queue, new byte[99]);
        Assert.AreEqual((2, 3L, 100), (queue.Count, queue.Dropped, queue.QueuedBytes));
        Receive(queue, new byte[101]);
        Assert.AreEqual((2, 4L), (queue.Count, queue.Dropped));
    }

    [TestMethod]
    public void A_frame_larger_than_announced_is_a_protocol_violation()
    {
        // RFC 9221 section 3; the size is that of the whole frame.
        using var queue = new IncomingDatagrams(12, 3, 100);
        Assert.IsFalse(Receive(queue, new byte[10]).IsError);
        Assert.AreEqual(TransportErrorCode.ProtocolViolation, Receive(queue, new byte[11]).Code);
    }

    private static TransportError Receive(IncomingDatagrams queue, byte[] data)
    {
        var writer = new WireWriter(new byte[2000]);
        DatagramFrame.Write(ref writer, data);
        var reader = new WireReader(writer.Written);
        reader.TryReadVarInt(out ulong type);
        Assert.IsTrue(DatagramFrame.TryParse(type, ref reader, out DatagramFrame frame));
        return queue.Handle(frame);
    }
}
