using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Post.Quic.Engine.Crypto.Providers;
using Post.Quic.Engine.Tests.Crypto;
using Post.Quic.Engine.Tls;
using Post.Quic.Engine.Tls.Alerts;
using Post.Quic.Engine.Tls.Certificates;
using Post.Quic.Engine.Tls.Messages;
using Post.Quic.Engine.Tls.Tickets;

namespace Post.Quic.Engine.Tests.Tls;

/// <summary>Who a session speaks for, in itself and in those resumed from it.</summary>
[TestClass]
public sealed class SessionIdentityTests
{
    [TestMethod]
    public void A_ticket_is_not_used_with_another_certificate_of_our_own()
    {
        using TicketKeyRing keys = TlsPair.Keys();
        TlsServerOptions server = TlsPair.ServerOptions(keys: keys, mode: ClientCertificateMode.Optional);
        TlsSessionTicket ticket = FirstTicket(TlsPair.ClientOptions(credential: TestCertificates.Client), server);

        AssertResumed(true, TlsPair.ClientOptions(ticket, credential: TestCertificates.Client), server, TestCertificates.Client);
        AssertResumed(false, TlsPair.ClientOptions(ticket, credential: TestCertificates.RsaClient), server, TestCertificates.RsaClient);
        AssertResumed(false, TlsPair.ClientOptions(ticket), server, null);
        AssertResumed(false, TlsPair.ClientOptions(ticket), TlsPair.ServerOptions(keys: keys), null);
    }

    [TestMethod]
    public void The_identity_goes_on_through_sessions_resumed_from_resumed_ones()
    {
        using TicketKeyRing keys = TlsPair.Keys();
        TlsServerOptions server = TlsPair.ServerOptions(keys: keys, mode: ClientCertificateMode.Required);
        TlsSessionTicket ticket = FirstTicket(TlsPair.ClientOptions(credential: TestCertificates.Client), server);
        for (int i = 0; i < 3; i++)
        {
            ticket = AssertResumed(
                true, TlsPair.ClientOptions(ticket, credential: TestCertificates.Client), server, TestCertificates.Client);
            Assert.IsTrue(TlsSessionTicket.TryParse(ticket.ToArray(), out ticket!));
        }

        AssertResumed(false, TlsPair.ClientOptions(ticket, credential: TestCertificates.RsaClient), server, TestCertificates.RsaClient);
    }

    [TestMethod]
    public void A_ticket_that_a_selection_throws_for_costs_a_full_handshake()
    {
        using TicketKeyRing keys = TlsPair.Keys();
        TlsServerOptions server = TlsPair.ServerOptions(keys: keys, mode: ClientCertificateMode.Optional);
        TlsSessionTicket ticket = FirstTicket(TlsPair.ClientOptions(credential: TestCertificates.Client), server);
        var options = new TlsClientOptions
        {
            TargetHost = TestCertificates.Host,
            ApplicationProtocols = [TlsPair.Protocol],
            CertificatePolicy = CertificatePolicy.ForServers(TestCertificates.Trust),
            SessionTicket = ticket,
            SelectCredential = _ => throw new InvalidOperationException("the user's"),
        };
        using TlsPair pair = new TlsPair(options, server).Run();
        Assert.IsFalse(pair.Client.IsResumed);
        Assert.AreEqual(TlsError.Alert(TlsAlert.InternalError, string.Empty).Code, pair.ClientError.Code);
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void Sessions_resumed_from_each_other_end_a_week_after_certificates_were_shown(bool clientForgets)
    {
        using TicketKeyRing keys = TlsPair.Keys();
        TlsServerOptions options = TlsPair.ServerOptions(keys: keys);
        DateTimeOffset start = TestCertificates.Now;
        TlsSessionTicket ticket = FirstTicket(TlsPair.ClientOptions(), options);
        for (double days = 0.9; days < 7; days += 0.9)
        {
            using TlsPair resumed = new TlsPair(TlsPair.ClientOptions(ticket), options, start.AddDays(days)).Run();
            HandshakeTests.AssertComplete(resumed);
            Assert.IsTrue(resumed.Client.IsResumed, $"after {days} days");
            ticket = resumed.ClientHost.Tickets[0];
        }

        // Either side sees to it by itself: here the other one is told another time.
        DateTimeOffset after = start.AddDays(7.1);
        using var last = new TlsPair(TlsPair.ClientOptions(ticket), options, clientForgets ? start.AddDays(6.99) : after);
        if (clientForgets)
        {
            last.ServerHost.Now = (long)TimeSpan.FromDays(0.11).TotalMicroseconds;
        }

        bool offered = false;
        last.Tamper = (fromServer, _, message) =>
        {
            offered |= !fromServer && MessageEdit.TypeOf(message) == HandshakeType.ClientHello
                && MessageEdit.HasExtension(message, ExtensionType.PreSharedKey);
            return message;
        };
        last.Run();
        HandshakeTests.AssertComplete(last);
        Assert.IsFalse(last.Server.IsResumed);
        Assert.AreEqual(clientForgets, offered);
    }

    [TestMethod]
    public void A_ticket_is_not_used_under_other_purposes_asked_of_the_certificate()
    {
        using TicketKeyRing keys = TlsPair.Keys();
        TlsServerOptions server = TlsPair.ServerOptions(keys: keys);
        TlsSessionTicket ticket = FirstTicket(TlsPair.ClientOptions(), server);
        X509ChainPolicy stricter = TestCertificates.Trust;
        stricter.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.1"));
        stricter.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.2"));
        using TlsPair pair = new TlsPair(
            TlsPair.ClientOptions(ticket, policy: CertificatePolicy.ForServers(stricter)), server).Run();
        Assert.IsFalse(pair.Client.IsResumed);
        Assert.IsTrue(pair.ClientError.IsError, "The certificate is no client's.");
    }

    [TestMethod]
    public void A_certificate_whose_key_is_not_for_signing_is_refused()
    {
        using X509Certificate2 forDecryption = Create(X509KeyUsageFlags.KeyEncipherment);
        using X509Certificate2 forBoth = Create(X509KeyUsageFlags.KeyEncipherment | X509KeyUsageFlags.DigitalSignature);
        Assert.IsTrue(SignatureSchemes.CanSign(forBoth));
        Assert.AreEqual(
            TlsError.Alert(TlsAlert.UnsupportedCertificate, string.Empty).Code,
            PeerCredentialParser.Parse(
                CertificateType.X509, [forDecryption.RawData], CryptoProviderFactory.Default, out _).Code);
        ArgumentException refused = Assert.ThrowsExactly<ArgumentException>(() => CertificateCredential.Check(forDecryption));
        StringAssert.Contains(refused.Message, "digitalSignature");

        static X509Certificate2 Create(X509KeyUsageFlags usages)
        {
            using var key = RSA.Create(2048);
            var request = new CertificateRequest("CN=usage", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            request.CertificateExtensions.Add(new X509KeyUsageExtension(usages, critical: true));
            return request.CreateSelfSigned(TestCertificates.Now.AddDays(-1), TestCertificates.Now.AddDays(1));
        }
    }

    [TestMethod]
    public void A_forged_ticket_costs_no_exception()
    {
        CryptoProviders.Get(CryptoProviders.LibCrypto);
        using TicketKeyRing keys = TlsPair.Keys();
        byte[] ticket = keys.Seal([1, 2, 3], TestCertificates.Now);
        ticket[^1] ^= 1;
        int thread = Environment.CurrentManagedThreadId;
        int thrown = 0;
        void Count(object? sender, System.Runtime.ExceptionServices.FirstChanceExceptionEventArgs e) =>
            thrown += Environment.CurrentManagedThreadId == thread ? 1 : 0;
        AppDomain.CurrentDomain.FirstChanceException += Count;
        try
        {
            Assert.IsNull(keys.Open(ticket, TestCertificates.Now));
        }
        finally
        {
            AppDomain.CurrentDomain.FirstChanceException -= Count;
        }

        Assert.AreEqual(0, thrown);
    }

    [TestMethod]
    public void A_message_that_outgrows_its_buffer_leaves_no_copy_behind()
    {
        var writer = new MessageWriter();
        writer.WriteBytes(Enumerable.Repeat((byte)0xaa, 1000).ToArray());
        Span<byte> before = writer.Written;
        writer.WriteBytes(new byte[100]);
        Assert.IsFalse(before.ContainsAnyExcept((byte)0), "The old buffer still holds what was written.");
        Assert.AreEqual(0xaa, writer.Written[999]);
    }

    private static TlsSessionTicket FirstTicket(TlsClientOptions client, TlsServerOptions server)
    {
        using TlsPair pair = new TlsPair(client, server).Run();
        HandshakeTests.AssertComplete(pair);
        return pair.ClientHost.Tickets[0];
    }

    private static TlsSessionTicket AssertResumed(
        bool expected, TlsClientOptions client, TlsServerOptions server, CertificateCredential? identity)
    {
        using TlsPair pair = new TlsPair(client, server, TestCertificates.Now.AddMinutes(1)).Run();
        HandshakeTests.AssertComplete(pair);
        Assert.AreEqual(expected, pair.Client.IsResumed);
        Assert.AreEqual(expected, pair.Server.IsResumed);
        Assert.AreEqual(identity?.Certificate.Thumbprint, pair.Server.Peer?.Certificate?.Thumbprint);
        return pair.ClientHost.Tickets[0];
    }
}
