using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Crypto.Providers;
using Post.Quic.Engine.Tls.Certificates;
using Post.Quic.Engine.Tls.Keys;
using Post.Quic.Engine.Tls.Messages;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tests.Tls;

/// <summary>
/// RFC 8448's traces. They are of TLS over TCP: the key schedule, transcripts, binders, signatures and parsers are the
/// same, and their records are opened with the secrets found here.
/// </summary>
[TestClass]
public sealed class Rfc8448Tests
{
    private const CipherSuite Suite = CipherSuite.Aes128GcmSha256;

    [TestMethod]
    public void A_simple_handshake_gives_the_secrets_of_section_3()
    {
        using var trace = new Trace(default);
        trace.Add(Rfc8448.SimpleClientHello);
        trace.SelectSuite();
        trace.Add(Rfc8448.SimpleServerHello);
        trace.Schedule.EnterHandshake(Hex(Rfc8448.SimpleSharedSecret));
        using SecretBuffer client = trace.Derive("c hs traffic"u8);
        using SecretBuffer server = trace.Derive("s hs traffic"u8);
        AssertHex("b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21", client.Span);
        AssertHex("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38", server.Span);

        trace.Add(Rfc8448.SimpleEncryptedExtensions, Rfc8448.RsaCertificate);
        AssertRsaSignature(Rfc8448.SimpleCertificateVerify, trace);
        trace.Add(Rfc8448.SimpleCertificateVerify);
        AssertFinished(Rfc8448.SimpleServerFinished, trace, server);
        trace.Add(Rfc8448.SimpleServerFinished);

        trace.Schedule.EnterMaster();
        using SecretBuffer clientApplication = trace.Derive("c ap traffic"u8);
        using SecretBuffer serverApplication = trace.Derive("s ap traffic"u8);
        using SecretBuffer exporter = trace.Derive("exp master"u8);
        AssertHex("9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5", clientApplication.Span);
        AssertHex("a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643", serverApplication.Span);
        AssertHex("fe22f881176eda18eb8f44529e6792c50c9a3f89452f68d8ae311b4309d3cf50", exporter.Span);

        byte[] finished = Open(Rfc8448.SimpleClientRecord, client, 0);
        AssertFinished(Convert.ToHexString(finished), trace, client);
        trace.Add(Convert.ToHexString(finished));
        using SecretBuffer resumption = trace.Derive("res master"u8);
        AssertHex("7df235f2031d2a051287d02b0241b0bfdaf86cc856231f2d5aba46c434ec196c", resumption.Span);

        byte[] ticket = Open(Rfc8448.SimpleTicketRecord, serverApplication, 0);

        // The trace's ticket allows 1024 bytes of early data, as only TLS over TCP can: QUIC's parser must say no.
        Assert.AreEqual(TransportErrorCode.ProtocolViolation, NewSessionTicketMessage.Parse(ticket, out _).Code);
        ticket.AsSpan(ticket.Length - 4).Fill(0xff);
        Assert.IsFalse(NewSessionTicketMessage.Parse(ticket, out NewSessionTicketMessage parsed).IsError);
        using SecretBuffer key = trace.Schedule.TicketSecret(resumption.Span, parsed.Nonce);
        AssertHex(Rfc8448.TicketSecret, key.Span);
        byte[] data = Open(Rfc8448.SimpleClientDataRecord, clientApplication, 0);
        CollectionAssert.AreEqual(Enumerable.Range(0, 50).Select(static i => (byte)i).ToArray(), data);
    }

    [TestMethod]
    public void A_resumption_with_early_data_gives_the_binder_and_secrets_of_section_4()
    {
        using var trace = new Trace(Hex(Rfc8448.TicketSecret));
        byte[] hello = Hex(Rfc8448.ResumedClientHello);
        byte[] body = MessageEdit.Extension(hello, ExtensionType.PreSharedKey);
        Assert.IsFalse(PreSharedKeys.Parse(body, out PreSharedKeys keys).IsError);
        Assert.IsTrue(keys.TryGet(0, out _, out _, out ReadOnlySpan<byte> binder));
        Span<byte> hash = stackalloc byte[32];
        trace.Transcript.WithPartial(Suite, hello.AsSpan(..^keys.BindersLength), hash);
        AssertHex("63224b2e4573f2d3454ca84b9d009a04f6be9e05711a8396473aefa01e924a14", hash);
        using SecretBuffer binderKey = trace.Schedule.DeriveWithoutMessages("res binder"u8);
        Span<byte> expected = stackalloc byte[32];
        trace.Schedule.FinishedMac(binderKey.Span, hash, expected);
        AssertHex(Convert.ToHexStringLower(binder), expected);

        trace.Add(Rfc8448.ResumedClientHello);
        trace.SelectSuite();
        using SecretBuffer early = trace.Derive("c e traffic"u8);
        CollectionAssert.AreEqual("ABCDEF"u8.ToArray(), Open(Rfc8448.ResumedEarlyDataRecord, early, 0));
        byte[] endOfEarlyData = Open(Rfc8448.ResumedEndOfEarlyDataRecord, early, 1);

        trace.Add(Rfc8448.ResumedServerHello);
        trace.Schedule.EnterHandshake(Hex(Rfc8448.ResumedSharedSecret));
        using SecretBuffer client = trace.Derive("c hs traffic"u8);
        using SecretBuffer server = trace.Derive("s hs traffic"u8);
        trace.Add(Rfc8448.ResumedEncryptedExtensions);
        AssertFinished(Rfc8448.ResumedServerFinished, trace, server);
        trace.Add(Rfc8448.ResumedServerFinished, Convert.ToHexString(endOfEarlyData));
        AssertFinished(Convert.ToHexString(Open(Rfc8448.ResumedClientRecord, client, 0)), trace, client);
    }

    [TestMethod]
    public void A_retry_gives_the_transcript_and_secrets_of_section_5()
    {
        using var trace = new Trace(default);
        trace.Add(Rfc8448.RetryClientHello1);
        trace.SelectSuite();
        trace.Transcript.ReplaceWithMessageHash();
        Assert.IsFalse(ServerHello.Parse(Hex(Rfc8448.RetryRequest), out ServerHello retry).IsError);
        Assert.IsTrue(retry.IsRetry);
        trace.Add(Rfc8448.RetryRequest, Rfc8448.RetryClientHello2, Rfc8448.RetryServerHello);
        trace.Schedule.EnterHandshake(AgreeOnSecret());
        using SecretBuffer client = trace.Derive("c hs traffic"u8);
        using SecretBuffer server = trace.Derive("s hs traffic"u8);
        trace.Add(Rfc8448.RetryEncryptedExtensions, Rfc8448.RsaCertificate);
        AssertRsaSignature(Rfc8448.RetryCertificateVerify, trace);
        trace.Add(Rfc8448.RetryCertificateVerify);
        AssertFinished(Rfc8448.RetryServerFinished, trace, server);
        trace.Add(Rfc8448.RetryServerFinished);
        AssertFinished(Convert.ToHexString(Open(Rfc8448.RetryClientRecord, client, 0)), trace, client);
    }

    [TestMethod]
    public void Both_sides_of_section_6_prove_their_certificates()
    {
        using var trace = new Trace(default);
        trace.Add(Rfc8448.AuthClientHello);
        trace.SelectSuite();
        trace.Add(Rfc8448.AuthServerHello);
        trace.Schedule.EnterHandshake(Hex(Rfc8448.AuthSharedSecret));
        using SecretBuffer client = trace.Derive("c hs traffic"u8);
        using SecretBuffer server = trace.Derive("s hs traffic"u8);
        Assert.IsFalse(CertificateRequestMessage.Parse(
            Hex(Rfc8448.AuthCertificateRequest), out ReadOnlySpan<byte> schemes, out _).IsError);
        Assert.IsTrue(VectorReading.ContainsNumber(schemes, (ushort)SignatureScheme.RsaPssRsaeSha256));
        trace.Add(Rfc8448.AuthEncryptedExtensions, Rfc8448.AuthCertificateRequest, Rfc8448.AuthCertificate);
        Assert.IsFalse(CertificateMessage.Parse(Hex(Rfc8448.AuthCertificate), out List<byte[]> chain).IsError);
        Assert.IsFalse(PeerCredentialParser.Parse(
            CertificateType.X509, chain, CryptoProviderFactory.Default, out PeerCredential? peer).IsError);
        TransportError error = CertificateVerifyMessage.Check(
            Hex(Rfc8448.AuthCertificateVerify), peer!, isServer: true, trace.Transcript, CryptoProviderFactory.Default);
        Assert.IsFalse(error.IsError, error.ToString());
        trace.Add(Rfc8448.AuthCertificateVerify);
        AssertFinished(Rfc8448.AuthServerFinished, trace, server);
        trace.Add(Rfc8448.AuthServerFinished);

        byte[] flight = Open(Rfc8448.AuthClientRecord, client, 0);
        var assembler = new HandshakeAssembler();
        assembler.Append(flight);
        Assert.AreEqual(HandshakeType.Certificate, Next(assembler, out byte[] message));
        trace.Add(Convert.ToHexString(message));
        Assert.AreEqual(HandshakeType.CertificateVerify, Next(assembler, out message));
        trace.Add(Convert.ToHexString(message));
        Assert.AreEqual(HandshakeType.Finished, Next(assembler, out message));
        AssertFinished(Convert.ToHexString(message), trace, client);
        Assert.IsTrue(assembler.IsEmpty);
    }

    /// <summary>The traces' RSA key has 1024 bits, which the engine refuses; the platform says that it fits all the same.</summary>
    private static void AssertRsaSignature(string message, Trace trace)
    {
        CertificateMessage.Parse(Hex(Rfc8448.RsaCertificate), out List<byte[]> chain);
        using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(chain[0]);
        Assert.IsFalse(SignatureSchemes.CanSign(certificate));
        byte[] hash = new byte[32];
        trace.Transcript.Current(hash);
        byte[] content = [.. Enumerable.Repeat((byte)0x20, 64), .. "TLS 1.3, server CertificateVerify\0"u8, .. hash];
        Assert.IsTrue(SignatureSchemes.Verify(certificate, SignatureScheme.RsaPssRsaeSha256, content, Hex(message).AsSpan(8)));
    }

    private static void AssertFinished(string message, Trace trace, SecretBuffer baseKey)
    {
        Span<byte> hash = stackalloc byte[32];
        Span<byte> mac = stackalloc byte[32];
        trace.Transcript.Current(hash);
        trace.Schedule.FinishedMac(baseKey.Span, hash, mac);
        AssertHex(message[8..].ToLowerInvariant(), mac);
    }

    private static HandshakeType Next(HandshakeAssembler assembler, out byte[] message)
    {
        Assert.IsTrue(assembler.TryPeek(out HandshakeType type, out int length));
        Assert.IsTrue(assembler.TryTake(length, out ReadOnlySpan<byte> bytes));
        message = bytes.ToArray();
        return type;
    }

    private static byte[] AgreeOnSecret()
    {
        byte[] share = MessageEdit.Extension(Hex(Rfc8448.RetryClientHello2), ExtensionType.KeyShare)[7..];
        using ECDiffieHellman key = ECDiffieHellman.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            D = Hex(Rfc8448.RetryClientPrivateKey),
            Q = new ECPoint { X = share[..32], Y = share[32..] },
        });
        byte[] peer = MessageEdit.Extension(Hex(Rfc8448.RetryServerHello), ExtensionType.KeyShare)[5..];
        using ECDiffieHellman server = ECDiffieHellman.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            Q = new ECPoint { X = peer[..32], Y = peer[32..] },
        });
        return key.DeriveRawSecretAgreement(server.PublicKey);
    }

    /// <summary>Opens a record of TLS over TCP: AEAD, then the type at the end is cut off.</summary>
    private static byte[] Open(string record, SecretBuffer secret, ulong number)
    {
        byte[] bytes = Hex(record);
        Span<byte> key = stackalloc byte[16];
        Span<byte> nonce = stackalloc byte[12];
        Hkdf.ExpandLabel(HashAlgorithmName.SHA256, secret.Span, "key"u8, default, key);
        Hkdf.ExpandLabel(HashAlgorithmName.SHA256, secret.Span, "iv"u8, default, nonce);
        nonce[11] ^= (byte)number;
        using var cipher = new AesGcm(key, 16);
        byte[] plain = new byte[bytes.Length - 5 - 16];
        cipher.Decrypt(nonce, bytes.AsSpan(5..^16), bytes.AsSpan(^16..), plain, bytes.AsSpan(0, 5));
        return plain[..^1];
    }

    private static byte[] Hex(string hex) => Convert.FromHexString(hex);

    private static void AssertHex(string expected, ReadOnlySpan<byte> actual) =>
        Assert.AreEqual(expected, Convert.ToHexStringLower(actual));

    /// <summary>A transcript and the schedule beside it.</summary>
    private sealed class Trace(ReadOnlyMemory<byte> preSharedKey) : IDisposable
    {
        public Transcript Transcript { get; } = new();

        public KeySchedule Schedule { get; } = new(Suite, preSharedKey.Span);

        public void Add(params string[] messages)
        {
            foreach (string message in messages)
            {
                Transcript.Add(Hex(message));
            }
        }

        public void SelectSuite() => Transcript.Select(Suite);

        public SecretBuffer Derive(ReadOnlySpan<byte> label)
        {
            Span<byte> hash = stackalloc byte[32];
            Transcript.Current(hash);
            return Schedule.Derive(label, hash);
        }

        public void Dispose()
        {
            Transcript.Dispose();
            Schedule.Dispose();
        }
    }
}
