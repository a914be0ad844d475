using Post.Quic.Testing.Mutations;
using Post.Sockets.Protocol;

namespace Post.Sockets.Tests.Protocol;

/// <summary>
/// Hundreds of thousands of damaged inputs: no parser throws, reads beyond its input, or accepts what it could not write
/// back.
/// </summary>
[TestClass]
public sealed class MutationTests
{
    [TestMethod]
    [Mutates(MutationRoom.PostObjects)]
    public void Damaged_object_headers_are_refused_or_mean_something() => Fuzz(MutationRoom.PostObjects, ObjectSeed, input =>
    {
        Span<long> scratch = stackalloc long[ProtocolLimits.MaxAntecedents];
        ParseStatus status = ObjectHeader.TryParse(input, scratch, out ObjectHeader header, out int consumed, out PostErrorCode error);
        Assert.AreEqual(status == ParseStatus.Invalid, error != PostErrorCode.NoError);
        if (status != ParseStatus.Done)
        {
            return;
        }

        Assert.IsLessThanOrEqualTo(input.Length, consumed);
        long above = header.Id;
        foreach (long antecedent in header.Antecedents)
        {
            Assert.IsTrue(antecedent >= 0 && antecedent < above, "antecedents descend from the object");
            above = antecedent;
        }

        // Written again it may be shorter (integers in long forms, unknown flags), and means the same.
        byte[] again = new byte[header.Length()];
        Assert.IsLessThanOrEqualTo(consumed, header.Write(again));
        Span<long> secondScratch = stackalloc long[ProtocolLimits.MaxAntecedents];
        Assert.AreEqual(ParseStatus.Done, ObjectHeader.TryParse(again, secondScratch, out ObjectHeader second, out _, out _));
        Assert.AreEqual(
            (header.Id, header.Niceness, header.SentAt, header.Lifetime, header.PayloadLength, header.Offset, header.Treatment),
            (second.Id, second.Niceness, second.SentAt, second.Lifetime, second.PayloadLength, second.Offset, second.Treatment));
        Assert.IsTrue(header.PayloadLength < 0 || header.Offset <= header.PayloadLength);
        Assert.IsLessThanOrEqualTo(ProtocolLimits.MaxDurableId, header.DurableId.Length);
        Assert.IsTrue(second.DurableId.SequenceEqual(header.DurableId));
        Assert.IsTrue(second.Antecedents.SequenceEqual(header.Antecedents));
        Assert.IsTrue(second.Metadata.SequenceEqual(header.Metadata));
    });

    [TestMethod]
    [Mutates(MutationRoom.PostControl)]
    public void Damaged_control_streams_are_refused_or_mean_something() => Fuzz(MutationRoom.PostControl, ControlSeed, input =>
    {
        var whole = new ControlFrameReader();
        var dripped = new ControlFrameReader();
        ReadOnlySpan<byte> rest = input;
        ReadOnlySpan<byte> drip = default;
        int at = 0;
        while (true)
        {
            ParseStatus status = whole.TryRead(ref rest, out ControlFrame frame, out PostErrorCode error);
            ParseStatus sameStatus;
            ControlFrame sameFrame;
            PostErrorCode sameError;
            while ((sameStatus = dripped.TryRead(ref drip, out sameFrame, out sameError)) == ParseStatus.NeedMore && at < input.Length)
            {
                drip = input.Slice(at++, 1);
            }

            Assert.AreEqual((status, error, frame.Type), (sameStatus, sameError, sameFrame.Type));
            Assert.IsTrue(frame.Payload.SequenceEqual(sameFrame.Payload));
            Assert.IsLessThanOrEqualTo(ProtocolLimits.MaxFrameLength, dripped.Buffered);
            if (status != ParseStatus.Done)
            {
                return;
            }

            Decode(frame);
        }
    });

    [TestMethod]
    [Mutates(MutationRoom.PostStreams)]
    public void Damaged_stream_headers_are_refused_or_mean_something() => Fuzz(
        MutationRoom.PostStreams,
        random =>
        {
            byte[] bytes = new byte[ProtocolLimits.MaxStreamHeader];
            return bytes[..new StreamHeader(random.Next(100), random.NextInt64(PostInteger.MaxValue)).Write(bytes)];
        },
        input =>
        {
            if (StreamHeader.TryParse(input, out StreamHeader header, out int consumed) == ParseStatus.Done)
            {
                byte[] again = new byte[ProtocolLimits.MaxStreamHeader];
                Assert.IsLessThanOrEqualTo(consumed, header.Write(again));
                Assert.AreEqual(ParseStatus.Done, StreamHeader.TryParse(again, out StreamHeader second, out _));
                Assert.AreEqual(header, second);
            }
        });

    private static void Decode(ControlFrame frame)
    {
        byte[] again = new byte[ProtocolLimits.MaxFrameLength];
        switch (frame.Type)
        {
            case ControlFrameType.Hello when HelloFrame.TryParse(frame.Payload, out HelloFrame hello):
                hello.Write(again);
                Check(hello.Held);
                Assert.IsLessThanOrEqualTo(ProtocolLimits.MaxPeerAddresses, hello.Addresses.All.Count);
                _ = hello.Addresses.Allowed(null);
                break;
            case ControlFrameType.Receipt when IdListFrame.TryParseReceipt(frame.Payload, out ReceiptStatus status, out IdRangeList ids):
                IdListFrame.WriteReceipt(again, status, Check(ids));
                break;
            case ControlFrameType.Abandon when IdListFrame.TryParseAbandon(frame.Payload, out AbandonReason reason, out IdRangeList ids):
                IdListFrame.WriteAbandon(again, reason, Check(ids));
                break;
            case ControlFrameType.GoAway when GoAwayFrame.TryParse(frame.Payload, out GoAwayFrame goAway):
                goAway.Write(again);
                break;
            case ControlFrameType.StartAt when StartAtFrame.TryParse(frame.Payload, out StartAtFrame start):
                start.Write(again);
                break;
        }
    }

    private static void Check(HeldObjects held)
    {
        Assert.IsLessThanOrEqualTo(ProtocolLimits.MaxHeldObjects, held.Count);
        long last = -1;
        foreach (var (id, position) in held.All)
        {
            Assert.IsTrue(id > last && id <= PostInteger.MaxValue && position is >= 0 and <= PostInteger.MaxValue, "ids ascend");
            last = id;
        }
    }

    private static IdRange[] Check(IdRangeList ids)
    {
        var ranges = new List<IdRange>();
        long last = -2;
        foreach (IdRange range in ids)
        {
            Assert.IsGreaterThan(last + 1, range.First, "ranges ascend and do not touch");
            Assert.IsGreaterThanOrEqualTo(range.First, range.Last);
            Assert.IsLessThanOrEqualTo(PostInteger.MaxValue, range.Last);
            last = range.Last;
            ranges.Add(range);
        }

        Assert.HasCount(ids.Count, ranges);
        return [.. ranges];
    }

    private static byte[] ObjectSeed(Random random)
    {
        var header = new ObjectHeader
        {
            Id = random.Next(1, 100_000),
            Niceness = random.Next(300),
            SentAt = random.Next(),
            Lifetime = random.Next(-1, 5000),
            PayloadLength = random.Next(3) == 0 ? -1 : random.Next(500, 5000),
            Offset = random.Next(-100, 500) is var offset and >= 0 ? offset : -1,
            DurableId = new byte[Math.Max(0, random.Next(-30, ProtocolLimits.MaxDurableId + 1))],
            Metadata = new byte[random.Next(20)],
            Antecedents = random.Next(2) == 0 ? default : new long[] { 0 },
            Treatment = (ObjectFlags)(random.Next(8) << 5),
        };
        byte[] bytes = new byte[header.Length()];
        header.Write(bytes);
        return bytes;
    }

    private static byte[] ControlSeed(Random random)
    {
        byte[] bytes = new byte[1024];
        int length = new HelloFrame
        {
            MaxObjectSize = random.Next(),
            Features = (HelloFeatures)random.Next(8),
            AssociationId = (UInt128)random.Next() + 1,
            Resumption = 1 + random.Next(9),
            Addresses = FurtherAddresses.Of(Enumerable.Range(0, random.Next(10)).Select(i => new System.Net.IPEndPoint(random.Next(2) == 0 ? 16_909_060 + i : 1, 1 + i))),
            Held = HeldObjects.Of(Enumerable.Range(0, random.Next(20)).Select(i => new HeldObject((i * 1000) + random.Next(1000), random.NextInt64(1L << 40)))),
        }.Write(bytes, (ulong)random.NextInt64());
        for (int i = random.Next(4); i > 0; i--)
        {
            var ids = new IdRangeSet();
            for (int j = random.Next(1, 6); j > 0; j--)
            {
                ids.Add(new IdRange(random.Next(1000), 1000 + random.Next(20)));
                ids.Add(random.Next(5000));
            }

            length += random.Next(5) switch
            {
                4 => new StartAtFrame(random.Next(5000), random.NextInt64(1L << 40)).Write(bytes.AsSpan(length)),
                0 => IdListFrame.WriteReceipt(bytes.AsSpan(length), (ReceiptStatus)random.Next(7), ids.Ranges),
                1 => IdListFrame.WriteAbandon(bytes.AsSpan(length), (AbandonReason)random.Next(6), ids.Ranges),
                2 => new GoAwayFrame(random.Next(), PostErrorCode.GoingAway).Write(bytes.AsSpan(length)),
                _ => ControlFrame.WriteGrease(bytes.AsSpan(length), (ulong)random.NextInt64()),
            };
        }

        return bytes[..length];
    }

    private static void Fuzz(MutationRoom room, Func<Random, byte[]> seed, Action<ReadOnlySpan<byte>> check) =>
        MutationRun.Of(room, 1, (ref FuzzRandom random, int _) =>
        {
            byte[] whole = seed(new Random((int)random.Next()));
            byte[] buffer = [.. whole, 0, 0, 0, 0];

            // One in eight stays whole, so that the checks of what was accepted are sure to run.
            int length = random.Below(8) == 0 ? whole.Length : Mutator.Mutate(buffer, whole.Length, ref random);
            try
            {
                check(buffer.AsSpan(0, length));
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"{Convert.ToHexStringLower(buffer.AsSpan(0, length))}: {e.Message}", e);
            }

            return 1;
        });
}
