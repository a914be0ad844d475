using Post.Quic.Engine.Crypto;

namespace Post.Quic.Engine;

/// <summary>The kinds of keys that can stand for an identity without a certificate.</summary>
public enum QuicKeyAlgorithm
{
    /// <summary>ECDSA over NIST P-256: on every platform.</summary>
    EcdsaP256 = KeyAlgorithm.EcdsaP256,

    /// <summary>ECDSA over NIST P-384: on every platform.</summary>
    EcdsaP384 = KeyAlgorithm.EcdsaP384,

    /// <summary>Ed25519 (RFC 8032): where OpenSSL's libcrypto 1.1.1 or later is found.</summary>
    Ed25519 = KeyAlgorithm.Ed25519,
}
