namespace Post.Quic.Engine.Tls.Keys;

/// <summary>
/// One way to agree on a secret (RFC 8446 section 4.2.8). The shape is that of a key encapsulation, which a
/// Diffie-Hellman exchange fits into and hybrids need.
/// </summary>
internal abstract class KeyExchange
{
    private static readonly KeyExchange[] Known =
    [
        new EllipticCurveKeyExchange(NamedGroup.Secp256r1),
        new EllipticCurveKeyExchange(NamedGroup.Secp384r1),
        new HybridKeyExchange(),
    ];

    public abstract NamedGroup Group { get; }

    /// <summary>Whether this platform has what the group needs.</summary>
    public abstract bool IsSupported { get; }

    /// <summary>The exchange of a group, if this engine and the platform have it.</summary>
    public static KeyExchange? Find(NamedGroup group)
    {
        foreach (KeyExchange exchange in Known)
        {
            if (exchange.Group == group && exchange.IsSupported)
            {
                return exchange;
            }
        }

        return null;
    }

    /// <summary>The client's first step.</summary>
    public abstract KeyShareOffer Offer();

    /// <summary>
    /// The server's only step: its own share and the secret, or nothing when the client's share is not valid.
    /// </summary>
    public abstract bool TryAnswer(ReadOnlySpan<byte> clientShare, out byte[] serverShare, out SecretBuffer? secret);
}
