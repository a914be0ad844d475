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
        Gen.Select(Integers, Integers, Gen.OneOf(Gen.Const(-1L), Integers), Gen.Long[1, 1000].Array[0, 256], Gen.Byte.Array[0, 200], Gen.OneOf(Gen.Const(-1L), Integers), Gen.Int[0, 15])
        .SampleSeeded(sample =>
        {
            var (id, niceness, lifetime, differences, metadata, length, treatment) = sample;
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
                Treatment = (ObjectFlags)((treatment & 7) << 5) | (antecedents.Count > 0 && treatment > 7 ? ObjectFlags.OrderOnly : 0),
            };
            Span<byte> buffer = stackalloc byte[ProtocolLimits.MaxObjectHeader];
            int written = header.Write(buffer);
            Assert.AreEqual(written, header.Length());

            Span<long> scratch = stackalloc long[ProtocolLimits.MaxAntecedents];
            ParseStatus status = ObjectHeader.TryParse(buffer[..written], scratch, out ObjectHeader read, out int consumed, out PostErrorCode error);
            Assert.AreEqual((ParseStatus.Done, PostErrorCode.NoError, written), (status, error, consumed));
            Assert.AreEqual(
                (header.Id, header.Niceness, header.SentAt, header.Lifetime, header.PayloadLength, header.Treatment),
                (read.Id, read.Niceness, read.SentAt, read.Lifetime, read.PayloadLength, read.Treatment));
            Assert.IsTrue(read.Antecedents.SequenceEqual(header.Antecedents));
            Assert.IsTrue(read.Metadata.SequenceEqual(header.Metadata));

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
                Features = (HelloFeatures)(id & 3),
                MaxAntecedents = antecedents,
                MaxWaiting = size ^ budget,
                AssociationId = new UInt128(grease, id | 1),
                Resumption = (id & 4) != 0 ? 1 + (antecedents * 7919) : 0,
                LowestId = (id & 4) != 0 ? lowest : 0,
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
