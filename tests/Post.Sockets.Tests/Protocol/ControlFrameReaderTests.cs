using CsCheck;
using Post.Quic.Testing;
using Post.Sockets.Protocol;

namespace Post.Sockets.Tests.Protocol;

/// <summary>Control frames come out of the stream whole and in order, however it is cut, and only by the rules.</summary>
[TestClass]
public sealed class ControlFrameReaderTests
{
    [TestMethod]
    public void Frames_come_out_the_same_however_the_stream_is_cut() =>
        Gen.Select(Gen.Select(Gen.Int[0, 5], Gen.Int[0, 300], Gen.ULong).Array[0, 20], Gen.Int[1, 40].Array[1, 30]).SampleSeeded(sample =>
        {
            var (frames, cuts) = sample;
            byte[] stream = new byte[20 * 400];
            int length = new HelloFrame().Write(stream);
            var expected = new List<string> { "0:" };
            foreach ((int type, int size, ulong random) in frames)
            {
                byte[] payload = new byte[size];
                new Random((int)random).NextBytes(payload);
                long frameType = type > 3 ? Grease.Pick(random) : Math.Max(1, type);
                length += ControlFrame.Write(stream.AsSpan(length), frameType, payload);
                if (type <= 3)
                {
                    expected.Add($"{frameType}:{Convert.ToHexString(payload)}");
                }
            }

            var reader = new ControlFrameReader();
            var actual = new List<string>();
            for (int at = 0, cut = 0; at < length; cut++)
            {
                int size = Math.Min(cuts[cut % cuts.Length], length - at);
                ReadOnlySpan<byte> input = stream.AsSpan(at, size);
                at += size;
                ParseStatus status;
                while ((status = reader.TryRead(ref input, out ControlFrame frame, out PostErrorCode error)) == ParseStatus.Done)
                {
                    Assert.AreEqual(PostErrorCode.NoError, error);
                    actual.Add($"{frame.Type}:{Convert.ToHexString(frame.Payload)}");
                }

                Assert.AreEqual(ParseStatus.NeedMore, status);
                Assert.IsTrue(input.IsEmpty);
            }

            CollectionAssert.AreEqual(expected, actual);
            Assert.IsTrue(reader.IsBetweenFrames);
        }, iter: 3_000);

    [TestMethod]
    public void A_frame_other_than_hello_at_the_beginning_is_an_error_known_or_not()
    {
        Assert.AreEqual(PostErrorCode.MissingHello, ErrorOf(0x01, 0x04, 0x00, 0x01, 0x00, 0x00));
        Assert.AreEqual(PostErrorCode.MissingHello, ErrorOf(27, 0x00));
    }

    [TestMethod]
    public void A_second_hello_is_an_error() =>
        Assert.AreEqual(PostErrorCode.DuplicateHello, ErrorOf(0x00, 0x00, 0x00, 0x00));

    [TestMethod]
    public void A_frame_above_the_limit_is_an_error_before_its_payload_comes()
    {
        // 4121 in two bytes is 0x5019.
        Assert.AreEqual(PostErrorCode.FrameTooLong, ErrorOf(0x00, 0x00, 0x01, 0x50, 0x19));
        Assert.AreEqual(PostErrorCode.FrameTooLong, ErrorOf(0x00, 0x00, 27, 0x50, 0x19));
        Assert.AreEqual(PostErrorCode.NoError, ErrorOf(0x00, 0x00, 0x01, 0x50, 0x18));
    }

    [TestMethod]
    public void An_error_stays_an_error()
    {
        var reader = new ControlFrameReader();
        ReadOnlySpan<byte> input = [0x01, 0x00];
        Assert.AreEqual(ParseStatus.Invalid, reader.TryRead(ref input, out _, out _));
        input = [0x00, 0x00];
        Assert.AreEqual(ParseStatus.Invalid, reader.TryRead(ref input, out _, out PostErrorCode error));
        Assert.AreEqual(PostErrorCode.MissingHello, error);
    }

    [TestMethod]
    public void Unknown_frames_cost_no_memory()
    {
        var reader = new ControlFrameReader();
        ReadOnlySpan<byte> hello = [0x00, 0x00];
        Assert.AreEqual(ParseStatus.Done, reader.TryRead(ref hello, out _, out _));
        byte[] frame = new byte[ProtocolLimits.MaxFrameLength];
        int length = ControlFrame.Write(frame, 27, new byte[ProtocolLimits.MaxFramePayload]);
        for (int i = 0; i < 100; i++)
        {
            ReadOnlySpan<byte> first = frame.AsSpan(0, 10);
            ReadOnlySpan<byte> rest = frame.AsSpan(10, length - 10);
            Assert.AreEqual(ParseStatus.NeedMore, reader.TryRead(ref first, out _, out _));
            Assert.AreEqual(0, reader.Buffered);
            Assert.AreEqual(ParseStatus.NeedMore, reader.TryRead(ref rest, out _, out _));
        }

        Assert.IsTrue(reader.IsBetweenFrames);
    }

    [TestMethod]
    public void Greased_frames_are_skipped_whatever_the_random_number() => Gen.ULong.SampleSeeded(random =>
    {
        byte[] bytes = new byte[32];
        int length = new HelloFrame().Write(bytes);
        length += ControlFrame.WriteGrease(bytes.AsSpan(length), random);
        Assert.IsTrue(Grease.IsGrease(Grease.Pick(random)));
        Assert.IsFalse(ControlFrameType.IsKnown(Grease.Pick(random)));
        Assert.AreEqual(PostErrorCode.NoError, ErrorOf(bytes[..length]));
    }, iter: 2_000);

    private static PostErrorCode ErrorOf(params byte[] bytes)
    {
        var reader = new ControlFrameReader();
        ReadOnlySpan<byte> input = bytes;
        PostErrorCode error;
        while (reader.TryRead(ref input, out _, out error) == ParseStatus.Done)
        {
        }

        return error;
    }
}
