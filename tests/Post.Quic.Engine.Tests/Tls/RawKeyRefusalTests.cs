using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Crypto.Providers;
using Post.Quic.Engine.Tls;
using Post.Quic.Engine.Tls.Alerts;
using Post.Quic.Engine.Tls.Certificates;
using Post.Quic.Engine.Tls.Messages;
using Post.Quic.Engine.Wire;
using static Post.Quic.Engine.Tests.Tls.MessageEdit;

namespace Post.Quic.Engine.Tests.Tls;

/// <summary>What a hostile or faulty peer can do with keys without certificates, and what it gets for it.</summary>
[TestClass]
public sealed class RawKeyRefusalTests
{
    private const byte Raw = (byte)CertificateType.RawPublicKey;

    private static readonly Lazy<SigningKey> LazyAnother =
        new(static () => CryptoProviderFactory.Default.FindSigning(KeyAlgorithm.EcdsaP256)!.Generate());

    private static readonly Dictionary<string, (HandshakeType Type, TlsAlert Alert, Func<byte[], byte[]> Edit)> ServerEdits = new()
    {
        ["a type not offered"] = (
            HandshakeType.EncryptedExtensions, TlsAlert.IllegalParameter, m => WithExtension(m, ExtensionType.ServerCertificateType, 0)),
        ["an unknown type"] = (
            HandshakeType.EncryptedExtensions, TlsAlert.IllegalParameter, m => WithExtension(m, ExtensionType.ServerCertificateType, 77)),
        ["two types"] = (
            HandshakeType.EncryptedExtensions, TlsAlert.DecodeError, m => WithExtension(m, ExtensionType.ServerCertificateType, Raw, Raw)),
        ["an empty type"] = (
            HandshakeType.EncryptedExtensions, TlsAlert.DecodeError, m => WithExtension(m, ExtensionType.ServerCertificateType)),
        ["no type, and so a certificate"] = (
            HandshakeType.EncryptedExtensions, TlsAlert.UnsupportedCertificate, m => WithoutExtension(m, ExtensionType.ServerCertificateType)),
        ["a type of ours that was not offered"] = (
            HandshakeType.EncryptedExtensions, TlsAlert.IllegalParameter, m => WithExtension(m, ExtensionType.ClientCertificateType, 0)),
        ["the type in the request"] = (
            HandshakeType.CertificateRequest, TlsAlert.IllegalParameter, m => WithExtension(m, ExtensionType.ServerCertificateType, Raw)),
        ["no key"] = (HandshakeType.Certificate, TlsAlert.DecodeError, _ => Entries()),
        ["an empty key"] = (HandshakeType.Certificate, TlsAlert.DecodeError, _ => Entries((byte[])[])),
        ["two keys"] = (
            HandshakeType.Certificate, TlsAlert.IllegalParameter, _ => Entries(Key.PublicKey.Encoded.ToArray(), Key.PublicKey.Encoded.ToArray())),
        ["a byte after the key"] = (HandshakeType.Certificate, TlsAlert.BadCertificate, _ => Entries([.. Key.PublicKey.Encoded.Span, 0])),
        ["a key cut off"] = (HandshakeType.Certificate, TlsAlert.BadCertificate, _ => Entries(Key.PublicKey.Encoded[..^1].ToArray())),
        ["no DER"] = (HandshakeType.Certificate, TlsAlert.BadCertificate, _ => Entries([1, 2, 3])),
        ["a certificate"] = (
            HandshakeType.Certificate, TlsAlert.UnsupportedCertificate, _ => Entries(TestCertificates.P256.Entries[0].ToArray())),
        ["a key of RSA"] = (
            HandshakeType.Certificate, TlsAlert.UnsupportedCertificate,
            _ => Entries(TestCertificates.Rsa.Certificate.PublicKey.ExportSubjectPublicKeyInfo())),
        ["a point that is not on the curve"] = (
            HandshakeType.Certificate, TlsAlert.BadCertificate, _ => Entries(WithBitFlipped(Key.PublicKey.Encoded.ToArray(), ^1))),
        ["a compressed point"] = (
            HandshakeType.Certificate, TlsAlert.UnsupportedCertificate, _ => Entries(Compressed(Key.PublicKey.Encoded.ToArray()))),
        ["another's key"] = (
            HandshakeType.Certificate, TlsAlert.DecryptError, _ => Entries(Another.PublicKey.Encoded.ToArray())),
        ["another signature"] = (HandshakeType.CertificateVerify, TlsAlert.DecryptError, m => WithBitFlipped(m, ^1)),
        ["a signature of another kind of key"] = (HandshakeType.CertificateVerify, TlsAlert.IllegalParameter, m => WithByte(m, 4, 5)),
        ["a signature of an algorithm not offered"] = (HandshakeType.CertificateVerify, TlsAlert.IllegalParameter, m => WithByte(m, 5, 9)),
        ["an empty signature"] = (
            HandshakeType.CertificateVerify, TlsAlert.DecryptError, _ => Message(HandshakeType.CertificateVerify, 4, 3, 0, 0)),
    };

    private static readonly Dictionary<string, (TlsAlert Alert, Func<byte[], byte[]> Edit)> HelloEdits = new()
    {
        ["an empty list"] = (TlsAlert.DecodeError, m => WithExtension(m, ExtensionType.ServerCertificateType, 0)),
        ["a list cut off"] = (TlsAlert.DecodeError, m => WithExtension(m, ExtensionType.ServerCertificateType, 2, Raw)),
        ["bytes after the list"] = (TlsAlert.DecodeError, m => WithExtension(m, ExtensionType.ServerCertificateType, 1, Raw, 0)),
        ["no body"] = (TlsAlert.DecodeError, m => WithExtension(m, ExtensionType.ClientCertificateType)),
        ["a list of its own types cut off"] = (TlsAlert.DecodeError, m => WithExtension(m, ExtensionType.ClientCertificateType, 2, Raw)),
        ["certificates alone"] = (TlsAlert.UnsupportedCertificate, m => WithExtension(m, ExtensionType.ServerCertificateType, 1, 0)),
        ["nothing of types"] = (TlsAlert.UnsupportedCertificate, m => WithoutExtension(m, ExtensionType.ServerCertificateType)),
        ["unknown types alone"] = (TlsAlert.UnsupportedCertificate, m => WithExtension(m, ExtensionType.ServerCertificateType, 3, 1, 3, 200)),
        ["certificates of its own alone"] = (TlsAlert.UnsupportedCertificate, m => WithExtension(m, ExtensionType.ClientCertificateType, 1, 0)),
        ["nothing of its own types"] = (TlsAlert.UnsupportedCertificate, m => WithoutExtension(m, ExtensionType.ClientCertificateType)),
        ["no signature that fits the key"] = (
            TlsAlert.HandshakeFailure, m => WithExtension(m, ExtensionType.SignatureAlgorithms, 0, 2, 8, 4)),
    };

    public static IEnumerable<object[]> ServerEditNames => ServerEdits.Keys.Select(static name => new object[] { name });

    public static IEnumerable<object[]> HelloEditNames => HelloEdits.Keys.Select(static name => new object[] { name });

    /// <summary>A key of P-256.</summary>
    private static SigningKey Key => TestKeys.All[0];

    private static SigningKey Another => LazyAnother.Value;

    [TestMethod]
    [DynamicData(nameof(ServerEditNames))]
    public void A_bad_message_of_a_server_with_a_raw_key_gets_its_alert(string name)
    {
        using TlsPair pair = Pair((fromServer, _, message) =>
            fromServer && TypeOf(message) == ServerEdits[name].Type ? ServerEdits[name].Edit(message) : message);
        AssertAlert(ServerEdits[name].Alert, pair.Run().ClientError, name);
        Assert.IsFalse(pair.ClientHost.IsComplete);
    }

    [TestMethod]
    [DynamicData(nameof(ServerEditNames))]
    public void A_bad_message_of_a_client_with_a_raw_key_gets_its_alert(string name)
    {
        if (ServerEdits[name].Type is not (HandshakeType.Certificate or HandshakeType.CertificateVerify))
        {
            return;
        }

        // A client may show nothing where a server may not; this server insists.
        TlsAlert alert = name == "no key" ? TlsAlert.CertificateRequired : ServerEdits[name].Alert;
        using TlsPair pair = Pair((fromServer, _, message) =>
            !fromServer && TypeOf(message) == ServerEdits[name].Type ? ServerEdits[name].Edit(message) : message);
        AssertAlert(alert, pair.Run().ServerError, name);
        Assert.IsFalse(pair.ServerHost.IsComplete);
    }

    [TestMethod]
    [DynamicData(nameof(HelloEditNames))]
    public void A_hello_with_bad_types_gets_its_alert(string name)
    {
        using TlsPair pair = Pair((fromServer, _, message) =>
            !fromServer && TypeOf(message) == HandshakeType.ClientHello ? HelloEdits[name].Edit(message) : message);
        AssertAlert(HelloEdits[name].Alert, pair.Run().ServerError, name);
    }

    [TestMethod]
    public void A_second_hello_with_other_types_is_illegal()
    {
        foreach (ExtensionType type in new[] { ExtensionType.ClientCertificateType, ExtensionType.ServerCertificateType })
        {
            foreach (Func<byte[], byte[]> edit in new Func<byte[], byte[]>[]
            {
                m => WithoutExtension(m, type), m => WithExtension(m, type, 2, Raw, 0), m => WithExtension(m, type, 2, 0, Raw),
            })
            {
                int hellos = 0;
                using var pair = new TlsPair(
                    TlsPair.ClientOptions(
                        policy: TestKeys.Pinned(Key), rawKey: TestKeys.Credential(Key), groups: [NamedGroup.Secp256r1, NamedGroup.Secp384r1]),
                    TlsPair.ServerOptions(rawKey: TestKeys.Credential(Key), groups: [NamedGroup.Secp384r1]))
                {
                    Tamper = (fromServer, _, message) => fromServer || ++hellos == 1 ? message : edit(message),
                };
                AssertAlert(TlsAlert.IllegalParameter, pair.Run().ServerError, $"{type}");
            }
        }
    }

    [TestMethod]
    public void A_server_that_selects_types_for_a_client_that_offered_none_is_refused()
    {
        foreach (ExtensionType type in new[] { ExtensionType.ClientCertificateType, ExtensionType.ServerCertificateType })
        {
            using var pair = new TlsPair
            {
                Tamper = (_, _, message) => TypeOf(message) == HandshakeType.EncryptedExtensions ? WithExtension(message, type, 0) : message,
            };
            AssertAlert(TlsAlert.UnsupportedExtension, pair.Run().ClientError, $"{type}");
        }
    }

    [TestMethod]
    public void A_key_that_is_none_of_the_pinned_ones_is_refused_and_named()
    {
        using TlsPair pair = new TlsPair(
            TlsPair.ClientOptions(policy: TestKeys.Pinned(Another)), TlsPair.ServerOptions(rawKey: TestKeys.Credential(Key))).Run();
        AssertAlert(TlsAlert.CertificateUnknown, pair.ClientError, "pin");
        string detail = pair.Client.Refusal!.Value.Detail;
        StringAssert.Contains(detail, Convert.ToHexStringLower(Key.PublicKey.Hash()));
        StringAssert.Contains(detail, Convert.ToHexStringLower(Another.PublicKey.Hash()));
    }

    [TestMethod]
    public void A_callback_that_throws_refuses_the_key()
    {
        CertificatePolicy policy = CertificatePolicy.ForServers(keys: new RawKeyRules
        {
            PeerTypes = [CertificateType.RawPublicKey],
            Callback = static _ => throw new InvalidOperationException("the user's"),
        });
        using TlsPair pair = new TlsPair(TlsPair.ClientOptions(policy: policy), TlsPair.ServerOptions(rawKey: TestKeys.Credential(Key))).Run();
        AssertAlert(TlsAlert.InternalError, pair.ClientError, "callback");
        Assert.AreEqual("the user's", pair.Client.Refusal!.Value.Failure?.Message);
    }

    [TestMethod]
    public void Ed25519_keys_of_small_order_are_refused()
    {
        SigningKey own = TestKeys.Ed25519();
        string[] points =
        [
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0100000000000000000000000000000000000000000000000000000000000000",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ];
        foreach (string point in points)
        {
            foreach (byte sign in new byte[] { 0, 0x80 })
            {
                byte[] key = Convert.FromHexString(point);
                key[^1] |= sign;
                byte[] encoded = RawPublicKey.Create(KeyAlgorithm.Ed25519, key)!.Encoded.ToArray();
                AssertAlert(TlsAlert.BadCertificate, RunWith(own, encoded), point);
            }
        }

        // Its neighbours are keys like any other, and so is one that is no point at all, until it is to verify something.
        AssertAlert(TlsAlert.DecryptError, RunWith(own, RawPublicKey.Create(KeyAlgorithm.Ed25519, [3, .. new byte[31]])!.Encoded.ToArray()), "3");
        AssertAlert(TlsAlert.DecryptError, RunWith(own, RawPublicKey.Create(KeyAlgorithm.Ed25519, [2, .. new byte[31]])!.Encoded.ToArray()), "2");
    }

    [TestMethod]
    public void A_server_that_resumes_and_changes_what_it_shows_is_refused()
    {
        using var keys = TlsPair.Keys();
        CertificatePolicy policy = CertificatePolicy.ForServers(
            pinnedPublicKeys: [Key.PublicKey.Hash()], keys: new RawKeyRules { PeerTypes = [CertificateType.RawPublicKey, CertificateType.X509] });
        TlsServerOptions server = TlsPair.ServerOptions(rawKey: TestKeys.Credential(Key), keys: keys);
        using TlsPair first = new TlsPair(TlsPair.ClientOptions(policy: policy), server).Run();
        HandshakeTests.AssertComplete(first);
        using var pair = new TlsPair(TlsPair.ClientOptions(first.ClientHost.Tickets[0], policy: policy), server)
        {
            Tamper = (_, _, message) => TypeOf(message) == HandshakeType.EncryptedExtensions
                ? WithExtension(message, ExtensionType.ServerCertificateType, 0)
                : message,
        };
        AssertAlert(TlsAlert.IllegalParameter, pair.Run().ClientError, "resumed");
    }

    [TestMethod]
    public void Rules_that_nothing_could_judge_a_key_by_are_refused()
    {
        var onlyKeys = new RawKeyRules { PeerTypes = [CertificateType.RawPublicKey] };
        StringAssert.Contains(
            Assert.ThrowsExactly<ArgumentException>(() => CertificatePolicy.ForServers(keys: onlyKeys)).Message, "PinnedPublicKeys");
        StringAssert.Contains(
            Assert.ThrowsExactly<ArgumentException>(() => CertificatePolicy.ForClients(
                pinnedPublicKeys: [new byte[32]], keys: onlyKeys with { Callback = static _ => true })).Message, "one of the two");
    }

    private static TransportError RunWith(SigningKey own, byte[] shown)
    {
        using var pair = new TlsPair(
            TlsPair.ClientOptions(policy: CertificatePolicy.ForServers(
                keys: new RawKeyRules { PeerTypes = [CertificateType.RawPublicKey], Callback = static _ => true })),
            TlsPair.ServerOptions(rawKey: TestKeys.Credential(own)))
        {
            Tamper = (_, _, message) => TypeOf(message) == HandshakeType.Certificate ? Entries(shown) : message,
        };
        return pair.Run().ClientError;
    }

    private static TlsPair Pair(Func<bool, EncryptionLevel, byte[], byte[]?> tamper) => new(
        TlsPair.ClientOptions(policy: TestKeys.Pinned(Key), rawKey: TestKeys.Credential(Key)),
        TlsPair.ServerOptions(
            hasCertificate: false,
            rawKey: TestKeys.Credential(Key),
            mode: ClientCertificateMode.Required,
            policy: TestKeys.PinnedClient(Key)))
    {
        Tamper = tamper,
    };

    private static byte[] Entries(params byte[][] entries)
    {
        var writer = new MessageWriter();
        return CertificateMessage.Write(writer, [.. entries.Select(static one => (ReadOnlyMemory<byte>)one)]).ToArray();
    }

    /// <summary>The same key in the other form of its point, which no fingerprint may depend on.</summary>
    private static byte[] Compressed(byte[] encoded)
    {
        const int pointOffset = 26;
        byte[] shorter = encoded[..(pointOffset + 1 + 32)];
        shorter[1] -= 32;
        shorter[pointOffset - 2] -= 32;
        shorter[pointOffset] = (byte)(2 + (encoded[^1] & 1));
        return shorter;
    }

    private static void AssertAlert(TlsAlert alert, TransportError error, string name) =>
        Assert.AreEqual(TlsError.Alert(alert, string.Empty).Code, error.Code, $"{name}: {error}");
}
