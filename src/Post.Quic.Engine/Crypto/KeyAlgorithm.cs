namespace Post.Quic.Engine.Crypto;

/// <summary>The kinds of keys that serve as an identity without a certificate.</summary>
internal enum KeyAlgorithm
{
    EcdsaP256 = 1,
    EcdsaP384 = 2,
    Ed25519 = 3,
}
