using CsCheck;
using Post.Quic.Testing;
using Post.Sockets.Protocol;

namespace Post.Sockets.Tests.Protocol;

/// <summary>What is written is read back the same, for anything that can be written.</summary>
[TestClass]
public sealed class RoundTripTests
{
    /// <summary>Integers of every length, with the edges between lengths often.</summary>
    private static readonly Gen<long> Integers = Gen.Select(Gen.Int[0, 61], Gen.ULong, Gen.Int[0, 3], (bits, random, edge) => edge switch
    {
        0 => (1L << bits) - 1,
        1 => 1L << bits,
        _ => (long)(random & ((2UL << bits) - 1)),
    });

    private static readonly Gen<IdRange[]> RangeLists = Gen.Select(Gen.Long[0, 1L << 40], Gen.Long[0, 1L << 20]).Array[1, 40]
        .Select(pairs =>
        {
            var set = new IdRangeSet();
            foreach ((long first, long more) in pairs)
            {
                set.Add(new IdRange(first, first + more));
            }

            return set.Ranges.ToArray();
        });

    [TestMethod]
    public void Every_integer_is_read_back_and_its_prefixes_are_not_enough() => Integers.SampleSeeded(value =>
    {
        Span<byte> buffer = stackalloc byte[PostInteger.MaxLength];
        int written = PostInteger.Write(buffer, value);
        Assert.AreEqual(PostInteger.Length(value), written);
        Assert.IsTrue(PostInteger.TryRead(buffer, out long read, out int consumed));
        Assert.AreEqual(value, read);
        Assert.AreEqual(written, consumed);
        Assert.IsFalse(PostInteger.TryRead(buffer[..(written - 1)], out _, out _));
    }, iter: 20_000);

    [TestMethod]
    public void Integers_in_longer_forms_are_read_too()
    {
        ReadOnlySpan<byte> two = [0x40, 0x25];
        ReadOnlySpan<byte> four = [0x80, 0x00, 0x00, 0x25];
        ReadOnlySpan<byte> eight = [0xc0, 0, 0, 0, 0, 0, 0, 0x25];
        Assert.IsTrue(PostInteger.TryRead(two, out long a, out int aLength));
        Assert.IsTrue(PostInteger.TryRead(four, out long b, out int bLength));
        Assert.IsTrue(PostInteger.TryRead(eight, out long c, out int cLength));
        Assert.AreEqual((37L, 37L, 37L), (a, b, c));
        Assert.AreEqual((2, 4, 8), (aLength, bLength, cLength));
    }

    [TestMethod]
    public void Integers_beyond_62_bits_cannot_be_written()
    {
        byte[] buffer = new byte[8];
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => PostInteger.Write(buffer, PostInteger.MaxValue + 1));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => PostInteger.Write(buffer, -1));
    }

    [TestMethod]
    public void Every_object_header_is_read_back() =>
        Gen.Select(Integers, Integers, Gen.OneOf(Gen.Const(-1L), Integers), Gen.Long[1, 1000].Array[0, 256], Gen.Byte.Array[0, 200], Gen.OneOf(Gen.Const(-1L), Integers), Gen.Select(Gen.Int[0, 15], Gen.OneOf(Gen.Const(-1L), Integers), Gen.Byte.Array[0, 32]))
        .SampleSeeded(sample =>
        {
            var (id, niceness, lifetime, differences, metadata, length, (treatment, offset, durableId)) = sample;
            var antecedents = new List<long>();
            long next = id;
            foreach (long difference in differences)
            {
                next -= difference;
                if (next >= 0)
                {
                    antecedents.Add(next);
                }
            }

            var header = new ObjectHeader
            {
                Id = id,
                Niceness = niceness,
                SentAt = lifetime < 0 ? 0 : niceness,
                Lifetime = lifetime,
                Antecedents = antecedents.ToArray(),
                Metadata = metadata,
                PayloadLength = length,
                Offset = length < 0 ? offset : Math.Min(offset, length),
                DurableId = durableId,
                Treatment = (ObjectFlags)((treatment & 7) << 5) | (antecedents.Count > 0 && treatment > 7 ? ObjectFlags.OrderOnly : 0),
            };
            Span<byte> buffer = stackalloc byte[ProtocolLimits.MaxObjectHeader];
            int written = header.Write(buffer);
            Assert.AreEqual(written, header.Length());

            Span<long> scratch = stackalloc long[ProtocolLimits.MaxAntecedents];
            ParseStatus status = ObjectHeader.TryParse(buffer[..written], scratch, out ObjectHeader read, out int consumed, out PostErrorCode error);
            Assert.AreEqual((ParseStatus.Done, PostErrorCode.NoError, written), (status, error, consumed));
            Assert.AreEqual(
                (header.Id, header.Niceness, header.SentAt, header.Lifetime, header.PayloadLength, header.Offset, header.Treatment),
                (read.Id, read.Niceness, read.SentAt, read.Lifetime, read.PayloadLength, read.Offset, read.Treatment));
            Assert.IsTrue(read.Antecedents.SequenceEqual(header.Antecedents));
            Assert.IsTrue(read.Metadata.SequenceEqual(header.Metadata));
            Assert.IsTrue(read.DurableId.SequenceEqual(header.DurableId));
            Assert.AreEqual(durableId.Length > 0 && offset < 0, read.AsksForStart);

            // Whatever is cut off the end, the rest is incomplete and never wrong.
            int cut = (int)((ulong)niceness % (ulong)written);
            Assert.AreEqual(ParseStatus.NeedMore, ObjectHeader.TryParse(buffer[..cut], scratch, out _, out _, out _));
        }, iter: 20_000);

    [TestMethod]
    public void The_longest_header_fits_the_stated_limit()
    {
        var header = new ObjectHeader
        {
            Id = PostInteger.MaxValue,
            Niceness = PostInteger.MaxValue,
            SentAt = PostInteger.MaxValue,
            Lifetime = PostInteger.MaxValue,
            PayloadLength = PostInteger.MaxValue,
            Offset = PostInteger.MaxValue,
            DurableId = new byte[ProtocolLimits.MaxDurableId],
            Antecedents = Enumerable.Range(1, ProtocolLimits.MaxAntecedents).Select(i => PostInteger.MaxValue - (i * (1L << 31))).ToArray(),
            Metadata = new byte[ProtocolLimits.MaxMetadata],
        };
        Assert.IsLessThanOrEqualTo(ProtocolLimits.MaxObjectHeader, header.Length());
        Span<long> scratch = stackalloc long[ProtocolLimits.MaxAntecedents];
        byte[] bytes = new byte[header.Length()];
        header.Write(bytes);
        Assert.AreEqual(ParseStatus.Done, ObjectHeader.TryParse(bytes, scratch, out _, out _, out _));
    }

    [TestMethod]
    [DataRow(ProtocolLimits.MaxDurableId, true)]
    [DataRow(ProtocolLimits.MaxDurableId + 1, false)]
    public void A_durable_id_has_its_limit(int length, bool valid)
    {
        var header = new ObjectHeader { DurableId = new byte[length] };
        byte[] bytes = new byte[header.Length()];
        header.Write(bytes);
        Span<long> scratch = stackalloc long[ProtocolLimits.MaxAntecedents];
        Assert.AreEqual(valid ? ParseStatus.Done : ParseStatus.Invalid, ObjectHeader.TryParse(bytes, scratch, out _, out _, out _));
        if (!valid)
        {
            Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new ObjectProperties { DurableId = new byte[length] });
        }
        else
        {
            Assert.AreEqual(length, new ObjectProperties { DurableId = new byte[length] }.DurableId.Length);
        }
    }

    [TestMethod]
    [DataRow(7, 7, true)]
    [DataRow(7, 8, false)]
    [DataRow(0, 1, false)]
    [DataRow(-1, 8, true)]
    public void An_offset_ends_with_the_length(int length, int offset, bool valid)
    {
        var header = new ObjectHeader { PayloadLength = length, Offset = offset };
        byte[] bytes = new byte[header.Length()];
        header.Write(bytes);
        Span<long> scratch = stackalloc long[ProtocolLimits.MaxAntecedents];
        Assert.AreEqual(valid ? ParseStatus.Done : ParseStatus.Invalid, ObjectHeader.TryParse(bytes, scratch, out _, out _, out PostErrorCode error));
        Assert.AreEqual(valid ? PostErrorCode.NoError : PostErrorCode.OffsetError, error);
    }

    [TestMethod]
    [DataRow(0, false)]
    [DataRow(1, true)]
    [DataRow(ProtocolLimits.MaxHeldObjects, true)]
    [DataRow(ProtocolLimits.MaxHeldObjects + 1, false)]
    public void A_hello_names_so_many_unfinished_objects(int count, bool valid)
    {
        // As far apart as ids of one window can be, with the widest positions.
        var value = new byte[8 * 1024];
        var writer = new PostWriter(value);
        for (int i = 0; i < count; i++)
        {
            writer.WriteInteger(i == 0 ? PostInteger.MaxValue - ProtocolLimits.IdWindowTolerance : ProtocolLimits.IdWindowTolerance / 300);
            writer.WriteInteger(PostInteger.MaxValue);
        }

        Assert.AreEqual(valid, HeldObjects.TryParse(value.AsSpan(0, writer.Written), out HeldObjects held));
        if (valid)
        {
            Assert.AreEqual(count, held.Count);
            var hello = new HelloFrame
            {
                MaxObjectSize = 1L << 40,
                ReceiveBudget = 1L << 40,
                ReceiptsAfterProcessing = true,
                MaxAntecedents = 200,
                MaxWaiting = 1L << 40,
                AssociationId = 7,
                Resumption = 1L << 40,
                LowestId = 1L << 40,
                Held = held,
            };
            byte[] bytes = new byte[HelloFrame.MaxLength];
            ReadOnlySpan<byte> input = bytes.AsSpan(0, hello.Write(bytes, 1UL << 63));
            Assert.AreEqual(ParseStatus.Done, new ControlFrameReader().TryRead(ref input, out ControlFrame frame, out _));
            Assert.IsTrue(HelloFrame.TryParse(frame.Payload, out HelloFrame read));
            Assert.AreEqual(hello, read);
        }
    }

    [TestMethod]
    public void An_unfinished_object_has_an_id_that_can_be()
    {
        Span<byte> value = stackalloc byte[64];
        var writer = new PostWriter(value);
        writer.WriteInteger(PostInteger.MaxValue);
        writer.WriteInteger(0);
        Assert.IsTrue(HeldObjects.TryParse(value[..writer.Written], out _));
        writer.WriteInteger(0);
        writer.WriteInteger(0);
        Assert.IsFalse(HeldObjects.TryParse(value[..writer.Written], out _));
    }

    [TestMethod]
    public void Every_list_of_ids_is_read_back() => RangeLists.SampleSeeded(ranges =>
    {
        byte[] buffer = new byte[ProtocolLimits.MaxFrameLength];
        int written = IdListFrame.WriteReceipt(buffer, ReceiptStatus.Delivered, ranges);
        Assert.AreEqual(IdListFrame.Length((long)ReceiptStatus.Delivered, ranges), written);
        ReadOnlySpan<byte> payload = buffer.AsSpan(0, written)[(written < 66 ? 2 : 3)..];
        Assert.IsTrue(IdListFrame.TryParseReceipt(payload, out ReceiptStatus status, out IdRangeList ids));
        Assert.AreEqual(ReceiptStatus.Delivered, status);
        Assert.AreEqual(ranges.Length, ids.Count);
        int index = 0;
        foreach (IdRange range in ids)
        {
            Assert.AreEqual(ranges[index++], range);
        }

        Assert.AreEqual(ranges.Length, index);
    }, iter: 5_000);

    [TestMethod]
    public void The_longest_list_of_ids_fits_a_frame()
    {
        long step = PostInteger.MaxValue / ProtocolLimits.MaxRangesPerFrame;
        IdRange[] ranges = [.. Enumerable.Range(0, ProtocolLimits.MaxRangesPerFrame).Select(i => new IdRange(i * step, (i * step) + (step / 2)))];
        byte[] buffer = new byte[ProtocolLimits.MaxFrameLength];
        int written = IdListFrame.WriteAbandon(buffer, (AbandonReason)PostInteger.MaxValue, ranges);
        var reader = new ControlFrameReader();
        ReadOnlySpan<byte> hello = [0, 0];
        Assert.AreEqual(ParseStatus.Done, reader.TryRead(ref hello, out _, out _));
        ReadOnlySpan<byte> input = buffer.AsSpan(0, written);
        Assert.AreEqual(ParseStatus.Done, reader.TryRead(ref input, out ControlFrame frame, out _));
        Assert.IsTrue(IdListFrame.TryParseAbandon(frame.Payload, out _, out IdRangeList ids));
        Assert.AreEqual(ProtocolLimits.MaxRangesPerFrame, ids.Count);
    }

    [TestMethod]
    public void Every_hello_is_read_back_greased_or_not() =>
        Gen.Select(Integers, Integers, Integers, Gen.Long[0, 256], Gen.ULong, Gen.ULong)
        .SampleSeeded(fields =>
        {
            var (size, budget, lowest, antecedents, id, grease) = fields;
            var hello = new HelloFrame
            {
                MaxObjectSize = size,
                ReceiveBudget = budget,
                ReceiptsAfterProcessing = (id & 1) != 0,
                Features = (HelloFeatures)(id & 15),
                MaxAntecedents = antecedents,
                MaxWaiting = size ^ budget,
                AssociationId = new UInt128(grease, id | 1),
                Resumption = (id & 4) != 0 ? 1 + (antecedents * 7919) : 0,
                LowestId = (id & 4) != 0 ? lowest : 0,
                Addresses = FurtherAddresses.Of(Enumerable.Range(0, (int)(id % 9)).Select(i => new System.Net.IPEndPoint(
                    (id & (1UL << i)) != 0 ? new System.Net.IPAddress((long)(size % 0xffffffffL)) : System.Net.IPAddress.Parse($"2001:db8::{i + 1}"), 1 + (i * 7000)))),
                Held = HeldObjects.Of((id & 12) != 12 ? [] : Enumerable.Range(0, (int)(id % 40)).Select(i => new HeldObject((lowest / 2) + (i * (long)(id % 1000 + 1)), size >> i))),
            };
            Span<byte> buffer = stackalloc byte[HelloFrame.MaxLength];
            int written = hello.Write(buffer, grease);
            var reader = new ControlFrameReader();
            ReadOnlySpan<byte> input = buffer[..written];
            Assert.AreEqual(ParseStatus.Done, reader.TryRead(ref input, out ControlFrame frame, out _));
            Assert.IsTrue(HelloFrame.TryParse(frame.Payload, out HelloFrame read));
            Assert.AreEqual(hello, read);
        }, iter: 20_000);
}
