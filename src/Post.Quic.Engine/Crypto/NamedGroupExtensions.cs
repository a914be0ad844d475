namespace Post.Quic.Engine.Crypto;

/// <summary>The lengths and the form of the shares of Diffie-Hellman groups (RFC 8446 section 4.2.8.2).</summary>
internal static class NamedGroupExtensions
{
    private const byte Uncompressed = 4;

    /// <summary>With ML-KEM beside the curve: its lengths are not those of here.</summary>
    public static bool IsHybrid(this NamedGroup group) =>
        group is NamedGroup.X25519MlKem768 or NamedGroup.Secp256r1MlKem768 or NamedGroup.Secp384r1MlKem1024;

    public static int ShareLength(this NamedGroup group) => group switch
    {
        NamedGroup.X25519 => 32,
        NamedGroup.Secp256r1 => 65,
        NamedGroup.Secp384r1 => 97,
        _ => throw new ArgumentOutOfRangeException(nameof(group)),
    };

    /// <summary>Bytes of what is agreed on: one coordinate.</summary>
    public static int SecretLength(this NamedGroup group) => group == NamedGroup.Secp384r1 ? 48 : 32;

    /// <summary>Whether the bytes have the form of a share; whether they are a point is for the implementation to say.</summary>
    public static bool IsWellFormed(this NamedGroup group, ReadOnlySpan<byte> share) =>
        share.Length == group.ShareLength() && (group == NamedGroup.X25519 || share[0] == Uncompressed);
}
