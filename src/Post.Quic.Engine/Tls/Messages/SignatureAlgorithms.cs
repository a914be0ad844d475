using Post.Quic.Engine.Crypto;

namespace Post.Quic.Engine.Tls.Messages;

/// <summary>The signature_algorithms extension as both ends send it (RFC 8446 section 4.2.3).</summary>
internal static class SignatureAlgorithms
{
    private static readonly SignatureScheme[] Handshake =
    [
        SignatureScheme.EcdsaSecp256r1Sha256,
        SignatureScheme.EcdsaSecp384r1Sha384,
        SignatureScheme.EcdsaSecp521r1Sha512,
        SignatureScheme.RsaPssRsaeSha256,
        SignatureScheme.RsaPssRsaeSha384,
        SignatureScheme.RsaPssRsaeSha512,
    ];

    private static readonly SignatureScheme[] HandshakeWithEd25519 = [.. Handshake[..3], SignatureScheme.Ed25519, .. Handshake[3..]];

    private static readonly SignatureScheme[] CertificatesOnly =
    [
        SignatureScheme.RsaPkcs1Sha256,
        SignatureScheme.RsaPkcs1Sha384,
        SignatureScheme.RsaPkcs1Sha512,
    ];

    /// <summary>Those of <see cref="ForHandshake"/> that the platform's certificates with their keys can sign with.</summary>
    public static ReadOnlySpan<SignatureScheme> OfCertificates => Handshake;

    /// <summary>
    /// The schemes that may sign a handshake, in order of preference. RFC 8446 section 4.2.3: PKCS#1 v1.5 is for the signatures
    /// in certificates, never for the handshake.
    /// </summary>
    public static ReadOnlySpan<SignatureScheme> ForHandshake(CryptoProvider provider) =>
        provider.FindSigning(KeyAlgorithm.Ed25519) is null ? Handshake : HandshakeWithEd25519;

    public static void Write(MessageWriter writer, CryptoProvider provider)
    {
        int extension = writer.BeginExtension(ExtensionType.SignatureAlgorithms);
        int list = writer.Begin(2);
        foreach (SignatureScheme scheme in ForHandshake(provider))
        {
            writer.WriteUInt16((ushort)scheme);
        }

        foreach (SignatureScheme scheme in CertificatesOnly)
        {
            writer.WriteUInt16((ushort)scheme);
        }

        writer.End(list, 2);
        writer.End(extension, 2);
    }
}
