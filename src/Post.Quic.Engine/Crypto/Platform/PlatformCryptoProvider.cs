using System.Security.Cryptography;

namespace Post.Quic.Engine.Crypto.Platform;

/// <summary>The primitives of System.Security.Cryptography.</summary>
internal sealed class PlatformCryptoProvider : CryptoProvider
{
    private readonly PlatformKeyAgreement _p256 = new(NamedGroup.Secp256r1, ECCurve.NamedCurves.nistP256);
    private readonly PlatformKeyAgreement _p384 = new(NamedGroup.Secp384r1, ECCurve.NamedCurves.nistP384);

    private readonly PlatformEcdsa _signingP256 = new(KeyAlgorithm.EcdsaP256, ECCurve.NamedCurves.nistP256, HashAlgorithmName.SHA256);
    private readonly PlatformEcdsa _signingP384 = new(KeyAlgorithm.EcdsaP384, ECCurve.NamedCurves.nistP384, HashAlgorithmName.SHA384);

    private PlatformCryptoProvider()
    {
    }

    public static PlatformCryptoProvider Instance { get; } = new();

    public override string Name => "System.Security.Cryptography";

    /// <summary>
    /// Never ChaCha20-Poly1305: its header protection needs a block of raw ChaCha20 at any counter (RFC 9001 section
    /// 5.4.4), the platform has no raw ChaCha20, and primitives are not written by hand here.
    /// </summary>
    public override bool IsSupported(CipherSuite suite) =>
        suite is CipherSuite.Aes128GcmSha256 or CipherSuite.Aes256GcmSha384 && AesGcm.IsSupported;

    public override Aead CreateAead(CipherSuite suite, KeyDirection direction, ReadOnlySpan<byte> key) => suite switch
    {
        CipherSuite.Aes128GcmSha256 or CipherSuite.Aes256GcmSha384 => new PlatformAesGcm(key),
        CipherSuite.ChaCha20Poly1305Sha256 => new PlatformChaCha20Poly1305(key),
        _ => throw new ArgumentOutOfRangeException(nameof(suite)),
    };

    public override HeaderProtection CreateHeaderProtection(CipherSuite suite, ReadOnlySpan<byte> key) => suite switch
    {
        CipherSuite.Aes128GcmSha256 or CipherSuite.Aes256GcmSha384 => new PlatformAesHeaderProtection(key),
        _ => throw new PlatformNotSupportedException("The platform has no raw ChaCha20 for header protection."),
    };

    public override KeyAgreement? FindKeyAgreement(NamedGroup group) => group switch
    {
        NamedGroup.Secp256r1 => _p256,
        NamedGroup.Secp384r1 => _p384,
        _ => null,
    };

    /// <summary>Never Ed25519, which the platform does not have.</summary>
    public override SigningAlgorithm? FindSigning(KeyAlgorithm algorithm) => algorithm switch
    {
        KeyAlgorithm.EcdsaP256 => _signingP256,
        KeyAlgorithm.EcdsaP384 => _signingP384,
        _ => null,
    };
}
