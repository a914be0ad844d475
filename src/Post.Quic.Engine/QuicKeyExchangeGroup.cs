using Post.Quic.Engine.Crypto;

namespace Post.Quic.Engine;

/// <summary>How both sides agree on the keys of a connection: the named groups of TLS 1.3 (RFC 8446 section 4.2.7).</summary>
public enum QuicKeyExchangeGroup
{
    /// <summary>NIST P-256: on every platform.</summary>
    Secp256r1 = NamedGroup.Secp256r1,

    /// <summary>NIST P-384: on every platform; some ten times the cost of the other two.</summary>
    Secp384r1 = NamedGroup.Secp384r1,

    /// <summary>Curve25519 (RFC 7748): where OpenSSL's libcrypto is found.</summary>
    X25519 = NamedGroup.X25519,

    /// <summary>
    /// P-256 and ML-KEM-768 together (draft-ietf-tls-ecdhe-mlkem): what is sent today stays secret from quantum
    /// computers of tomorrow. Where the platform has ML-KEM (Windows 11, OpenSSL 3.5). A hello takes two packets.
    /// </summary>
    Secp256r1MlKem768 = NamedGroup.Secp256r1MlKem768,

    /// <summary>X25519 and ML-KEM-768 together, as browsers offer it; see <see cref="Secp256r1MlKem768"/>.</summary>
    X25519MlKem768 = NamedGroup.X25519MlKem768,

    /// <summary>P-384 and ML-KEM-1024 together; see <see cref="Secp256r1MlKem768"/>.</summary>
    Secp384r1MlKem1024 = NamedGroup.Secp384r1MlKem1024,
}
