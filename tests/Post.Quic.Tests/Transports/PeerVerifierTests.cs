using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Post.Quic.Security;
using Post.Sockets;

namespace Post.Quic.Tests.Transports;

[TestClass]
public sealed class PeerVerifierTests
{
    private static readonly X509Certificate2 Shown = Identity.CreateSelfSigned();

    private static readonly PeerIdentity OfSession = new() { Proof = PeerProof.PinnedKey, Key = KeyFingerprint.Of(Identity.CreateSelfSigned()) };

    [TestMethod]
    public void A_server_that_showed_no_certificate_is_nobody_to_go_on_with() =>
        Assert.ThrowsExactly<AuthenticationException>(() => OfServer().IdentifyProven(null, "server"));

    [TestMethod]
    public void A_client_that_should_prove_itself_and_showed_no_certificate_is_nobody_to_go_on_with() => Assert.ThrowsExactly<AuthenticationException>(
        () => PeerVerifier.OfClients(PeerTrust.Pinned(KeyFingerprint.Of(Shown))).IdentifyProven(null, null));

    [TestMethod]
    public void A_client_that_need_not_prove_itself_is_anonymous() =>
        Assert.AreEqual(PeerIdentity.Anonymous, PeerVerifier.OfClients(null).IdentifyProven(null, null));

    [TestMethod]
    public void Without_a_certificate_the_session_says_who_the_server_is() =>
        Assert.AreSame(OfSession, OfServer().IdentifyProven(null, "server", OfSession));

    [TestMethod]
    public void A_certificate_says_more_than_a_session() =>
        Assert.AreEqual(KeyFingerprint.Of(Shown), OfServer().IdentifyProven(Shown, "server", OfSession).Key);

    private static PeerVerifier OfServer() => PeerVerifier.OfServer(
        Remote.Pinned(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 1), KeyFingerprint.Of(Shown)));
}
