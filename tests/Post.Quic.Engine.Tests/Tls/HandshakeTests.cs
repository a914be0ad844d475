using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Tls;
using Post.Quic.Engine.Tls.Certificates;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tests.Tls;

[TestClass]
public sealed class HandshakeTests
{
    [TestMethod]
    public void A_client_and_a_server_agree_on_everything()
    {
        using TlsPair pair = new TlsPair().Run();

        AssertComplete(pair);
        Assert.AreEqual(TlsPair.Protocol, pair.Client.ApplicationProtocol);
        Assert.AreEqual(TlsPair.Protocol, pair.Server.ApplicationProtocol);
        Assert.AreEqual(TestCertificates.Host, pair.Server.ServerName);
        Assert.AreEqual(TestCertificates.P256.Certificate.Thumbprint, pair.Client.Peer?.Certificate?.Thumbprint);
        Assert.IsNull(pair.Server.Peer);
        CollectionAssert.AreEqual(pair.ServerHost.OwnTransportParameters, pair.ClientHost.PeerTransportParameters);
        CollectionAssert.AreEqual(pair.ClientHost.OwnTransportParameters, pair.ServerHost.PeerTransportParameters);
        Assert.IsFalse(pair.Client.IsResumed);
        Assert.IsFalse(pair.Client.IsRetried);
    }

    [TestMethod]
    public void Every_suite_and_group_works_with_and_without_a_retry_and_client_certificates()
    {
        foreach (CipherSuite suite in TlsDefaults.CipherSuites)
        {
            foreach (NamedGroup group in TlsDefaults.Groups)
            {
                foreach (bool retry in new[] { false, true })
                {
                    foreach (ClientCertificateMode mode in Enum.GetValues<ClientCertificateMode>())
                    {
                        Run(suite, group, retry, mode);
                    }
                }
            }
        }
    }

    [TestMethod]
    public void A_server_proves_itself_with_every_kind_of_key()
    {
        foreach (CertificateCredential credential in new[]
        {
            TestCertificates.P256, TestCertificates.P384, TestCertificates.P521, TestCertificates.Rsa, TestCertificates.ChainOfNine,
        })
        {
            using TlsPair pair = new TlsPair(serverOptions: TlsPair.ServerOptions(credential)).Run();
            AssertComplete(pair);
            Assert.AreEqual(credential.Certificate.Thumbprint, pair.Client.Peer?.Certificate?.Thumbprint);
        }
    }

    [TestMethod]
    public void A_chain_of_nine_certificates_is_sent_whole()
    {
        Assert.HasCount(9, TestCertificates.ChainOfNine.Entries);
        using TlsPair pair = new TlsPair(serverOptions: TlsPair.ServerOptions(TestCertificates.ChainOfNine)).Run();
        AssertComplete(pair);
        Assert.HasCount(8, ((PeerCertificateChain)pair.ClientHost.Validation!.Peer).Others);
    }

    [TestMethod]
    public void A_server_by_its_address_is_asked_for_without_a_name()
    {
        using TlsPair pair = new TlsPair(
            TlsPair.ClientOptions(host: "127.0.0.1"), TlsPair.ServerOptions(TestCertificates.Address)).Run();
        AssertComplete(pair);
        Assert.AreEqual(string.Empty, pair.Server.ServerName);
    }

    [TestMethod]
    [DataRow(1)]
    [DataRow(2)]
    [DataRow(3)]
    [DataRow(7)]
    [DataRow(64)]
    [DataRow(1000)]
    public void Bytes_may_come_in_pieces_of_any_size(int length)
    {
        using var pair = new TlsPair(
            TlsPair.ClientOptions(credential: TestCertificates.Client, groups: [NamedGroup.Secp384r1, NamedGroup.Secp256r1]),
            TlsPair.ServerOptions(
                TestCertificates.ChainOfNine,
                groups: [NamedGroup.Secp256r1],
                mode: ClientCertificateMode.Required,
                keys: TlsPair.Keys()))
        {
            ChunkLength = length,
        };
        AssertComplete(pair.Run());
        Assert.IsTrue(pair.Client.IsRetried);
        Assert.HasCount(2, pair.ClientHost.Tickets);
    }

    [TestMethod]
    public void Secrets_come_after_the_messages_before_them_and_in_order()
    {
        using TlsPair pair = new TlsPair(serverOptions: TlsPair.ServerOptions(keys: TlsPair.Keys())).Run();
        CollectionAssert.AreEqual(
            new[]
            {
                "data Initial", "secret Handshake Receive", "secret Handshake Send", "parameters", "validate",
                "data Handshake", "secret Application Receive", "secret Application Send", "complete",
            },
            pair.ClientHost.Events);
        CollectionAssert.AreEqual(
            new[]
            {
                "parameters", "hello", "data Initial", "secret Handshake Send", "secret Handshake Receive",
                "data Handshake", "data Handshake", "data Handshake", "data Handshake", "secret Application Send",
                "secret Application Receive", "complete", "data Application", "data Application",
            },
            pair.ServerHost.Events);
    }

    private static void Run(CipherSuite suite, NamedGroup group, bool retry, ClientCertificateMode mode)
    {
        NamedGroup other = group == NamedGroup.Secp256r1 ? NamedGroup.Secp384r1 : NamedGroup.Secp256r1;
        bool hasCertificate = mode == ClientCertificateMode.Required;
        using TlsPair pair = new TlsPair(
            TlsPair.ClientOptions(
                suites: [suite],
                groups: retry ? [other, group] : [group],
                credential: hasCertificate ? TestCertificates.Client : null),
            TlsPair.ServerOptions(groups: [group], mode: mode, cookie: retry && hasCertificate ? [5, 5, 5] : null)).Run();
        string which = $"{suite} {group} retry {retry} {mode}";
        Assert.IsTrue(pair.IsComplete, $"{which}: client {pair.ClientError}, server {pair.ServerError}");
        AssertComplete(pair);
        Assert.AreEqual(suite, pair.Client.CipherSuite, which);
        Assert.AreEqual(group, pair.Client.Group, which);
        Assert.AreEqual(retry, pair.Client.IsRetried, which);
        Assert.AreEqual(retry, pair.Server.IsRetried, which);
        Assert.AreEqual(hasCertificate, pair.Server.Peer is not null, which);
    }

    internal static void AssertComplete(TlsPair pair)
    {
        Assert.IsFalse(pair.ClientError.IsError, $"client: {pair.ClientError}");
        Assert.IsFalse(pair.ServerError.IsError, $"server: {pair.ServerError}");
        Assert.IsTrue(pair.IsComplete);
        Assert.IsTrue(pair.ClientHost.IsComplete);
        Assert.IsTrue(pair.ServerHost.IsComplete);
        foreach (EncryptionLevel level in new[] { EncryptionLevel.Handshake, EncryptionLevel.Application })
        {
            CollectionAssert.AreEqual(
                pair.ClientHost.Secrets[(level, KeyDirection.Send)], pair.ServerHost.Secrets[(level, KeyDirection.Receive)]);
            CollectionAssert.AreEqual(
                pair.ClientHost.Secrets[(level, KeyDirection.Receive)], pair.ServerHost.Secrets[(level, KeyDirection.Send)]);
        }

        byte[] exported = new byte[40];
        byte[] exportedByServer = new byte[40];
        pair.Client.Export("EXPORTER-test"u8, [1, 2], exported);
        pair.Server.Export("EXPORTER-test"u8, [1, 2], exportedByServer);
        CollectionAssert.AreEqual(exported, exportedByServer);
        Assert.AreEqual(pair.Client.CipherSuite, pair.Server.CipherSuite);
        Assert.AreEqual(pair.Client.Group, pair.Server.Group);
    }
}
