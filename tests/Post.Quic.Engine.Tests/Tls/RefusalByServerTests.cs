using System.Net.Security;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Tls;
using Post.Quic.Engine.Tls.Alerts;
using Post.Quic.Engine.Tls.Certificates;
using Post.Quic.Engine.Tls.Messages;
using Post.Quic.Engine.Wire;
using static Post.Quic.Engine.Tests.Tls.MessageEdit;

namespace Post.Quic.Engine.Tests.Tls;

[TestClass]
public sealed class RefusalByServerTests
{
    private const int SessionIdOffset = HandshakeAssembler.HeaderLength + 2 + 32;

    private static readonly Dictionary<string, (TlsAlert Alert, Func<byte[], byte[]> Edit)> HelloEdits = new()
    {
        ["no supported_versions"] = (TlsAlert.ProtocolVersion, m => WithoutExtension(m, ExtensionType.SupportedVersions)),
        ["only TLS 1.2"] = (TlsAlert.ProtocolVersion, m => WithExtension(m, ExtensionType.SupportedVersions, 2, 3, 3)),
        ["supported_versions cut off"] = (TlsAlert.DecodeError, m => WithExtension(m, ExtensionType.SupportedVersions, 2, 3)),
        ["no extensions at all"] = (TlsAlert.ProtocolVersion, Bare),
        ["legacy_version of TLS 1.1"] = (TlsAlert.IllegalParameter, m => WithByte(m, 5, 2)),
        ["compression"] = (TlsAlert.IllegalParameter, m => WithCompression(m, 1)),
        ["no transport parameters"] = (TlsAlert.MissingExtension, m => WithoutExtension(m, ExtensionType.QuicTransportParameters)),
        ["no application protocols"] =
            (TlsAlert.NoApplicationProtocol, m => WithoutExtension(m, ExtensionType.ApplicationLayerProtocolNegotiation)),
        ["an empty application protocol"] =
            (TlsAlert.DecodeError, m => WithExtension(m, ExtensionType.ApplicationLayerProtocolNegotiation, 0, 1, 0)),
        ["no supported_groups"] = (TlsAlert.MissingExtension, m => WithoutExtension(m, ExtensionType.SupportedGroups)),
        ["no key_share"] = (TlsAlert.MissingExtension, m => WithoutExtension(m, ExtensionType.KeyShare)),
        ["no signature_algorithms"] = (TlsAlert.MissingExtension, m => WithoutExtension(m, ExtensionType.SignatureAlgorithms)),
        ["odd signature_algorithms"] = (TlsAlert.DecodeError, m => WithExtension(m, ExtensionType.SignatureAlgorithms, 0, 3, 4, 3, 5)),
        ["only RSA signatures"] = (TlsAlert.HandshakeFailure, m => WithExtension(m, ExtensionType.SignatureAlgorithms, 0, 2, 8, 4)),
        ["a repeated extension"] = (TlsAlert.IllegalParameter, m => WithExtensionTwice(m, ExtensionType.KeyShare)),
        ["a repeated unknown extension"] = (TlsAlert.IllegalParameter, m => WithExtensionTwice(
            WithExtension(m, (ExtensionType)0x4a4a), (ExtensionType)0x4a4a)),
        ["65 extensions"] = (TlsAlert.IllegalParameter, m => Enumerable.Range(0x5000, 65).Aggregate(
            m, (hello, type) => WithExtension(hello, (ExtensionType)type))),
        ["an extension of another message"] = (TlsAlert.IllegalParameter, m => WithExtension(m, ExtensionType.OidFilters, 0, 0)),
        ["a share that is no point"] = (TlsAlert.IllegalParameter, m => WithBitFlippedIn(m, ExtensionType.KeyShare, ^1)),
        ["a compressed share"] = (TlsAlert.IllegalParameter, m => WithByteIn(m, ExtensionType.KeyShare, 6, 2)),
        ["an empty share"] = (TlsAlert.DecodeError, m => WithExtension(m, ExtensionType.KeyShare, 0, 4, 0, 0x17, 0, 0)),
        ["a share twice"] = (TlsAlert.IllegalParameter, WithShareTwice),
        ["a share of a group not offered"] =
            (TlsAlert.IllegalParameter, m => WithExtension(m, ExtensionType.KeyShare, 0, 5, 0, 0x19, 0, 1, 4)),
        ["no common group"] = (TlsAlert.HandshakeFailure, m => WithExtension(
            WithExtension(m, ExtensionType.SupportedGroups, 0, 2, 0, 0x1e), ExtensionType.KeyShare, 0, 5, 0, 0x1e, 0, 1, 4)),
        ["no common suite"] = (TlsAlert.HandshakeFailure, WithUnknownSuites),
        ["a name that is empty"] = (TlsAlert.DecodeError, m => WithExtension(m, ExtensionType.ServerName, 0, 3, 0, 0, 0)),
        ["a name with a zero byte"] =
            (TlsAlert.IllegalParameter, m => WithExtension(m, ExtensionType.ServerName, 0, 5, 0, 0, 2, (byte)'a', 0)),
        ["two names"] = (TlsAlert.IllegalParameter, m => WithExtension(
            m, ExtensionType.ServerName, 0, 8, 0, 0, 1, (byte)'a', 0, 0, 1, (byte)'b')),
        ["early data without a key"] = (TlsAlert.IllegalParameter, m => WithExtension(m, ExtensionType.EarlyData)),
        ["a key that is not last"] = (TlsAlert.IllegalParameter, m => WithExtensionFirst(m, ExtensionType.PreSharedKey, FakeKey)),
        ["a key without modes"] = (TlsAlert.MissingExtension, m => WithExtension(
            WithoutExtension(m, ExtensionType.PskKeyExchangeModes), ExtensionType.PreSharedKey, FakeKey)),
        ["a key without its binder"] = (TlsAlert.IllegalParameter, m => WithExtension(m, ExtensionType.PreSharedKey, FakeKeys)),
        ["bytes after the extensions"] = (TlsAlert.DecodeError, m => WithBytes(m, m.Length, 0, 1)),
        ["cut off in the suites"] = (TlsAlert.DecodeError, m => Message(HandshakeType.ClientHello, m[4..42])),
    };

    private static readonly Dictionary<string, Func<byte[], byte[]>> SecondHelloEdits = new()
    {
        ["another random"] = m => WithBitFlipped(m, 10),
        ["another suite"] = m => WithBitFlipped(m, SessionIdOffset + 4),
        ["another name"] = m => WithBitFlippedIn(m, ExtensionType.ServerName, ^1),
        ["other transport parameters"] = m => WithExtension(m, ExtensionType.QuicTransportParameters, 4, 4, 4),
        ["one extension more"] = m => WithExtension(m, (ExtensionType)0x4a4a),
        ["one extension less"] = m => WithoutExtension(m, ExtensionType.PskKeyExchangeModes),
        ["an unasked cookie"] = m => WithExtension(m, ExtensionType.Cookie, 0, 1, 7),
        ["the share of before"] = m => WithExtension(m, ExtensionType.KeyShare, 0, 5, 0, 0x17, 0, 1, 4),
    };

    private static byte[] FakeKey => [0, 7, 0, 1, 9, 0, 0, 0, 0, 0, 33, 32, .. new byte[32]];

    private static byte[] FakeKeys => [0, 14, 0, 1, 9, 0, 0, 0, 0, 0, 1, 9, 0, 0, 0, 0, 0, 33, 32, .. new byte[32]];

    public static IEnumerable<object[]> HelloEditNames => HelloEdits.Keys.Select(static name => new object[] { name });

    public static IEnumerable<object[]> SecondHelloEditNames => SecondHelloEdits.Keys.Select(static name => new object[] { name });

    [TestMethod]
    [DynamicData(nameof(HelloEditNames))]
    public void A_bad_ClientHello_gets_its_alert(string name)
    {
        // The curve, since every 32 bytes are a share of X25519.
        using var pair = new TlsPair(TlsPair.ClientOptions(groups: [NamedGroup.Secp256r1]))
        {
            Tamper = (fromServer, _, message) => fromServer ? message : HelloEdits[name].Edit(message),
        };
        AssertServerRefuses(pair, HelloEdits[name].Alert, name);
    }

    [TestMethod]
    [DynamicData(nameof(SecondHelloEditNames))]
    public void A_second_ClientHello_that_differs_is_illegal(string name)
    {
        int hellos = 0;
        using var pair = new TlsPair(
            TlsPair.ClientOptions(groups: [NamedGroup.Secp256r1, NamedGroup.Secp384r1]),
            TlsPair.ServerOptions(groups: [NamedGroup.Secp384r1]))
        {
            Tamper = (fromServer, _, message) => fromServer || ++hellos == 1 ? message : SecondHelloEdits[name](message),
        };
        AssertServerRefuses(pair, TlsAlert.IllegalParameter, name);
    }

    [TestMethod]
    public void A_cookie_that_does_not_come_back_as_sent_is_refused()
    {
        foreach ((TlsAlert alert, Func<byte[], byte[]> edit) in new (TlsAlert, Func<byte[], byte[]>)[]
        {
            (TlsAlert.MissingExtension, m => WithoutExtension(m, ExtensionType.Cookie)),
            (TlsAlert.IllegalParameter, m => WithBitFlippedIn(m, ExtensionType.Cookie, ^1)),
        })
        {
            int hellos = 0;
            using var pair = new TlsPair(
                TlsPair.ClientOptions(groups: [NamedGroup.Secp256r1, NamedGroup.Secp384r1]),
                TlsPair.ServerOptions(groups: [NamedGroup.Secp384r1], cookie: [1, 2, 3]))
            {
                Tamper = (fromServer, _, message) => fromServer || ++hellos == 1 ? message : edit(message),
            };
            AssertServerRefuses(pair, alert, "cookie");
        }
    }

    [TestMethod]
    public void A_session_id_is_a_protocol_violation()
    {
        using var pair = new TlsPair
        {
            Tamper = (fromServer, _, message) => fromServer ? message : WithBytes(message, SessionIdOffset, 1, 1, 7),
        };
        pair.Run();
        Assert.AreEqual(TransportErrorCode.ProtocolViolation, pair.ServerError.Code);
    }

    [TestMethod]
    public void No_common_application_protocol_is_no_application_protocol()
    {
        using var pair = new TlsPair(TlsPair.ClientOptions(protocols: [SslApplicationProtocol.Http3]));
        AssertServerRefuses(pair, TlsAlert.NoApplicationProtocol, "protocols");
    }

    [TestMethod]
    public void No_common_cipher_suite_is_handshake_failure()
    {
        using var pair = new TlsPair(
            TlsPair.ClientOptions(suites: [CipherSuite.Aes256GcmSha384]),
            TlsPair.ServerOptions(suites: [CipherSuite.Aes128GcmSha256]));
        AssertServerRefuses(pair, TlsAlert.HandshakeFailure, "suites");
    }

    [TestMethod]
    public void A_name_without_a_certificate_is_unrecognized()
    {
        var options = new TlsServerOptions { ApplicationProtocols = [TlsPair.Protocol], SelectCredential = _ => null };
        using var pair = new TlsPair(serverOptions: options);
        AssertServerRefuses(pair, TlsAlert.UnrecognizedName, "name");
    }

    [TestMethod]
    public void A_selection_that_throws_is_our_internal_error()
    {
        var options = new TlsServerOptions
        {
            ApplicationProtocols = [TlsPair.Protocol],
            SelectCredential = _ => throw new InvalidOperationException("The disk is gone."),
        };
        using var pair = new TlsPair(serverOptions: options);
        AssertServerRefuses(pair, TlsAlert.InternalError, "selection");
    }

    [TestMethod]
    public void A_missing_client_certificate_is_certificate_required()
    {
        using var pair = new TlsPair(serverOptions: TlsPair.ServerOptions(mode: ClientCertificateMode.Required));
        AssertServerRefuses(pair, TlsAlert.CertificateRequired, "required");
    }

    [TestMethod]
    public void A_client_certificate_for_another_usage_is_unsupported()
    {
        using var pair = new TlsPair(
            TlsPair.ClientOptions(credential: TestCertificates.P256),
            TlsPair.ServerOptions(mode: ClientCertificateMode.Required));
        AssertServerRefuses(pair, TlsAlert.UnsupportedCertificate, "usage");
    }

    [TestMethod]
    public void A_client_whose_proof_is_wrong_is_refused_with_decrypt_error()
    {
        foreach (HandshakeType type in new[] { HandshakeType.CertificateVerify, HandshakeType.Finished })
        {
            using var pair = new TlsPair(
                TlsPair.ClientOptions(credential: TestCertificates.Client),
                TlsPair.ServerOptions(mode: ClientCertificateMode.Optional))
            {
                Tamper = (fromServer, _, message) =>
                    !fromServer && TypeOf(message) == type ? WithBitFlipped(message, ^1) : message,
            };
            AssertServerRefuses(pair, TlsAlert.DecryptError, type.ToString());
        }
    }

    [TestMethod]
    public void Bytes_after_the_hello_that_changes_the_keys_are_a_protocol_violation()
    {
        using var pair = new TlsPair { Tamper = (fromServer, _, message) => fromServer ? message : [.. message, 1] };
        pair.Run();
        Assert.AreEqual(TransportErrorCode.ProtocolViolation, pair.ServerError.Code);
    }

    [TestMethod]
    public void Transport_parameters_that_the_connection_refuses_end_the_handshake()
    {
        var refusal = new TransportError(TransportErrorCode.TransportParameterError, "bad");
        using var server = new TlsServer(
            new TestTlsHost { TransportParametersAnswer = refusal }, SystemRandomSource.Instance, default);
        using var pair = new TlsPair();
        pair.Client.Start(0);
        (EncryptionLevel level, byte[] hello) = pair.ClientHost.Outgoing.Dequeue();
        Assert.AreEqual(refusal, server.Receive(level, hello, 0));
    }

    private static void AssertServerRefuses(TlsPair pair, TlsAlert alert, string name)
    {
        pair.Run();
        Assert.AreEqual(
            TlsError.Alert(alert, string.Empty).Code, pair.ServerError.Code, $"{name}: {pair.ServerError}, client: {pair.ClientError}");
        Assert.IsFalse(pair.ServerHost.IsComplete, name);
    }

    private static byte[] WithBitFlippedIn(byte[] message, ExtensionType type, Index index) =>
        WithExtension(message, type, WithBitFlipped(Extension(message, type), index));

    private static byte[] WithByteIn(byte[] message, ExtensionType type, Index index, byte value) =>
        WithExtension(message, type, WithByte(Extension(message, type), index, value));

    private static byte[] WithShareTwice(byte[] message)
    {
        byte[] share = Extension(message, ExtensionType.KeyShare)[2..];
        return WithExtension(
            message, ExtensionType.KeyShare, [(byte)(2 * share.Length >> 8), (byte)(2 * share.Length), .. share, .. share]);
    }

    private static byte[] WithUnknownSuites(byte[] message)
    {
        byte[] changed = [.. message];
        for (int i = SessionIdOffset + 3; changed[i] == 0x13; i += 2)
        {
            changed[i] = 0xee;
        }

        return changed;
    }

    private static byte[] WithCompression(byte[] message, byte method)
    {
        int suites = (message[SessionIdOffset + 1] << 8) | message[SessionIdOffset + 2];
        return WithByte(message, SessionIdOffset + 3 + suites + 1, method);
    }

    /// <summary>A hello of the time before extensions.</summary>
    private static byte[] Bare(byte[] message)
    {
        int suites = (message[SessionIdOffset + 1] << 8) | message[SessionIdOffset + 2];
        return Message(HandshakeType.ClientHello, message[HandshakeAssembler.HeaderLength..(SessionIdOffset + 3 + suites + 2)]);
    }
}
