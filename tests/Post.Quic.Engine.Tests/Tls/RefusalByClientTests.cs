using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Tls;
using Post.Quic.Engine.Tls.Alerts;
using Post.Quic.Engine.Tls.Certificates;
using Post.Quic.Engine.Tls.Messages;
using Post.Quic.Engine.Wire;
using static Post.Quic.Engine.Tests.Tls.MessageEdit;

namespace Post.Quic.Engine.Tests.Tls;

[TestClass]
public sealed class RefusalByClientTests
{
    private const int RandomOffset = HandshakeAssembler.HeaderLength + 2;
    private const int SessionIdOffset = RandomOffset + 32;

    private static readonly Dictionary<string, (HandshakeType Type, TlsAlert Alert, Func<byte[], byte[]> Edit)> Edits = new()
    {
        ["hello: no supported_versions"] = (
            HandshakeType.ServerHello, TlsAlert.ProtocolVersion, m => WithoutExtension(m, ExtensionType.SupportedVersions)),
        ["hello: the sentinel of a downgrade to 1.2"] = (
            HandshakeType.ServerHello, TlsAlert.IllegalParameter, m => Downgraded(m, 1)),
        ["hello: the sentinel of a downgrade to 1.1"] = (
            HandshakeType.ServerHello, TlsAlert.IllegalParameter, m => Downgraded(m, 0)),
        ["hello: version 1.2 in supported_versions"] = (
            HandshakeType.ServerHello, TlsAlert.IllegalParameter, m => WithExtension(m, ExtensionType.SupportedVersions, 3, 3)),
        ["hello: legacy_version of TLS 1.1"] = (HandshakeType.ServerHello, TlsAlert.IllegalParameter, m => WithByte(m, 5, 2)),
        ["hello: a session id"] = (
            HandshakeType.ServerHello, TlsAlert.IllegalParameter, m => WithBytes(m, SessionIdOffset, 1, 1, 7)),
        ["hello: a suite not offered"] = (
            HandshakeType.ServerHello, TlsAlert.IllegalParameter, m => WithByte(m, SessionIdOffset + 2, 5)),
        ["hello: compression"] = (HandshakeType.ServerHello, TlsAlert.IllegalParameter, m => WithByte(m, SessionIdOffset + 3, 1)),
        ["hello: no key_share"] = (
            HandshakeType.ServerHello, TlsAlert.MissingExtension, m => WithoutExtension(m, ExtensionType.KeyShare)),
        ["hello: a share of another group"] = (
            HandshakeType.ServerHello, TlsAlert.IllegalParameter, m => WithExtension(m, ExtensionType.KeyShare, 0, 0x18, 0, 1, 4)),
        ["hello: a share that is no point"] = (
            HandshakeType.ServerHello, TlsAlert.IllegalParameter, m => WithBitFlipped(m, ^7)),
        ["hello: a key that was not offered"] = (
            HandshakeType.ServerHello, TlsAlert.IllegalParameter, m => WithExtension(m, ExtensionType.PreSharedKey, 0, 0)),
        ["hello: an extension not asked for"] = (
            HandshakeType.ServerHello, TlsAlert.UnsupportedExtension, m => WithExtension(m, (ExtensionType)0x4a4a)),
        ["hello: an extension of another message"] = (
            HandshakeType.ServerHello, TlsAlert.IllegalParameter,
            m => WithExtension(m, ExtensionType.ApplicationLayerProtocolNegotiation, 0, 2, 1, 7)),
        ["hello: a repeated extension"] = (
            HandshakeType.ServerHello, TlsAlert.IllegalParameter, m => WithExtensionTwice(m, ExtensionType.KeyShare)),
        ["hello: cut off"] = (HandshakeType.ServerHello, TlsAlert.DecodeError, m => Message(HandshakeType.ServerHello, m[4..30])),
        ["extensions: no transport parameters"] = (
            HandshakeType.EncryptedExtensions, TlsAlert.MissingExtension,
            m => WithoutExtension(m, ExtensionType.QuicTransportParameters)),
        ["extensions: no application protocol"] = (
            HandshakeType.EncryptedExtensions, TlsAlert.NoApplicationProtocol,
            m => WithoutExtension(m, ExtensionType.ApplicationLayerProtocolNegotiation)),
        ["extensions: another application protocol"] = (
            HandshakeType.EncryptedExtensions, TlsAlert.IllegalParameter,
            m => WithExtension(m, ExtensionType.ApplicationLayerProtocolNegotiation, 0, 3, 2, 1, 1)),
        ["extensions: two application protocols"] = (
            HandshakeType.EncryptedExtensions, TlsAlert.IllegalParameter,
            m => WithExtension(m, ExtensionType.ApplicationLayerProtocolNegotiation, 0, 4, 1, 1, 1, 2)),
        ["extensions: early data not offered"] = (
            HandshakeType.EncryptedExtensions, TlsAlert.UnsupportedExtension, m => WithExtension(m, ExtensionType.EarlyData)),
        ["extensions: a name in the acknowledgement"] = (
            HandshakeType.EncryptedExtensions, TlsAlert.DecodeError, m => WithExtension(m, ExtensionType.ServerName, 0)),
        ["extensions: one not asked for"] = (
            HandshakeType.EncryptedExtensions, TlsAlert.UnsupportedExtension, m => WithExtension(m, ExtensionType.MaxFragmentLength, 1)),
        ["extensions: one of another message"] = (
            HandshakeType.EncryptedExtensions, TlsAlert.IllegalParameter, m => WithExtension(m, ExtensionType.KeyShare, 0, 23)),
        ["extensions: a repeated one"] = (
            HandshakeType.EncryptedExtensions, TlsAlert.IllegalParameter,
            m => WithExtensionTwice(m, ExtensionType.QuicTransportParameters)),
        ["extensions: bytes after them"] = (HandshakeType.EncryptedExtensions, TlsAlert.DecodeError, m => WithBytes(m, m.Length, 0, 1)),
        ["request: no signature_algorithms"] = (
            HandshakeType.CertificateRequest, TlsAlert.MissingExtension, m => WithoutExtension(m, ExtensionType.SignatureAlgorithms)),
        ["request: a context"] = (HandshakeType.CertificateRequest, TlsAlert.IllegalParameter, m => WithBytes(m, 4, 1, 1, 7)),
        ["request: an extension of another message"] = (
            HandshakeType.CertificateRequest, TlsAlert.IllegalParameter, m => WithExtension(m, ExtensionType.KeyShare, 0, 23)),
        ["certificate: none"] = (
            HandshakeType.Certificate, TlsAlert.DecodeError, _ => Message(HandshakeType.Certificate, 0, 0, 0, 0)),
        ["certificate: a context"] = (HandshakeType.Certificate, TlsAlert.IllegalParameter, m => WithBytes(m, 4, 1, 1, 7)),
        ["certificate: not DER"] = (
            HandshakeType.Certificate, TlsAlert.BadCertificate, _ => Message(HandshakeType.Certificate, 0, 0, 0, 7, 0, 0, 2, 0x30, 0x82, 0, 0)),
        ["certificate: PEM"] = (
            HandshakeType.Certificate, TlsAlert.BadCertificate,
            _ => CertificateOf("-----BEGIN CERTIFICATE-----"u8.ToArray())),
        ["certificate: seventeen of them"] = (
            HandshakeType.Certificate, TlsAlert.BadCertificate, _ => CertificateOf([.. Enumerable.Repeat(TestCertificates.Root.RawData, 17)])),
        ["certificate: an extension"] = (
            HandshakeType.Certificate, TlsAlert.UnsupportedExtension,
            _ => Message(HandshakeType.Certificate, 0, 0, 0, 10, 0, 0, 1, 0x30, 0, 4, 0, 5, 0, 0)),
        ["proof: another signature"] = (HandshakeType.CertificateVerify, TlsAlert.DecryptError, m => WithBitFlipped(m, ^1)),
        ["proof: an algorithm not offered"] = (HandshakeType.CertificateVerify, TlsAlert.IllegalParameter, m => WithByte(m, 5, 9)),
        ["proof: PKCS#1"] = (HandshakeType.CertificateVerify, TlsAlert.IllegalParameter, m => WithByte(m, 5, 1)),
        ["proof: an algorithm of another key"] = (HandshakeType.CertificateVerify, TlsAlert.IllegalParameter, m => WithByte(m, 4, 5)),
        ["proof: cut off"] = (HandshakeType.CertificateVerify, TlsAlert.DecodeError, m => Message(HandshakeType.CertificateVerify, m[4..^1])),
        ["finished: another"] = (HandshakeType.Finished, TlsAlert.DecryptError, m => WithBitFlipped(m, ^1)),
        ["finished: too short"] = (HandshakeType.Finished, TlsAlert.DecodeError, m => Message(HandshakeType.Finished, m[4..^1])),
        ["finished: too long"] = (HandshakeType.Finished, TlsAlert.DecodeError, m => WithBytes(m, m.Length, 0, 1)),
    };

    private static readonly Dictionary<string, (TlsAlert Alert, Func<byte[], byte[]> Edit)> RetryEdits = new()
    {
        ["no change"] = (TlsAlert.IllegalParameter, m => WithoutExtension(m, ExtensionType.KeyShare)),
        ["the group already sent"] = (TlsAlert.IllegalParameter, m => WithExtension(m, ExtensionType.KeyShare, 0, 0x17)),
        ["a group not offered"] = (TlsAlert.IllegalParameter, m => WithExtension(m, ExtensionType.KeyShare, 0, 0x1d)),
        ["an empty cookie"] = (TlsAlert.DecodeError, m => WithExtension(m, ExtensionType.Cookie, 0, 0)),
        ["an extension of the hello"] = (TlsAlert.IllegalParameter, m => WithExtension(m, ExtensionType.PreSharedKey, 0, 0)),
        ["a suite not offered"] = (TlsAlert.IllegalParameter, m => WithByte(m, SessionIdOffset + 2, 5)),
    };

    public static IEnumerable<object[]> EditNames => Edits.Keys.Select(static name => new object[] { name });

    public static IEnumerable<object[]> RetryEditNames => RetryEdits.Keys.Select(static name => new object[] { name });

    [TestMethod]
    [DynamicData(nameof(EditNames))]
    public void A_bad_message_of_the_server_gets_its_alert(string name)
    {
        // The curve, since every 32 bytes are a share of X25519.
        using var pair = new TlsPair(
            TlsPair.ClientOptions(groups: [NamedGroup.Secp256r1]), TlsPair.ServerOptions(mode: ClientCertificateMode.Optional))
        {
            Tamper = (fromServer, _, message) =>
                fromServer && TypeOf(message) == Edits[name].Type ? Edits[name].Edit(message) : message,
        };
        AssertClientRefuses(pair, Edits[name].Alert, name);
    }

    [TestMethod]
    [DynamicData(nameof(RetryEditNames))]
    public void A_bad_HelloRetryRequest_gets_its_alert(string name)
    {
        using TlsPair pair = RetryPair(RetryEdits[name].Edit);
        AssertClientRefuses(pair, RetryEdits[name].Alert, name);
    }

    [TestMethod]
    public void A_second_HelloRetryRequest_is_unexpected()
    {
        using TlsPair pair = RetryPair(static message => message);
        byte[]? retry = null;
        pair.Tamper = (fromServer, _, message) =>
        {
            if (fromServer && TypeOf(message) == HandshakeType.ServerHello)
            {
                retry ??= message;
                return retry;
            }

            return message;
        };
        AssertClientRefuses(pair, TlsAlert.UnexpectedMessage, "second");
    }

    [TestMethod]
    public void A_hello_of_another_suite_than_the_retry_is_illegal()
    {
        int hellos = 0;
        using TlsPair pair = RetryPair(message => ++hellos == 1 ? message : WithByte(message, SessionIdOffset + 2, 2));
        AssertClientRefuses(pair, TlsAlert.IllegalParameter, "suite");
    }

    [TestMethod]
    public void A_certificate_for_another_name_is_bad() => AssertRefused(TestCertificates.WrongName, TlsAlert.BadCertificate);

    [TestMethod]
    public void An_expired_certificate_is_expired() => AssertRefused(TestCertificates.Expired, TlsAlert.CertificateExpired);

    [TestMethod]
    public void A_certificate_of_an_unknown_authority_is_unknown_ca() =>
        AssertRefused(TestCertificates.UnknownAuthority, TlsAlert.UnknownCa);

    [TestMethod]
    public void A_certificate_for_another_usage_is_unsupported() =>
        AssertRefused(TestCertificates.Client, TlsAlert.UnsupportedCertificate, "client.test");

    [TestMethod]
    public void A_certificate_for_an_address_does_not_serve_another_address() =>
        AssertRefused(TestCertificates.Address, TlsAlert.BadCertificate, "127.0.0.2");

    [TestMethod]
    public void A_client_without_a_host_accepts_no_certificate() =>
        AssertRefused(TestCertificates.P256, TlsAlert.BadCertificate, string.Empty);

    [TestMethod]
    public void A_key_that_is_not_pinned_is_refused()
    {
        CertificatePolicy policy = CertificatePolicy.ForServers(
            TestCertificates.Trust, pinnedPublicKeys: [CertificatePolicy.PublicKeyHash(TestCertificates.P384.Certificate)]);
        using var pair = new TlsPair(TlsPair.ClientOptions(policy: policy));
        AssertClientRefuses(pair, TlsAlert.CertificateUnknown, "pin");
    }

    [TestMethod]
    public void A_pinned_key_needs_no_authority_no_name_no_date_and_no_usage()
    {
        Run(TestCertificates.UnknownAuthority);
        Run(TestCertificates.WrongName);
        Run(TestCertificates.Expired);
        Run(TestCertificates.Client);

        static void Run(CertificateCredential credential)
        {
            CertificatePolicy policy = CertificatePolicy.ForServers(
                pinnedPublicKeys: [new byte[32], CertificatePolicy.PublicKeyHash(credential.Certificate)]);
            using var pair = new TlsPair(TlsPair.ClientOptions(policy: policy), TlsPair.ServerOptions(credential));
            HandshakeTests.AssertComplete(pair.Run());
        }
    }

    [TestMethod]
    public void The_applications_callback_has_the_last_word()
    {
        using TlsPair accepted = With(TestCertificates.UnknownAuthority, true);
        HandshakeTests.AssertComplete(accepted.Run());

        using TlsPair refused = With(TestCertificates.P256, false);
        AssertClientRefuses(refused, TlsAlert.CertificateUnknown, "refused");

        using TlsPair refusedAnyway = With(TestCertificates.UnknownAuthority, false);
        AssertClientRefuses(refusedAnyway, TlsAlert.UnknownCa, "refused for its reason");

        using TlsPair thrown = With(TestCertificates.P256, null);
        AssertClientRefuses(thrown, TlsAlert.InternalError, "thrown");

        static TlsPair With(CertificateCredential credential, bool? answer)
        {
            CertificatePolicy policy = CertificatePolicy.ForServers(
                TestCertificates.Trust,
                callback: (_, _, _, _) => answer ?? throw new InvalidOperationException("The database is gone."));
            return new TlsPair(TlsPair.ClientOptions(policy: policy), TlsPair.ServerOptions(credential));
        }
    }

    [TestMethod]
    public void A_session_ticket_that_is_malformed_or_limits_early_data_is_refused()
    {
        Run(m => Message(HandshakeType.NewSessionTicket, m[4..^1]), TlsError.Decode(string.Empty).Code);
        Run(m => WithExtension(m, ExtensionType.EarlyData, 0, 0, 1, 0), TransportErrorCode.ProtocolViolation);
        Run(m => WithExtension(m, ExtensionType.KeyShare, 0, 23), TlsError.Illegal(string.Empty).Code);

        static void Run(Func<byte[], byte[]> edit, TransportErrorCode expected)
        {
            using var pair = new TlsPair(serverOptions: TlsPair.ServerOptions(keys: TlsPair.Keys()))
            {
                Tamper = (_, level, message) => level == EncryptionLevel.Application ? edit(message) : message,
            };
            pair.Run();
            Assert.AreEqual(expected, pair.ClientError.Code);
            Assert.IsEmpty(pair.ClientHost.Tickets);
        }
    }

    [TestMethod]
    public void A_retry_for_the_group_of_a_share_that_was_sent_is_refused()
    {
        // RFC 8446 section 4.2.8: of any of the shares, not only of the first.
        foreach (NamedGroup group in new[] { NamedGroup.Secp256r1, TlsDefaults.Groups[0] })
        {
            using var pair = new TlsPair(TlsPair.ClientOptions(), TlsPair.ServerOptions(groups: [NamedGroup.Secp384r1]))
            {
                Tamper = (fromServer, _, message) => fromServer && TypeOf(message) == HandshakeType.ServerHello
                    ? WithExtension(message, ExtensionType.KeyShare, 0, (byte)group)
                    : message,
            };
            AssertClientRefuses(pair, TlsAlert.IllegalParameter, $"{group}");
        }
    }

    private static TlsPair RetryPair(Func<byte[], byte[]> edit) => new(
        TlsPair.ClientOptions(groups: [NamedGroup.Secp256r1, NamedGroup.Secp384r1]),
        TlsPair.ServerOptions(groups: [NamedGroup.Secp384r1]))
    {
        Tamper = (fromServer, _, message) =>
                fromServer && TypeOf(message) == HandshakeType.ServerHello ? edit(message) : message,
    };

    private static void AssertRefused(CertificateCredential credential, TlsAlert alert, string host = TestCertificates.Host)
    {
        using var pair = new TlsPair(TlsPair.ClientOptions(host: host), TlsPair.ServerOptions(credential));
        AssertClientRefuses(pair, alert, credential.Certificate.Subject);
    }

    private static void AssertClientRefuses(TlsPair pair, TlsAlert alert, string name)
    {
        pair.Run();
        Assert.AreEqual(
            TlsError.Alert(alert, string.Empty).Code, pair.ClientError.Code, $"{name}: {pair.ClientError}, server: {pair.ServerError}");
        Assert.IsFalse(pair.ClientHost.IsComplete, name);
    }

    private static byte[] Downgraded(byte[] message, byte last)
    {
        byte[] changed = WithoutExtension(message, ExtensionType.SupportedVersions);
        "DOWNGRD"u8.CopyTo(changed.AsSpan(RandomOffset + 24));
        return WithByte(changed, RandomOffset + 31, last);
    }

    private static byte[] CertificateOf(params byte[][] certificates)
    {
        var writer = new MessageWriter();
        return CertificateMessage.Write(writer, [.. certificates.Select(static c => (ReadOnlyMemory<byte>)c)]).ToArray();
    }
}
