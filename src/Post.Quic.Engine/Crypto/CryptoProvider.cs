namespace Post.Quic.Engine.Crypto;

/// <summary>Makes the primitives of packet protection, key exchange and signatures with bare keys. Thread-safe; what it makes is not.</summary>
internal abstract class CryptoProvider
{
    /// <summary>For logs: which implementation this is, with its version where it has one.</summary>
    public abstract string Name { get; }

    /// <summary>Whether packets can be protected with the suite: both its AEAD and its header protection are there.</summary>
    public abstract bool IsSupported(CipherSuite suite);

    public abstract Aead CreateAead(CipherSuite suite, KeyDirection direction, ReadOnlySpan<byte> key);

    public abstract HeaderProtection CreateHeaderProtection(CipherSuite suite, ReadOnlySpan<byte> key);

    /// <summary>The Diffie-Hellman group; null where it is not there.</summary>
    public abstract KeyAgreement? FindKeyAgreement(NamedGroup group);

    /// <summary>Signatures with keys of that kind; null where it is not there.</summary>
    public abstract SigningAlgorithm? FindSigning(KeyAlgorithm algorithm);
}
