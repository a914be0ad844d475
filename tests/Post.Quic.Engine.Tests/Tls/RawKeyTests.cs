using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Crypto.Providers;
using Post.Quic.Engine.Tls;
using Post.Quic.Engine.Tls.Certificates;
using Post.Quic.Engine.Tls.Messages;
using Post.Quic.Engine.Tls.Tickets;

namespace Post.Quic.Engine.Tests.Tls;

/// <summary>Keys without certificates in both roles (RFC 7250, RFC 8446 section 4.4.2).</summary>
[TestClass]
public sealed class RawKeyTests
{
    [TestMethod]
    public void Both_sides_prove_themselves_by_raw_keys_of_every_kind()
    {
        foreach (SigningKey server in TestKeys.All)
        {
            foreach (SigningKey client in TestKeys.All)
            {
                var seen = new List<HandshakeType>();
                using var pair = new TlsPair(
                    TlsPair.ClientOptions(policy: TestKeys.Pinned(server), rawKey: TestKeys.Credential(client)),
                    TlsPair.ServerOptions(
                        hasCertificate: false,
                        rawKey: TestKeys.Credential(server),
                        mode: ClientCertificateMode.Required,
                        policy: TestKeys.PinnedClient(client)));
                HandshakeTests.AssertComplete(pair.Run());
                Assert.AreEqual(server.PublicKey, pair.Client.Peer?.RawKey);
                Assert.AreEqual(client.PublicKey, pair.Server.Peer?.RawKey);
                Assert.IsNull(pair.Client.Peer?.Certificate);
            }
        }
    }

    [TestMethod]
    public void A_platform_without_libcrypto_has_raw_keys_of_the_curves_and_no_Ed25519()
    {
        CryptoProvider platform = CryptoProviderFactory.Create(CryptoProviderKind.Platform);
        Assert.IsNull(platform.FindSigning(KeyAlgorithm.Ed25519));
        using SigningKey key = platform.FindSigning(KeyAlgorithm.EcdsaP384)!.Generate();
        using var pair = new TlsPair(
            TlsPair.ClientOptions(
                policy: TestKeys.Pinned(key), suites: TlsDefaults.CipherSuitesOf(platform), groups: TlsDefaults.GroupsOf(platform), crypto: platform),
            TlsPair.ServerOptions(hasCertificate: false, rawKey: TestKeys.Credential(key)))
        {
            Tamper = static (fromServer, _, message) =>
            {
                Assert.IsFalse(
                    MessageEdit.TypeOf(message) == HandshakeType.ClientHello &&
                    VectorReading.ContainsNumber(
                        MessageEdit.Extension(message, ExtensionType.SignatureAlgorithms).AsSpan(2), (ushort)SignatureScheme.Ed25519));
                return message;
            },
        };
        HandshakeTests.AssertComplete(pair.Run());
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void A_server_with_both_shows_what_the_client_prefers(bool prefersKey)
    {
        CertificateType[] types = prefersKey
            ? [CertificateType.RawPublicKey, CertificateType.X509]
            : [CertificateType.X509, CertificateType.RawPublicKey];
        CertificatePolicy policy = CertificatePolicy.ForServers(
            TestCertificates.Trust, keys: new RawKeyRules { PeerTypes = types, Callback = static _ => true });
        using var pair = new TlsPair(
            TlsPair.ClientOptions(policy: policy), TlsPair.ServerOptions(rawKey: TestKeys.Credential(TestKeys.All[0])));
        HandshakeTests.AssertComplete(pair.Run());
        Assert.AreEqual(prefersKey, pair.Client.Peer!.RawKey is not null);
        Assert.AreEqual(!prefersKey, pair.Client.Peer.Certificate is not null);
    }

    [TestMethod]
    public void A_server_with_both_passes_by_the_one_whose_signature_the_client_does_not_take()
    {
        CertificatePolicy policy = CertificatePolicy.ForServers(
            TestCertificates.Trust,
            keys: new RawKeyRules { PeerTypes = [CertificateType.RawPublicKey, CertificateType.X509], Callback = static _ => true });
        CryptoProvider platform = CryptoProviderFactory.Create(CryptoProviderKind.Platform);
        using var pair = new TlsPair(
            TlsPair.ClientOptions(
                policy: policy, suites: TlsDefaults.CipherSuitesOf(platform), groups: TlsDefaults.GroupsOf(platform), crypto: platform),
            TlsPair.ServerOptions(rawKey: TestKeys.Credential(TestKeys.Ed25519())));
        HandshakeTests.AssertComplete(pair.Run());
        Assert.IsNotNull(pair.Client.Peer!.Certificate);
    }

    [TestMethod]
    public void A_client_that_takes_certificates_alone_sends_nothing_of_the_types_and_gets_a_certificate()
    {
        var offered = new List<bool>();
        using var pair = new TlsPair(serverOptions: TlsPair.ServerOptions(
            rawKey: TestKeys.Credential(TestKeys.All[0]), mode: ClientCertificateMode.Optional))
        {
            Tamper = (_, _, message) =>
            {
                if (MessageEdit.TypeOf(message) is HandshakeType.ClientHello or HandshakeType.EncryptedExtensions)
                {
                    offered.Add(MessageEdit.HasExtension(message, ExtensionType.ServerCertificateType) ||
                        MessageEdit.HasExtension(message, ExtensionType.ClientCertificateType));
                }

                return message;
            },
        };
        HandshakeTests.AssertComplete(pair.Run());
        Assert.IsNotNull(pair.Client.Peer!.Certificate);
        CollectionAssert.AreEqual(new[] { false, false }, offered);
    }

    [TestMethod]
    public void A_client_with_both_shows_the_certificate_to_a_server_that_takes_certificates_alone()
    {
        using var pair = new TlsPair(
            TlsPair.ClientOptions(credential: TestCertificates.Client, rawKey: TestKeys.Credential(TestKeys.All[0])),
            TlsPair.ServerOptions(mode: ClientCertificateMode.Required));
        HandshakeTests.AssertComplete(pair.Run());
        Assert.IsNotNull(pair.Server.Peer!.Certificate);
    }

    [TestMethod]
    public void A_client_with_a_key_alone_stays_anonymous_where_certificates_are_optional()
    {
        using var pair = new TlsPair(
            TlsPair.ClientOptions(rawKey: TestKeys.Credential(TestKeys.All[0])), TlsPair.ServerOptions(mode: ClientCertificateMode.Optional));
        HandshakeTests.AssertComplete(pair.Run());
        Assert.IsNull(pair.Server.Peer);
    }

    [TestMethod]
    public void The_types_go_into_both_hellos_of_a_retry()
    {
        SigningKey key = TestKeys.All[0];
        using var pair = new TlsPair(
            TlsPair.ClientOptions(policy: TestKeys.Pinned(key), rawKey: TestKeys.Credential(key), groups: [NamedGroup.Secp256r1, NamedGroup.Secp384r1]),
            TlsPair.ServerOptions(
                rawKey: TestKeys.Credential(key),
                mode: ClientCertificateMode.Required,
                policy: TestKeys.PinnedClient(key),
                groups: [NamedGroup.Secp384r1],
                cookie: [1, 2, 3]));
        HandshakeTests.AssertComplete(pair.Run());
        Assert.IsTrue(pair.Client.IsRetried);
        Assert.AreEqual(key.PublicKey, pair.Server.Peer?.RawKey);
    }

    [TestMethod]
    public void A_callback_gets_the_key_and_decides()
    {
        SigningKey key = TestKeys.All[0];
        foreach (bool answer in new[] { true, false })
        {
            RawPublicKey? asked = null;
            CertificatePolicy policy = CertificatePolicy.ForServers(keys: new RawKeyRules
            {
                PeerTypes = [CertificateType.RawPublicKey],
                Callback = shown =>
                {
                    asked = shown;
                    return answer;
                },
            });
            using TlsPair pair = new TlsPair(TlsPair.ClientOptions(policy: policy), TlsPair.ServerOptions(rawKey: TestKeys.Credential(key))).Run();
            Assert.AreEqual(key.PublicKey, asked);
            Assert.AreEqual(answer, pair.IsComplete);
        }
    }

    [TestMethod]
    public void A_session_made_with_raw_keys_is_resumed_with_both_identities()
    {
        SigningKey server = TestKeys.All[^1];
        SigningKey client = TestKeys.All[0];
        using TicketKeyRing keys = TlsPair.Keys();
        TlsServerOptions options = ServerWith(server, keys, client);
        TlsSessionTicket ticket = FirstTicket(TlsPair.ClientOptions(policy: TestKeys.Pinned(server), rawKey: TestKeys.Credential(client)), options);
        for (int i = 0; i < 3; i++)
        {
            Assert.IsTrue(TlsSessionTicket.TryParse(ticket.ToArray(), out TlsSessionTicket? stored));
            using TlsPair pair = new TlsPair(
                TlsPair.ClientOptions(stored, policy: TestKeys.Pinned(server), rawKey: TestKeys.Credential(client), earlyData: true),
                options,
                TestCertificates.Now.AddMinutes(1 + i)).Run();
            HandshakeTests.AssertComplete(pair);
            Assert.IsTrue(pair.Client.IsResumed && pair.Server.IsResumed);
            Assert.IsTrue(pair.Client.EarlyDataAccepted && pair.Server.EarlyDataAccepted, $"early data {i}");
            Assert.AreEqual(server.PublicKey, pair.Client.Peer?.RawKey);
            Assert.AreEqual(client.PublicKey, pair.Server.Peer?.RawKey);
            ticket = pair.ClientHost.Tickets[0];
        }
    }

    [TestMethod]
    public void A_resumed_client_is_told_the_types_too()
    {
        // Other stacks (rustls) look for them in every handshake, and give up without them.
        SigningKey key = TestKeys.All[0];
        using TicketKeyRing keys = TlsPair.Keys();
        TlsServerOptions options = ServerWith(key, keys, key);
        TlsSessionTicket ticket = FirstTicket(TlsPair.ClientOptions(policy: TestKeys.Pinned(key), rawKey: TestKeys.Credential(key)), options);
        byte[] types = [];
        using TlsPair pair = new TlsPair(TlsPair.ClientOptions(ticket, policy: TestKeys.Pinned(key), rawKey: TestKeys.Credential(key)), options)
        {
            Tamper = (_, _, message) =>
            {
                if (MessageEdit.TypeOf(message) == HandshakeType.EncryptedExtensions)
                {
                    types =
                    [
                        .. MessageEdit.Extension(message, ExtensionType.ClientCertificateType),
                        .. MessageEdit.Extension(message, ExtensionType.ServerCertificateType),
                    ];
                }

                return message;
            },
        };
        HandshakeTests.AssertComplete(pair.Run());
        Assert.IsTrue(pair.Client.IsResumed);
        CollectionAssert.AreEqual(new byte[] { 2, 2 }, types);
    }

    [TestMethod]
    public void A_session_is_not_resumed_with_another_key_of_our_own_or_under_other_rules()
    {
        SigningKey server = TestKeys.All[0];
        SigningKey client = TestKeys.All[0];
        SigningKey other = TestKeys.All[1];
        using TicketKeyRing keys = TlsPair.Keys();
        TlsServerOptions options = ServerWith(server, keys, client, other);
        TlsSessionTicket ticket = FirstTicket(TlsPair.ClientOptions(policy: TestKeys.Pinned(server), rawKey: TestKeys.Credential(client)), options);

        AssertNotResumed(TlsPair.ClientOptions(ticket, policy: TestKeys.Pinned(server), rawKey: TestKeys.Credential(other)), options, other);
        AssertNotResumed(TlsPair.ClientOptions(ticket, policy: TestKeys.Pinned(server, other), rawKey: TestKeys.Credential(client)), options, client);

        // Under rules that take a certificate too, and from a server that lost its key, the session does not go on either.
        CertificatePolicy wider = CertificatePolicy.ForServers(
            pinnedPublicKeys: [server.PublicKey.Hash()],
            keys: new RawKeyRules { PeerTypes = [CertificateType.RawPublicKey, CertificateType.X509] });
        AssertNotResumed(TlsPair.ClientOptions(ticket, policy: wider, rawKey: TestKeys.Credential(client)), options, client);
        AssertNotResumed(
            TlsPair.ClientOptions(ticket, policy: TestKeys.Pinned(server), rawKey: TestKeys.Credential(client)),
            ServerWith(server, keys, client),
            client);
    }

    [TestMethod]
    public void A_server_resumes_no_session_that_it_made_with_what_the_client_does_not_take_now()
    {
        using TicketKeyRing keys = TlsPair.Keys();
        TlsServerOptions options = TlsPair.ServerOptions(keys: keys, rawKey: TestKeys.Credential(TestKeys.All[0]));
        TlsSessionTicket ticket = FirstTicket(TlsPair.ClientOptions(policy: TestKeys.Pinned(TestKeys.All[0])), options);
        using TlsPair pair = new TlsPair(TlsPair.ClientOptions(ticket, policy: TestKeys.Pinned(TestKeys.All[0])), options)
        {
            // The list is among what the binder covers: the server must not even look at the binder.
            Tamper = static (fromServer, _, message) => fromServer || MessageEdit.TypeOf(message) != HandshakeType.ClientHello
                ? message
                : MessageEdit.WithExtension(message, ExtensionType.ServerCertificateType, 1, 0),
        };
        pair.Run();
        Assert.IsFalse(pair.Server.IsResumed);
        Assert.IsFalse(pair.ServerError.IsError, $"{pair.ServerError}");
    }

    [TestMethod]
    public void A_certificate_with_an_Ed25519_key_is_taken_and_pinned()
    {
        SigningKey key = TestKeys.Ed25519();
        Credential credential = new Ed25519Certificate(key);
        byte[] hash = key.PublicKey.Hash();
        foreach (CertificatePolicy policy in new[]
        {
            CertificatePolicy.ForServers(TestCertificates.Trust),
            CertificatePolicy.ForServers(pinnedPublicKeys: [hash]),
        })
        {
            using var pair = new TlsPair(TlsPair.ClientOptions(policy: policy), TlsPair.ServerOptions(credential));
            HandshakeTests.AssertComplete(pair.Run());
            CollectionAssert.AreEqual(hash, pair.Client.Peer!.KeyHash());
            Assert.IsNotNull(pair.Client.Peer.Certificate);
        }
    }

    private static TlsServerOptions ServerWith(SigningKey key, TicketKeyRing keys, params SigningKey[] clients) => TlsPair.ServerOptions(
        keys: keys,
        hasCertificate: false,
        rawKey: TestKeys.Credential(key),
        mode: ClientCertificateMode.Required,
        policy: TestKeys.PinnedClient(clients),
        earlyData: true,
        antiReplay: new BoundedAntiReplay());

    private static TlsSessionTicket FirstTicket(TlsClientOptions client, TlsServerOptions server)
    {
        using TlsPair pair = new TlsPair(client, server).Run();
        HandshakeTests.AssertComplete(pair);
        return pair.ClientHost.Tickets[0];
    }

    private static void AssertNotResumed(TlsClientOptions client, TlsServerOptions server, SigningKey identity)
    {
        using TlsPair pair = new TlsPair(client, server, TestCertificates.Now.AddMinutes(1)).Run();
        HandshakeTests.AssertComplete(pair);
        Assert.IsFalse(pair.Client.IsResumed || pair.Server.IsResumed);
        Assert.AreEqual(identity.PublicKey, pair.Server.Peer?.RawKey);
    }

    /// <summary>A certificate for an Ed25519 key, from the tests' authority. .NET holds no such private key, so that it is used beside it.</summary>
    private sealed class Ed25519Certificate(SigningKey key) : Credential
    {
        public override CertificateType Type => CertificateType.X509;

        public override IReadOnlyList<ReadOnlyMemory<byte>> Entries { get; } = [Create(key.PublicKey)];

        public override bool TrySelect(ReadOnlySpan<byte> peerSchemes, out SignatureScheme scheme)
        {
            scheme = SignatureScheme.Ed25519;
            return VectorReading.ContainsNumber(peerSchemes, (ushort)scheme);
        }

        public override byte[] Sign(SignatureScheme scheme, ReadOnlySpan<byte> content) => key.Sign(content);

        private static byte[] Create(RawPublicKey key)
        {
            var request = new CertificateRequest(
                new X500DistinguishedName("CN=edwards"),
                PublicKey.CreateFromSubjectPublicKeyInfo(key.Encoded.Span, out _),
                HashAlgorithmName.SHA256);
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName(TestCertificates.Host);
            request.CertificateExtensions.Add(names.Build());
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
            using ECDsa issuer = TestCertificates.Root.GetECDsaPrivateKey()!;
            using X509Certificate2 made = request.Create(
                TestCertificates.Root.SubjectName,
                X509SignatureGenerator.CreateForECDsa(issuer),
                TestCertificates.Now.AddDays(-1),
                TestCertificates.Now.AddDays(30),
                RandomNumberGenerator.GetBytes(12));
            return made.RawData;
        }
    }
}
