using System.Net.Quic;
using System.Runtime.Versioning;
using Post.Quic.SystemNetQuic;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.Transports;

/// <summary>What an application reads of a failure of System.Net.Quic.</summary>
[TestClass]
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
public sealed class QuicErrorsTests
{
    [TestMethod]
    public void A_timeout_is_the_handshakes_only_until_there_is_a_connection()
    {
        var timeout = new QuicException(QuicError.ConnectionTimeout, null, "timed out");

        TransportException early = QuicErrors.Translate(timeout);
        TransportException later = QuicErrors.Translate(timeout, isConnected: true);

        Assert.AreEqual(TransportErrorReason.TimedOut, early.Reason);
        Assert.AreEqual(TransportErrorReason.TimedOut, later.Reason);
        Assert.Contains("handshake", early.Message);
        Assert.DoesNotContain("handshake", later.Message);
    }
}
