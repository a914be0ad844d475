using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Tls.Alerts;
using Post.Quic.Engine.Tls.Certificates;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tests.Tls;

[TestClass]
public sealed class DeferredAnswerTests
{
    [TestMethod]
    public void A_server_waits_for_its_options()
    {
        using var pair = new TlsPair(serverWaits: true);
        pair.Run();
        Assert.IsTrue(pair.Server.IsWaiting);
        Assert.IsEmpty(pair.ServerHost.Secrets);
        Assert.AreEqual(TestCertificates.Host, pair.ServerHost.Hello!.Value.ServerName);
        CollectionAssert.AreEqual(new[] { TlsPair.Protocol }, pair.ServerHost.Hello.Value.ApplicationProtocols.ToArray());

        TransportError error = pair.Server.ProvideOptions(TlsPair.ServerOptions(), 0);
        Assert.IsFalse(error.IsError, error.ToString());
        HandshakeTests.AssertComplete(pair.Continue());
    }

    [TestMethod]
    public void Options_that_refuse_the_client_are_told_to_whoever_gave_them()
    {
        using var pair = new TlsPair(serverWaits: true);
        pair.Run();
        TransportError error = pair.Server.ProvideOptions(TlsPair.ServerOptions(protocols: [new("other")]), 0);
        Assert.AreEqual(TlsError.Alert(TlsAlert.NoApplicationProtocol, string.Empty).Code, error.Code);
        Assert.AreEqual(error, pair.Server.Receive(EncryptionLevel.Initial, [1], 0), "The first error stays.");
    }

    [TestMethod]
    public void A_validation_may_be_answered_later_and_what_comes_meanwhile_waits()
    {
        using var pair = new TlsPair(
            TlsPair.ClientOptions(credential: TestCertificates.Client),
            TlsPair.ServerOptions(mode: ClientCertificateMode.Required, keys: TlsPair.Keys()),
            validationWaits: true);
        pair.Run();
        Assert.IsTrue(pair.Client.IsWaiting);
        Assert.IsTrue(pair.Client.HasPartialMessage(EncryptionLevel.Handshake), "The Finished waits.");
        Assert.IsFalse(pair.Client.CompleteCertificateValidation(pair.ClientHost.Validation!.Validate(), 0).IsError);
        pair.Continue();
        Assert.IsTrue(pair.Client.IsComplete);
        Assert.IsTrue(pair.Server.IsWaiting);
        Assert.IsFalse(pair.Server.IsComplete);
        Assert.IsFalse(pair.Server.CompleteCertificateValidation(pair.ServerHost.Validation!.Validate(), 0).IsError);
        HandshakeTests.AssertComplete(pair.Continue());
        Assert.HasCount(2, pair.ClientHost.Tickets);
    }

    [TestMethod]
    public void A_refusal_that_comes_later_ends_the_handshake()
    {
        using var pair = new TlsPair(validationWaits: true);
        pair.Run();
        TransportError error = pair.Client.CompleteCertificateValidation(
            CertificateValidationResult.Refuse(TlsAlert.AccessDenied, "Not you."), 0);
        Assert.AreEqual(TlsError.Alert(TlsAlert.AccessDenied, string.Empty).Code, error.Code);
        Assert.IsFalse(pair.Client.IsComplete);
    }

    [TestMethod]
    public void Nothing_waits_without_bound()
    {
        using var pair = new TlsPair(validationWaits: true);
        pair.Run();
        TransportError error = default;
        byte[] more = new byte[4096];
        int taken = 0;
        while (!error.IsError)
        {
            error = pair.Client.Receive(EncryptionLevel.Handshake, more, 0);
            taken += more.Length;
            Assert.IsLessThanOrEqualTo(Limits.MaxTlsBuffered + more.Length, taken);
        }

        Assert.AreEqual(TransportErrorCode.CryptoBufferExceeded, error.Code);
    }

    [TestMethod]
    public void An_answer_nobody_asked_for_changes_nothing()
    {
        using var pair = new TlsPair();
        Assert.IsFalse(pair.Client.CompleteCertificateValidation(CertificateValidationResult.Accept(), 0).IsError);
        Assert.IsFalse(pair.Server.ProvideOptions(TlsPair.ServerOptions(), 0).IsError);
        HandshakeTests.AssertComplete(pair.Run());
    }
}
