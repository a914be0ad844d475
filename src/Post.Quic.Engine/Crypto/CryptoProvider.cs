using Post.Quic.Engine.Crypto.LibCrypto;
using Post.Quic.Engine.Crypto.Platform;

namespace Post.Quic.Engine.Crypto;

/// <summary>Makes the primitives of packet protection and key exchange. Thread-safe; what it makes is not.</summary>
internal abstract class CryptoProvider
{
    /// <summary>What serves where nothing else is asked for.</summary>
    public static CryptoProvider Default { get; } = Create(CryptoProviderKind.Auto);

    /// <summary>For logs: which implementation this is, with its version where it has one.</summary>
    public abstract string Name { get; }

    /// <exception cref="PlatformNotSupportedException">libcrypto was asked for by name and cannot be used.</exception>
    public static CryptoProvider Create(CryptoProviderKind kind) => kind switch
    {
        CryptoProviderKind.Auto => (CryptoProvider?)LibCryptoProvider.Instance ?? PlatformCryptoProvider.Instance,
        CryptoProviderKind.Platform => PlatformCryptoProvider.Instance,
        CryptoProviderKind.LibCrypto => LibCryptoProvider.Instance ?? throw new PlatformNotSupportedException(
            "No usable libcrypto (OpenSSL 1.1 or 3) was found. Use Auto or Platform."),
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    /// <summary>Whether packets can be protected with the suite: both its AEAD and its header protection are there.</summary>
    public abstract bool IsSupported(CipherSuite suite);

    public abstract Aead CreateAead(CipherSuite suite, KeyDirection direction, ReadOnlySpan<byte> key);

    public abstract HeaderProtection CreateHeaderProtection(CipherSuite suite, ReadOnlySpan<byte> key);

    /// <summary>The Diffie-Hellman group; null where it is not there.</summary>
    public abstract KeyAgreement? FindKeyAgreement(NamedGroup group);
}
