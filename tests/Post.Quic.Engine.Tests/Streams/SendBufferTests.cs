using Post.Quic.Engine.Streams;

namespace Post.Quic.Engine.Tests.Streams;

[TestClass]
public sealed class SendBufferTests
{
    private readonly BlockPool _pool = new();

    [TestMethod]
    public void A_reset_lets_go_of_a_chunk_whose_sent_part_was_acknowledged()
    {
        SendBuffer buffer = Written(3000);
        buffer.OnSent(0, 1200, fin: false);
        buffer.OnAcked(0, 1200, fin: false);
        buffer.Truncate(0);
        Assert.AreEqual(0, _pool.RentedBytes);
        Assert.AreEqual(0, buffer.CopiedBytes);
    }

    [TestMethod]
    public void Copies_are_bounded_and_room_returns_with_acknowledgements()
    {
        var buffer = new SendBuffer(_pool) { CopyCapacity = 1000 };
        Assert.AreEqual(1000, buffer.AppendCopy(new byte[1500]));
        Assert.AreEqual(0, buffer.AppendCopy(new byte[1]));

        buffer.OnSent(0, 1000, fin: false);
        buffer.OnAcked(0, 1000, fin: false);

        Assert.AreEqual(1000, buffer.CopyRoom);
        Assert.AreEqual(0, _pool.RentedBytes, "acknowledged blocks go back to the pool");
    }

    [TestMethod]
    public void Small_writes_share_blocks()
    {
        var buffer = new SendBuffer(_pool);
        for (int i = 0; i < 1000; i++)
        {
            Assert.AreEqual(10, buffer.AppendCopy(new byte[10]));
        }

        Assert.IsTrue(_pool.RentedBytes <= 4 * 10_000, $"{_pool.RentedBytes} bytes are held for 10,000");
    }

    [TestMethod]
    public void Lost_data_goes_before_new_data()
    {
        SendBuffer buffer = Written(100);
        buffer.OnSent(0, 30, fin: false);
        buffer.OnLost(10, 5, fin: false);

        Assert.IsTrue(buffer.TryGetNext(ulong.MaxValue, out OffsetRange range));
        Assert.AreEqual(new OffsetRange(10, 15), range);
        buffer.OnSent(10, 5, fin: false);
        Assert.IsTrue(buffer.TryGetNext(ulong.MaxValue, out range));
        Assert.AreEqual(new OffsetRange(30, 100), range);
    }

    [TestMethod]
    public void What_another_copy_delivered_is_not_sent_again()
    {
        SendBuffer buffer = Written(100);
        buffer.OnSent(0, 100, fin: false);
        buffer.OnAcked(20, 20, fin: false);
        buffer.OnLost(0, 60, fin: false);

        var lost = new List<OffsetRange>();
        while (buffer.TryGetNext(ulong.MaxValue, out OffsetRange range))
        {
            lost.Add(range);
            buffer.OnSent(range.Start, (int)range.Length, fin: false);
        }

        CollectionAssert.AreEqual(new[] { new OffsetRange(0, 20), new OffsetRange(40, 60) }, lost);
    }

    [TestMethod]
    public void Credit_bounds_new_data_but_not_what_was_sent_before()
    {
        SendBuffer buffer = Written(100);
        buffer.OnSent(0, 50, fin: false);
        Assert.IsFalse(buffer.TryGetNext(50, out _));
        buffer.OnLost(0, 50, fin: false);
        Assert.IsTrue(buffer.TryGetNext(50, out OffsetRange range));
        Assert.AreEqual(new OffsetRange(0, 50), range);
    }

    [TestMethod]
    public void An_end_that_was_lost_alone_is_sent_again_alone()
    {
        SendBuffer buffer = Written(10);
        buffer.Finish();
        buffer.OnSent(0, 10, fin: true);
        buffer.OnAcked(0, 10, fin: false);
        buffer.OnLost(10, 0, fin: true);

        Assert.IsTrue(buffer.TryGetNext(ulong.MaxValue, out OffsetRange range));
        Assert.AreEqual(new OffsetRange(10, 10), range);
        Assert.IsTrue(buffer.EndsAt(10));
        buffer.OnSent(10, 0, fin: true);
        Assert.IsFalse(buffer.IsComplete);
        buffer.OnAcked(10, 0, fin: true);
        Assert.IsTrue(buffer.IsComplete);
    }

    private SendBuffer Written(int length)
    {
        var buffer = new SendBuffer(_pool);
        buffer.AppendCopy(new byte[length]);
        return buffer;
    }
}
