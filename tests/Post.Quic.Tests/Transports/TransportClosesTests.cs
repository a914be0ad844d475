using Post.Quic.Engine;
using Post.Quic.Managed;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.Transports;

/// <summary>What a close by QUIC itself means: the table of docs/protocol.md section 4.6.</summary>
[TestClass]
public sealed class TransportClosesTests
{
    [TestMethod]
    [DataRow(0x00, TransportErrorReason.ClosedByPeer, "NO_ERROR")]
    [DataRow(0x0c, TransportErrorReason.ClosedByPeer, "APPLICATION_ERROR")]
    [DataRow(0x01, TransportErrorReason.GaveUp, "INTERNAL_ERROR")]
    [DataRow(0x0f, TransportErrorReason.GaveUp, "AEAD_LIMIT_REACHED")]
    [DataRow(0x02, TransportErrorReason.Refused, "CONNECTION_REFUSED")]
    [DataRow(0x0b, TransportErrorReason.Refused, "INVALID_TOKEN")]
    [DataRow(0x15a, TransportErrorReason.Refused, "user_canceled")]
    [DataRow(0x10, TransportErrorReason.Unreachable, "NO_VIABLE_PATH")]
    [DataRow(0x11, TransportErrorReason.ProtocolNotSupported, "VERSION_NEGOTIATION_ERROR")]
    [DataRow(0x178, TransportErrorReason.ProtocolNotSupported, "no_application_protocol")]
    [DataRow(0x12a, TransportErrorReason.AuthenticationFailed, "bad_certificate")]
    [DataRow(0x03, TransportErrorReason.ProtocolViolation, "FLOW_CONTROL_ERROR")]
    [DataRow(0x0a, TransportErrorReason.ProtocolViolation, "PROTOCOL_VIOLATION")]
    [DataRow(0x200, TransportErrorReason.ProtocolViolation, "beyond the alerts")]
    public void Each_code_has_one_meaning(int code, TransportErrorReason reason, string name)
    {
        Assert.AreEqual(reason, TransportCloses.ReasonOf(code), name);
        Assert.AreEqual(reason, ManagedQuicErrors.Translate(new QuicException(QuicError.TransportError, null, code, name)).Reason, name);
    }

    [TestMethod]
    public void A_defect_of_ours_costs_the_connection_and_no_more() => Assert.AreEqual(
        TransportErrorReason.GaveUp, ManagedQuicErrors.Translate(new QuicException(QuicError.InternalError, null, 1, "a defect")).Reason);
}
