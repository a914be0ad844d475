using System.Security.Cryptography.X509Certificates;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Tls.Messages;

namespace Post.Quic.Engine.Tls.Certificates;

/// <summary>A peer's certificate, and what else it sent to build a chain with, which is not to be trusted.</summary>
internal sealed class PeerCertificateChain(X509Certificate2 certificate, X509Certificate2Collection others, CryptoProvider provider)
    : PeerCredential
{
    // .NET has no class for such a key; where there is one, it is judged as a bare key is.
    private readonly RawPublicKey? _ed25519 = SignatureSchemes.Ed25519KeyOf(certificate);

    public override CertificateType Type => CertificateType.X509;

    public override ReadOnlyMemory<byte> Encoded => certificate.RawDataMemory;

    public override X509Certificate2 Certificate => certificate;

    public X509Certificate2Collection Others => others;

    public override byte[] KeyHash() => _ed25519 is { } key ? key.Hash() : CertificatePolicy.PublicKeyHash(certificate);

    public override bool Fits(SignatureScheme scheme) =>
        _ed25519 is null ? SignatureSchemes.Fits(scheme, certificate) : scheme == SignatureScheme.Ed25519;

    public override bool Verify(SignatureScheme scheme, ReadOnlySpan<byte> content, ReadOnlySpan<byte> signature) =>
        _ed25519 is { } key
            ? Fits(scheme) && provider.FindSigning(KeyAlgorithm.Ed25519) is { } algorithm && algorithm.Verify(key, content, signature)
            : SignatureSchemes.Verify(certificate, scheme, content, signature);

    public override bool IsValidAt(DateTimeOffset time) => time.LocalDateTime <= certificate.NotAfter;

    public override CertificateValidationResult JudgeBy(CertificatePolicy policy, CertificateValidationRequest request) =>
        ChainJudge.Judge(policy, this, request);
}
