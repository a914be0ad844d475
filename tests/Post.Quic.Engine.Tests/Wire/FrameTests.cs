using CsCheck;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;
using Post.Quic.Testing;
using Post.Quic.Testing.Mutations;

namespace Post.Quic.Engine.Tests.Wire;

[TestClass]
public sealed class FrameTests
{
    private const int BufferLength = 4096;

    [TestMethod]
    public void Frames_of_every_type_read_back_as_they_were_written() =>
        Gen.ULong.SampleSeeded(seed =>
        {
            var random = new FuzzRandom(seed);
            byte[] payload = WriteAll(ref random);
            byte[] again = new byte[payload.Length];

            TransportError error =
                FrameEcho.Echo(payload, EncryptionLevel.Application, fromServer: true, again, out int written);

            return !error.IsError && written == payload.Length && payload.AsSpan().SequenceEqual(again);
        });

    [TestMethod]
    public void Every_frame_cut_anywhere_is_a_frame_encoding_error_of_that_frame()
    {
        var random = new FuzzRandom(1);
        byte[] buffer = new byte[BufferLength];
        byte[] scratch = new byte[BufferLength];
        for (int round = 0; round < 50; round++)
        {
            foreach (ulong type in FrameSamples.Types)
            {
                var writer = new WireWriter(buffer);
                FrameSamples.Write(type, ref writer, ref random);
                int typeLength = VarInt.Length(type);
                for (int length = typeLength; length < writer.Position; length++)
                {
                    TransportError error = FrameEcho.Echo(
                        buffer.AsSpan(0, length), EncryptionLevel.Application, fromServer: true, scratch, out _);

                    Assert.AreEqual(TransportErrorCode.FrameEncodingError, error.Code, $"0x{type:x} cut to {length}");
                    ulong expected = type == FrameType.Stream ? buffer[0] : type;
                    Assert.AreEqual(expected, error.FrameType, $"0x{type:x} cut to {length}");
                }
            }
        }
    }

    /// <summary>Each contradiction in a frame's own fields, by hand and in hex.</summary>
    [TestMethod]
    [DataRow("02 05 00 00 06", "first range below 0")]
    [DataRow("02 05 00 01 04 00 00", "gap below 0")]
    [DataRow("02 0a 00 01 01 00 08", "length below 0")]
    [DataRow("02 0a 00 80000001 00", "more ranges than bytes")]
    [DataRow("06 ffffffffffffffff 01 00", "CRYPTO beyond 2^62 - 1")]
    [DataRow("07 00", "empty token")]
    [DataRow("0e 00 ffffffffffffffff 01 00", "STREAM beyond 2^62 - 1")]
    [DataRow("12 d000000000000001", "MAX_STREAMS above 2^60")]
    [DataRow("13 d000000000000001", "MAX_STREAMS above 2^60")]
    [DataRow("16 d000000000000001", "STREAMS_BLOCKED above 2^60")]
    [DataRow("17 d000000000000001", "STREAMS_BLOCKED above 2^60")]
    [DataRow("18 00 00 00 00112233445566778899aabbccddeeff", "id of no bytes")]
    [DataRow("18 00 00 15 000102030405060708090a0b0c0d0e0f1011121314 00112233445566778899aabbccddeeff", "id of 21")]
    [DataRow("18 01 02 01 aa 00112233445566778899aabbccddeeff", "retires beyond itself")]
    [DataRow("24 04 00 05 06", "reliable beyond final size")]
    [DataRow("3e 03 05 00 00 06", "first range of a path below 0")]
    [DataRow("3f 03 0a 00 01 01 00 08 00 00 00", "length of a path's range below 0")]
    [DataRow("7e78 03 00 00 00 00112233445566778899aabbccddeeff", "path's id of no bytes")]
    [DataRow("7e78 03 01 02 01 aa 00112233445566778899aabbccddeeff", "path's id retires beyond itself")]
    public void A_frame_that_contradicts_itself_is_a_frame_encoding_error(string hex, string what)
    {
        byte[] payload = Convert.FromHexString(hex.Replace(" ", string.Empty, StringComparison.Ordinal));

        TransportError error = FrameEcho.Echo(
            payload, EncryptionLevel.Application, fromServer: true, new byte[payload.Length], out _);

        Assert.AreEqual(TransportErrorCode.FrameEncodingError, error.Code, what);
        Assert.IsTrue(VarInt.TryRead(payload, out ulong type, out _));
        Assert.AreEqual(type, error.FrameType, what);
    }

    /// <summary>The neighbours of the refused values above: the checks are not one off.</summary>
    [TestMethod]
    [DataRow("02 05 00 00 05")]
    [DataRow("02 05 00 01 03 00 00")]
    [DataRow("02 0a 00 01 01 00 07")]
    [DataRow("06 fffffffffffffffe 01 00")]
    [DataRow("0e 00 fffffffffffffffe 01 00")]
    [DataRow("12 d000000000000000")]
    [DataRow("16 d000000000000000")]
    [DataRow("18 02 02 01 aa 00112233445566778899aabbccddeeff")]
    [DataRow("24 04 00 05 05")]
    [DataRow("3e 03 05 00 00 05")]
    [DataRow("3f bfffffff 0a 00 01 01 00 07 01 02 03")]
    [DataRow("7e78 03 02 02 01 aa 00112233445566778899aabbccddeeff")]
    public void A_frame_at_the_edge_of_what_is_allowed_is_read(string hex)
    {
        byte[] payload = Convert.FromHexString(hex.Replace(" ", string.Empty, StringComparison.Ordinal));
        byte[] again = new byte[payload.Length];

        TransportError error =
            FrameEcho.Echo(payload, EncryptionLevel.Application, fromServer: true, again, out int written);

        Assert.IsFalse(error.IsError, error.ToString());
        CollectionAssert.AreEqual(payload, again[..written]);
    }

    [TestMethod]
    public void Data_without_a_length_reaches_to_the_end_of_the_packet()
    {
        var stream = new WireReader([0x04, 0xaa, 0xbb]);
        Assert.IsTrue(StreamFrame.TryParse(FrameType.Stream, ref stream, out StreamFrame frame));
        CollectionAssert.AreEqual(new byte[] { 0xaa, 0xbb }, frame.Data.ToArray());
        Assert.IsFalse(frame.Fin);

        var datagram = new WireReader([0xaa, 0xbb]);
        Assert.IsTrue(DatagramFrame.TryParse(FrameType.Datagram, ref datagram, out DatagramFrame second));
        CollectionAssert.AreEqual(new byte[] { 0xaa, 0xbb }, second.Data.ToArray());
        Assert.AreEqual(3, second.Length);
    }

    [TestMethod]
    public void The_most_data_that_is_said_to_fit_does_and_one_byte_more_does_not() =>
        Gen.Select(Gen.Int[0, 20_000], Gen.ULong, Gen.Bool).SampleSeeded(sample =>
        {
            (int wide, ulong seed, bool narrow) = sample;
            int budget = narrow ? wide % 100 : wide;
            var random = new FuzzRandom(seed);
            ulong id = random.VarInt();
            ulong offset = random.VarInt() / 2;
            int stream = StreamFrame.MaxData(budget, id, offset);
            int crypto = CryptoFrame.MaxData(budget, offset);
            return Fits(stream, budget, length => StreamFrame.HeaderLength(id, offset, length, withLength: true) + length)
                && Fits(crypto, budget, length => CryptoFrame.LengthOf(offset, length));
        });

    private static bool Fits(int most, int budget, Func<int, int> frameLength) =>
        (most < 0 || frameLength(most) <= budget) && frameLength(most + 1) > budget;

    private static byte[] WriteAll(ref FuzzRandom random)
    {
        Span<byte> buffer = stackalloc byte[BufferLength];
        var writer = new WireWriter(buffer);
        foreach (ulong type in FrameSamples.Types)
        {
            FrameSamples.Write(type, ref writer, ref random);
        }

        return writer.Written.ToArray();
    }
}
