using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Tests.Wire;

[TestClass]
public sealed class FrameReaderTests
{
    [TestMethod]
    public void A_packet_without_frames_is_a_protocol_violation()
    {
        var reader = new FrameReader([], EncryptionLevel.Application, fromServer: true, FrameEcho.All);

        Assert.IsFalse(reader.TryReadType(out _));
        Assert.AreEqual(TransportErrorCode.ProtocolViolation, reader.Error.Code);
    }

    [TestMethod]
    [DataRow("4001")]
    [DataRow("80000001")]
    [DataRow("c000000000000006")]
    [DataRow("4000")]
    public void A_frame_type_not_in_shortest_form_is_a_protocol_violation(string hex)
    {
        var reader = new FrameReader(
            Convert.FromHexString(hex), EncryptionLevel.Application, fromServer: true, FrameEcho.All);

        Assert.IsFalse(reader.TryReadType(out _));
        Assert.AreEqual(TransportErrorCode.ProtocolViolation, reader.Error.Code);
    }

    [TestMethod]
    public void A_cut_frame_type_is_a_frame_encoding_error()
    {
        var reader = new FrameReader([0x01, 0x40], EncryptionLevel.Application, fromServer: true, FrameEcho.All);

        Assert.IsTrue(reader.TryReadType(out ulong type));
        Assert.AreEqual(FrameType.Ping, type);
        Assert.IsFalse(reader.TryReadType(out _));
        Assert.AreEqual(TransportErrorCode.FrameEncodingError, reader.Error.Code);
    }

    [TestMethod]
    public void Padding_alone_is_a_packet_that_asks_for_nothing_and_only_probes()
    {
        var reader = new FrameReader(new byte[1200], EncryptionLevel.Application, fromServer: true, FrameEcho.All);

        Assert.IsFalse(reader.TryReadType(out _));
        Assert.IsFalse(reader.Error.IsError);
        Assert.AreEqual(1200, reader.PaddingLength);
        Assert.IsFalse(reader.IsAckEliciting);
        Assert.IsFalse(reader.IsNonProbing);
    }

    [TestMethod]
    public void Padding_between_frames_is_passed_over_and_the_frames_say_what_the_packet_is()
    {
        byte[] payload = [0, 0, 0x1a, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0x01, 0, 0, 0];
        var reader = new FrameReader(payload, EncryptionLevel.Application, fromServer: false, FrameExtensions.None);

        Assert.IsTrue(reader.TryReadType(out ulong type));
        Assert.AreEqual(FrameType.PathChallenge, type);
        Assert.IsTrue(PathChallengeFrame.TryParse(ref reader.Body, out PathChallengeFrame challenge));
        Assert.AreEqual(0x0102030405060708UL, challenge.Data);
        Assert.IsTrue(reader.IsAckEliciting);
        Assert.IsFalse(reader.IsNonProbing);
        Assert.IsTrue(reader.TryReadType(out type));
        Assert.AreEqual(FrameType.Ping, type);
        Assert.IsTrue(reader.IsNonProbing);
        Assert.IsFalse(reader.TryReadType(out _));
        Assert.IsFalse(reader.Error.IsError);
        Assert.AreEqual(6, reader.PaddingLength);
    }
}
