using System.Security.Cryptography.X509Certificates;

namespace Post.Sockets;

/// <summary>Who the peer proved to be.</summary>
public sealed record PeerIdentity
{
    /// <summary>A peer that proved nothing.</summary>
    public static PeerIdentity Anonymous { get; } = new();

    /// <summary>How it was proven.</summary>
    public PeerProof Proof { get; init; }

    /// <summary>The validated name, with <see cref="PeerProof.CertificateAuthority"/>.</summary>
    public string? Name { get; init; }

    /// <summary>The fingerprint of the peer's public key; null for an anonymous peer.</summary>
    public KeyFingerprint? Key { get; init; }

    /// <summary>
    /// The peer's certificate. Null for an anonymous peer, for one that showed a bare key, and where a resumed session kept only the key. It belongs to the
    /// connection: copy it to keep it.
    /// </summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>
    /// The peer's public key, DER-encoded as SubjectPublicKeyInfo, where it showed its key without a certificate; empty for all others.
    /// </summary>
    public ReadOnlyMemory<byte> BareKey { get; init; }
}
