using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Tls.Messages;

namespace Post.Quic.Engine.Tls.Certificates;

/// <summary>A peer's key without a certificate. It has no name, no date and no authority: the key is all there is to judge.</summary>
internal sealed class PeerRawKey(RawPublicKey key, SigningAlgorithm algorithm) : PeerCredential
{
    public override CertificateType Type => CertificateType.RawPublicKey;

    public override ReadOnlyMemory<byte> Encoded => key.Encoded;

    public override RawPublicKey RawKey => key;

    public override byte[] KeyHash() => key.Hash();

    public override bool Fits(SignatureScheme scheme) => scheme == SignatureSchemes.Of(key.Algorithm);

    public override bool Verify(SignatureScheme scheme, ReadOnlySpan<byte> content, ReadOnlySpan<byte> signature) =>
        Fits(scheme) && algorithm.Verify(key, content, signature);

    public override bool IsValidAt(DateTimeOffset time) => true;

    public override CertificateValidationResult JudgeBy(CertificatePolicy policy, CertificateValidationRequest request) =>
        policy.JudgeKey(this);
}
