using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Crypto.Providers;
using Post.Quic.Engine.Tls;

#pragma warning disable CA1416 // The analysis does not see the guards around lambdas.

namespace Post.Quic.Engine.Tests.Tls;

[TestClass]
public sealed class TlsOptionsTests
{
    private static readonly List<SslApplicationProtocol> Protocols = [TlsPair.Protocol];

    [TestMethod]
    public void Nets_own_options_make_a_handshake()
    {
        bool asked = false;
        TlsClientOptions client = TlsClientOptions.From(new SslClientAuthenticationOptions
        {
            TargetHost = "SERVER.test.",
            ApplicationProtocols = Protocols,
            CertificateChainPolicy = TestCertificates.Trust,
            ClientCertificates = [TestCertificates.Client.Certificate],
            LocalCertificateSelectionCallback = (_, host, own, _, issuers) =>
            {
                asked = host == "SERVER.test." && issuers.Contains("CN=Root");
                return own[0];
            },
        });
        TlsServerOptions server = TlsServerOptions.From(new SslServerAuthenticationOptions
        {
            ApplicationProtocols = Protocols,
            ServerCertificateSelectionCallback = (_, name) =>
                name == TestCertificates.Host ? TestCertificates.Rsa.Certificate : TestCertificates.P256.Certificate,
            ClientCertificateRequired = true,
            CertificateChainPolicy = TestCertificates.Trust,
        });
        using TlsPair pair = new TlsPair(client, server).Run();
        HandshakeTests.AssertComplete(pair);
        Assert.IsTrue(asked);
        Assert.AreEqual(TestCertificates.Rsa.Certificate.Thumbprint, pair.Client.Peer?.Certificate?.Thumbprint);
        Assert.AreEqual(TestCertificates.Client.Certificate.Thumbprint, pair.Server.Peer?.Certificate?.Thumbprint);
    }

    [TestMethod]
    public void A_context_and_a_plain_certificate_serve_too()
    {
        foreach (SslServerAuthenticationOptions ssl in new[]
        {
            new SslServerAuthenticationOptions
            {
                ApplicationProtocols = Protocols,
                ServerCertificateContext = SslStreamCertificateContext.Create(TestCertificates.P256.Certificate, null, offline: true),
            },
            new SslServerAuthenticationOptions { ApplicationProtocols = Protocols, ServerCertificate = TestCertificates.P256.Certificate },
        })
        {
            using TlsPair pair = new TlsPair(serverOptions: TlsServerOptions.From(ssl)).Run();
            HandshakeTests.AssertComplete(pair);
        }
    }

    [TestMethod]
    public void The_suites_of_a_policy_are_the_only_ones_offered()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Inconclusive("CipherSuitesPolicy is not supported here.");
        }

        TlsClientOptions options = TlsClientOptions.From(Client(
            o => o.CipherSuitesPolicy = new CipherSuitesPolicy([TlsCipherSuite.TLS_AES_256_GCM_SHA384, TlsCipherSuite.TLS_RSA_WITH_AES_128_CBC_SHA])));
        CollectionAssert.AreEqual(new[] { CipherSuite.Aes256GcmSha384 }, options.CipherSuites.ToArray());
    }

    [TestMethod]
    public void Suites_are_those_of_the_provider_that_makes_the_keys()
    {
        // The platform's classes cannot make a connection's keys for ChaCha20-Poly1305: a peer must not select it.
        CryptoProvider platform = CryptoProviderFactory.Create(CryptoProviderKind.Platform);
        CollectionAssert.DoesNotContain(
            TlsClientOptions.From(Client(_ => { }), crypto: platform).CipherSuites.ToArray(), CipherSuite.ChaCha20Poly1305Sha256);
        CollectionAssert.DoesNotContain(
            TlsServerOptions.From(Server(_ => { }), crypto: platform).CipherSuites.ToArray(), CipherSuite.ChaCha20Poly1305Sha256);
    }

    [TestMethod]
    public void What_a_client_cannot_honour_is_refused_with_its_remedy()
    {
        AssertRefused("SslProtocols.Tls13", () => TlsClientOptions.From(Client(o => o.EnabledSslProtocols = SslProtocols.Tls12)));
        AssertRefused("RequireEncryption", () => TlsClientOptions.From(Client(o => o.EncryptionPolicy = NoEncryption)));
        AssertRefused("ApplicationProtocols", () => TlsClientOptions.From(Client(o => o.ApplicationProtocols = null)));
        AssertRefused("ApplicationProtocols", () => TlsClientOptions.From(Client(o => o.ApplicationProtocols = [])));
        AssertRefused("TargetHost", () => TlsClientOptions.From(Client(o => o.TargetHost = "not a host")));
        AssertRefused("SHA-256", () => TlsClientOptions.From(Client(static _ => { }), pinnedPublicKeys: [new byte[20]]));
        if (OperatingSystem.IsLinux())
        {
            AssertRefused("AllowRsaPssPadding", () => TlsClientOptions.From(Client(o => o.AllowRsaPssPadding = false)));
            AssertRefused("TLS_AES_128_GCM_SHA256", () => TlsClientOptions.From(Client(
                o => o.CipherSuitesPolicy = new CipherSuitesPolicy([TlsCipherSuite.TLS_RSA_WITH_AES_128_CBC_SHA]))));
        }
    }

    [TestMethod]
    public void What_a_server_cannot_honour_is_refused_with_its_remedy()
    {
        AssertRefused("SslProtocols.Tls13", () => TlsServerOptions.From(Server(o => o.EnabledSslProtocols = SslProtocols.Tls12)));
        AssertRefused("RequireEncryption", () => TlsServerOptions.From(Server(o => o.EncryptionPolicy = NoEncryption)));
        AssertRefused("AllowRenegotiation", () => TlsServerOptions.From(Server(o => o.AllowRenegotiation = true)));
        AssertRefused("ApplicationProtocols", () => TlsServerOptions.From(Server(o => o.ApplicationProtocols = null)));
        AssertRefused("ServerCertificateContext", () => TlsServerOptions.From(Server(o => o.ServerCertificate = null)));
        AssertRefused("private key", () => TlsServerOptions.From(Server(
            o => o.ServerCertificate = X509CertificateLoader.LoadCertificate(TestCertificates.P256.Certificate.RawData))));
    }

    [TestMethod]
    public void Secrets_are_logged_in_the_format_of_SSLKEYLOGFILE_when_asked_for()
    {
        var client = new List<string>();
        var server = new List<string>();
        using TlsPair pair = new TlsPair(TlsPair.ClientOptions(keyLog: client.Add), TlsPair.ServerOptions(keyLog: server.Add)).Run();
        HandshakeTests.AssertComplete(pair);
        CollectionAssert.AreEquivalent(client, server);
        string[] labels = [.. client.Select(static line => line.Split(' ')[0])];
        CollectionAssert.AreEquivalent(
            new[]
            {
                "CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET",
                "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0", "EXPORTER_SECRET",
            },
            labels);
        Assert.IsTrue(client.All(static line => line.Split(' ') is { Length: 3 } parts && parts[1].Length == 64 && parts[2].Length == 64));
    }

    [TestMethod]
    public void A_key_log_that_throws_does_not_fail_the_handshake()
    {
        using TlsPair pair = new TlsPair(
            TlsPair.ClientOptions(keyLog: static _ => throw new IOException("The disk is full."))).Run();
        HandshakeTests.AssertComplete(pair);
    }

    [TestMethod]
    public void Keying_material_is_exported_after_the_handshake_only()
    {
        using var pair = new TlsPair();
        Assert.ThrowsExactly<InvalidOperationException>(() => pair.Client.Export("EXPORTER-x"u8, [], new byte[16]));
    }

#pragma warning disable SYSLIB0040 // Named here to see it refused.
    private static EncryptionPolicy NoEncryption => EncryptionPolicy.NoEncryption;
#pragma warning restore SYSLIB0040

    private static SslClientAuthenticationOptions Client(Action<SslClientAuthenticationOptions> change)
    {
        var options = new SslClientAuthenticationOptions { TargetHost = TestCertificates.Host, ApplicationProtocols = Protocols };
        change(options);
        return options;
    }

    private static SslServerAuthenticationOptions Server(Action<SslServerAuthenticationOptions> change)
    {
        var options = new SslServerAuthenticationOptions
        {
            ApplicationProtocols = Protocols,
            ServerCertificate = TestCertificates.P256.Certificate,
        };
        change(options);
        return options;
    }

    private static void AssertRefused(string remedy, Action make)
    {
        ArgumentException error = Assert.ThrowsExactly<ArgumentException>(make);
        Assert.Contains(remedy, error.Message);
    }
}
