namespace Post.Quic.Engine.Crypto;

/// <summary>Signatures with keys of one kind, in one of the two implementations. Thread-safe, and so are the keys it makes.</summary>
internal abstract class SigningAlgorithm(KeyAlgorithm algorithm)
{
    public KeyAlgorithm Algorithm { get; } = algorithm;

    /// <summary>A new key pair.</summary>
    public abstract SigningKey Generate();

    /// <summary>A key pair from its PKCS#8 PrivateKeyInfo; null where it is of another kind or malformed.</summary>
    public abstract SigningKey? Import(ReadOnlySpan<byte> pkcs8);

    /// <summary>Whether signatures under the key prove anything: it is a point of the curve, and not one of small order.</summary>
    public abstract bool IsUsable(RawPublicKey key);

    /// <summary>Whether the owner of the key signed the content.</summary>
    public abstract bool Verify(RawPublicKey key, ReadOnlySpan<byte> content, ReadOnlySpan<byte> signature);
}
