using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Tests.Wire;

[TestClass]
public sealed class AckFrameTests
{
    private static readonly PacketNumberRange[] Ranges =
    [
        new(1000, 1010),
        new(900, 998),
        new(500, 500),
        new(0, 100),
    ];

    [TestMethod]
    public void Ranges_are_walked_from_the_largest_down()
    {
        byte[] bytes = Write(Ranges, default, 100, out int written);
        var reader = new WireReader(bytes.AsSpan(1));

        Assert.IsTrue(AckFrame.TryParse(FrameType.Ack, ref reader, out AckFrame frame));

        Assert.AreEqual(Ranges.Length, written);
        Assert.AreEqual(Ranges.Length, frame.RangeCount);
        Assert.AreEqual(1010UL, frame.LargestAcknowledged);
        Assert.AreEqual(77UL, frame.AckDelay);
        Assert.IsFalse(frame.HasEcnCounts);
        var walked = new List<PacketNumberRange>();
        foreach (PacketNumberRange range in frame)
        {
            walked.Add(range);
        }

        CollectionAssert.AreEqual(Ranges, walked);
        Assert.IsTrue(reader.IsEmpty);
    }

    [TestMethod]
    public void Ecn_counts_come_after_the_ranges()
    {
        var counts = new EcnCounts(1, 20_000, 3);
        byte[] bytes = Write(Ranges, counts, 100, out _);
        Assert.AreEqual((byte)FrameType.AckEcn, bytes[0]);
        var reader = new WireReader(bytes.AsSpan(1));

        Assert.IsTrue(AckFrame.TryParse(FrameType.AckEcn, ref reader, out AckFrame frame));
        Assert.IsTrue(frame.HasEcnCounts);
        Assert.AreEqual(counts, frame.EcnCounts);
    }

    [TestMethod]
    [DataRow(0u)]
    [DataRow(64u)]
    [DataRow(uint.MaxValue)]
    public void An_acknowledgement_that_names_a_path_fits_where_it_is_said_to(uint pathId)
    {
        for (int budget = 0; budget < 40; budget++)
        {
            foreach (EcnCounts counts in (ReadOnlySpan<EcnCounts>)[default, new EcnCounts(1, 20_000, 3)])
            {
                var writer = new WireWriter(new byte[budget]);
                bool fits = AckFrameWriter.TryWrite(ref writer, Ranges, 77, counts, out int written, pathId);
                Assert.AreEqual(fits, written > 0);
                if (!fits)
                {
                    Assert.AreEqual(0, writer.Position);
                    continue;
                }

                var reader = new WireReader(writer.Written);
                Assert.IsTrue(reader.TryReadVarInt(out ulong type));
                Assert.AreEqual(counts == default ? FrameType.PathAck : FrameType.PathAckEcn, type);
                Assert.IsTrue(AckFrame.TryParse(type, ref reader, out AckFrame frame));
                Assert.AreEqual(pathId, frame.PathId);
                Assert.AreEqual(counts, frame.EcnCounts);
                Assert.AreEqual(written, frame.RangeCount);
                Assert.IsTrue(reader.IsEmpty);
            }
        }
    }

    [TestMethod]
    public void The_oldest_ranges_are_left_out_where_room_is_short_and_the_frame_stays_valid()
    {
        int whole = Write(Ranges, new EcnCounts(1, 2, 3), 100, out _).Length;
        int last = 0;
        for (int budget = 0; budget <= whole; budget++)
        {
            byte[] bytes = Write(Ranges, new EcnCounts(1, 2, 3), budget, out int written);
            Assert.IsTrue(written >= last && bytes.Length <= budget);
            last = written;
            if (written == 0)
            {
                Assert.IsEmpty(bytes);
                continue;
            }

            var reader = new WireReader(bytes.AsSpan(1));
            Assert.IsTrue(AckFrame.TryParse(FrameType.AckEcn, ref reader, out AckFrame frame));
            Assert.AreEqual(written, frame.RangeCount);
            Assert.IsTrue(reader.IsEmpty);
        }

        Assert.AreEqual(Ranges.Length, last);
    }

    [TestMethod]
    public void Nothing_is_written_for_no_ranges() => Assert.IsEmpty(Write([], default, 100, out _));

    private static byte[] Write(PacketNumberRange[] ranges, EcnCounts counts, int budget, out int written)
    {
        var writer = new WireWriter(new byte[budget]);
        Assert.AreEqual(AckFrameWriter.TryWrite(ref writer, ranges, 77, counts, out written), written > 0);
        return writer.Written.ToArray();
    }
}
