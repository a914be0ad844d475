using System.Security.Cryptography.X509Certificates;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Tls.Messages;

namespace Post.Quic.Engine.Tls.Certificates;

/// <summary>What a peer shows of itself: a chain of certificates, or a key without one (RFC 7250).</summary>
internal abstract class PeerCredential
{
    public abstract CertificateType Type { get; }

    /// <summary>The entry of the Certificate message that tells who the peer is, in DER: what tickets keep.</summary>
    public abstract ReadOnlyMemory<byte> Encoded { get; }

    /// <summary>The peer's own certificate; null where it shows none.</summary>
    public virtual X509Certificate2? Certificate => null;

    /// <summary>The key that it shows without a certificate; null where it shows one.</summary>
    public virtual RawPublicKey? RawKey => null;

    /// <summary>SHA-256 over the key's SubjectPublicKeyInfo, by which keys are pinned.</summary>
    public abstract byte[] KeyHash();

    /// <summary>Whether its key is of the kind that the scheme names.</summary>
    public abstract bool Fits(SignatureScheme scheme);

    /// <summary>Whether the owner of its key signed the content.</summary>
    public abstract bool Verify(SignatureScheme scheme, ReadOnlySpan<byte> content, ReadOnlySpan<byte> signature);

    /// <summary>Whether it is still valid, where it says until when. A resumed session shows nothing, so that its ticket is asked.</summary>
    public abstract bool IsValidAt(DateTimeOffset time);

    /// <summary>The verdict of the rules for its kind, where no pinned key decides.</summary>
    public abstract CertificateValidationResult JudgeBy(CertificatePolicy policy, CertificateValidationRequest request);
}
