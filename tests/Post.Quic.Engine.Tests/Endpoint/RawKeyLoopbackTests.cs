using System.Net.Security;
using System.Security.Cryptography;
using System.Threading.Channels;

namespace Post.Quic.Engine.Tests.Endpoint;

/// <summary>Keys without certificates by the public API, on real sockets.</summary>
[TestClass]
public sealed class RawKeyLoopbackTests
{
    private static readonly QuicIdentityKind[] Keys = [QuicIdentityKind.RawPublicKey];

    public TestContext TestContext { get; set; } = null!;

    public static IEnumerable<object[]> Algorithms =>
        Enum.GetValues<QuicKeyAlgorithm>().Where(QuicPrivateKey.IsSupported).Select(static one => new object[] { one });

    [TestMethod]
    [DynamicData(nameof(Algorithms))]
    public async Task Both_sides_know_each_other_by_their_keys_and_resume_so(QuicKeyAlgorithm algorithm)
    {
        CancellationToken token = TestContext.CancellationToken;
        using var server = QuicPrivateKey.Create(algorithm);
        using var client = QuicPrivateKey.ImportFromPem(QuicPrivateKey.Create(algorithm).ExportPkcs8PrivateKeyPem());
        await using QuicListener listener = await LoopbackPair.ListenAsync(options => options with
        {
            ServerAuthenticationOptions = new SslServerAuthenticationOptions { ApplicationProtocols = [LoopbackPair.Protocol], ClientCertificateRequired = true },
            PrivateKey = server,
            PeerIdentityKinds = Keys,
            RemotePublicKeyValidationCallback = key => key.Equals(client.PublicKey),
        });
        var tickets = Channel.CreateUnbounded<QuicSessionTicket>();
        QuicSessionTicket? ticket = null;
        for (int i = 0; i < 2; i++)
        {
            Task<QuicConnection> accepting = listener.AcceptConnectionAsync(token).AsTask();
            await using QuicConnection connected = await LoopbackPair.ConnectToAsync(listener, token, options => options with
            {
                ClientAuthenticationOptions = new SslClientAuthenticationOptions { ApplicationProtocols = [LoopbackPair.Protocol] },
                PrivateKey = client,
                PeerIdentityKinds = Keys,
                PinnedPublicKeys = [server.PublicKey.GetHash()],
                SessionTicket = ticket,
                Events = new TicketEvents(tickets.Writer),
            });
            await using QuicConnection accepted = await accepting;
            Assert.AreEqual(server.PublicKey, connected.RemotePublicKey);
            Assert.AreEqual(client.PublicKey, accepted.RemotePublicKey);
            Assert.IsNull(connected.RemoteCertificate);
            Assert.AreEqual(i == 1, connected.IsResumed);
            ticket = await tickets.Reader.ReadAsync(token);
        }
    }

    [TestMethod]
    public async Task The_client_learns_what_was_wrong_with_the_servers_key()
    {
        using var server = QuicPrivateKey.Create(QuicKeyAlgorithm.EcdsaP256);
        using var other = QuicPrivateKey.Create(QuicKeyAlgorithm.EcdsaP256);
        await using QuicListener listener = await LoopbackPair.ListenAsync(options => options with { PrivateKey = server });
        QuicException refused = await Assert.ThrowsExactlyAsync<QuicException>(async () => await LoopbackPair.ConnectToAsync(
            listener,
            TestContext.CancellationToken,
            options => options with { PeerIdentityKinds = Keys, PinnedPublicKeys = [other.PublicKey.GetHash()] }));
        Assert.AreEqual(QuicError.AuthenticationFailed, refused.QuicError);
        StringAssert.Contains(refused.Message, Convert.ToHexStringLower(server.PublicKey.GetHash()));
    }

    [TestMethod]
    public async Task A_server_without_a_key_tells_a_client_that_takes_nothing_else()
    {
        await using QuicListener listener = await LoopbackPair.ListenAsync();
        QuicException refused = await Assert.ThrowsExactlyAsync<QuicException>(async () => await LoopbackPair.ConnectToAsync(
            listener,
            TestContext.CancellationToken,
            options => options with { PeerIdentityKinds = Keys, PinnedPublicKeys = [new byte[32]] }));
        StringAssert.Contains(refused.Message, "unsupported_certificate (43)");
        StringAssert.Contains(refused.Message, "raw public key");
    }

    [TestMethod]
    public async Task Options_that_could_judge_no_key_are_refused_before_a_packet_is_sent()
    {
        await using QuicListener listener = await LoopbackPair.ListenAsync();
        ArgumentException refused = await Assert.ThrowsExactlyAsync<ArgumentException>(async () => await LoopbackPair.ConnectToAsync(
            listener, TestContext.CancellationToken, options => options with { PeerIdentityKinds = Keys }));
        StringAssert.Contains(refused.Message, nameof(QuicConnectionOptions.RemotePublicKeyValidationCallback));
        foreach (QuicIdentityKind[] kinds in new QuicIdentityKind[][] { [], [QuicIdentityKind.Certificate, QuicIdentityKind.Certificate], [(QuicIdentityKind)7] })
        {
            refused = await Assert.ThrowsExactlyAsync<ArgumentException>(async () => await LoopbackPair.ConnectToAsync(
                listener, TestContext.CancellationToken, options => options with { PeerIdentityKinds = kinds }));
            StringAssert.Contains(refused.Message, nameof(QuicConnectionOptions.PeerIdentityKinds));
        }
    }

    [TestMethod]
    [DynamicData(nameof(Algorithms))]
    public void Keys_survive_being_kept(QuicKeyAlgorithm algorithm)
    {
        using var key = QuicPrivateKey.Create(algorithm);
        using var again = QuicPrivateKey.ImportPkcs8PrivateKey(key.ExportPkcs8PrivateKey());
        Assert.AreEqual(key.PublicKey, again.PublicKey);
        Assert.AreEqual(algorithm, again.PublicKey.Algorithm);
        Assert.AreEqual(key.PublicKey, QuicPublicKey.FromSubjectPublicKeyInfo(key.PublicKey.SubjectPublicKeyInfo.Span));
        Assert.AreEqual(key.PublicKey, QuicPublicKey.FromBytes(algorithm, key.PublicKey.ToBytes()));
        CollectionAssert.AreEqual(SHA256.HashData(key.PublicKey.SubjectPublicKeyInfo.Span), key.PublicKey.GetHash());
    }

    [TestMethod]
    public void What_is_no_key_is_refused_with_a_word_on_what_is()
    {
        using RSA rsa = RSA.Create(2048);
        using ECDsa large = ECDsa.Create(ECCurve.NamedCurves.nistP521);
        foreach (byte[] wrong in new[] { rsa.ExportPkcs8PrivateKey(), large.ExportPkcs8PrivateKey(), [], [0x30, 0], [1, 2, 3] })
        {
            StringAssert.Contains(
                Assert.ThrowsExactly<CryptographicException>(() => QuicPrivateKey.ImportPkcs8PrivateKey(wrong)).Message, "P-256");
        }

        using var key = QuicPrivateKey.Create(QuicKeyAlgorithm.EcdsaP256);
        Assert.ThrowsExactly<CryptographicException>(() => QuicPrivateKey.ImportPkcs8PrivateKey([.. key.ExportPkcs8PrivateKey(), 0]));
        StringAssert.Contains(
            Assert.ThrowsExactly<CryptographicException>(() => QuicPrivateKey.ImportFromPem(rsa.ExportRSAPrivateKeyPem())).Message, "PRIVATE KEY");
        Assert.ThrowsExactly<ArgumentException>(() => QuicPublicKey.FromSubjectPublicKeyInfo(rsa.ExportSubjectPublicKeyInfo()));
        Assert.ThrowsExactly<ArgumentException>(() => QuicPublicKey.FromBytes(QuicKeyAlgorithm.Ed25519, new byte[31]));
        Assert.ThrowsExactly<ArgumentException>(() => QuicPublicKey.FromBytes(QuicKeyAlgorithm.EcdsaP256, new byte[65]));
    }

    [TestMethod]
    public void Ed25519_keys_of_OpenSSL_are_read()
    {
        if (!QuicPrivateKey.IsSupported(QuicKeyAlgorithm.Ed25519))
        {
            Assert.Inconclusive("No libcrypto with Ed25519 is on this machine.");
        }

        // RFC 8410 section 10.3: the same key in version 1 of PKCS#8, and in version 2 with its public key.
        foreach (string pem in new[]
        {
            "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n",
            "-----BEGIN PRIVATE KEY-----\nMHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\noB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB\nZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PRIVATE KEY-----\n",
        })
        {
            using var key = QuicPrivateKey.ImportFromPem("a line before it\n" + pem);
            Assert.AreEqual("Ed25519:19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1", key.PublicKey.ToString());
        }
    }

    private sealed class TicketEvents(ChannelWriter<QuicSessionTicket> tickets) : QuicConnectionEvents
    {
        public override void OnSessionTicket(QuicSessionTicket ticket) => tickets.TryWrite(ticket);
    }
}
