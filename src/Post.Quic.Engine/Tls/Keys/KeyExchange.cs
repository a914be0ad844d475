using Post.Quic.Engine.Crypto;

namespace Post.Quic.Engine.Tls.Keys;

/// <summary>
/// One way to agree on a secret (RFC 8446 section 4.2.8). The shape is that of a key encapsulation, which a
/// Diffie-Hellman exchange fits into and hybrids need.
/// </summary>
internal abstract class KeyExchange
{
    public abstract NamedGroup Group { get; }

    /// <summary>The exchange of a group, if this engine and the platform have it.</summary>
    public static KeyExchange? Find(CryptoProvider provider, NamedGroup group) =>
        provider.FindKeyAgreement(group) is { } agreement
            ? new DiffieHellmanExchange(agreement)
            : HybridKeyExchange.Find(provider, group);

    /// <summary>The client's first step.</summary>
    public abstract KeyShareOffer Offer();

    /// <summary>
    /// The server's only step: its own share and the secret, or nothing when the client's share is not valid.
    /// </summary>
    public abstract bool TryAnswer(ReadOnlySpan<byte> clientShare, out byte[] serverShare, out SecretBuffer? secret);
}
