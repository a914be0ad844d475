using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Tls.Messages;

namespace Post.Quic.Engine.Tls.Certificates;

/// <summary>A key of ours without a certificate.</summary>
internal sealed class RawKeyCredential(SigningKey key) : Credential
{
    public override CertificateType Type => CertificateType.RawPublicKey;

    public override IReadOnlyList<ReadOnlyMemory<byte>> Entries { get; } = [key.PublicKey.Encoded];

    public override bool TrySelect(ReadOnlySpan<byte> peerSchemes, out SignatureScheme scheme)
    {
        scheme = SignatureSchemes.Of(key.PublicKey.Algorithm);
        return VectorReading.ContainsNumber(peerSchemes, (ushort)scheme);
    }

    public override byte[] Sign(SignatureScheme scheme, ReadOnlySpan<byte> content) => key.Sign(content);
}
