namespace Post.Quic.Engine.Crypto;

/// <summary>A Diffie-Hellman group in one of the two implementations. Thread-safe; the keys it makes are not.</summary>
internal abstract class KeyAgreement(NamedGroup group)
{
    public NamedGroup Group { get; } = group;

    /// <summary>A key pair for one handshake.</summary>
    public abstract EphemeralKey Generate();
}
