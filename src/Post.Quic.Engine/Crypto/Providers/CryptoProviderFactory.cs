using Post.Quic.Engine.Crypto.LibCrypto;
using Post.Quic.Engine.Crypto.Platform;

namespace Post.Quic.Engine.Crypto.Providers;

/// <summary>Chooses the implementation of packet protection and key exchange.</summary>
internal static class CryptoProviderFactory
{
    /// <summary>What serves where nothing else is asked for.</summary>
    public static CryptoProvider Default { get; } = Create(CryptoProviderKind.Auto);

    /// <exception cref="PlatformNotSupportedException">libcrypto was asked for by name and cannot be used.</exception>
    public static CryptoProvider Create(CryptoProviderKind kind) => kind switch
    {
        CryptoProviderKind.Auto => (CryptoProvider?)LibCryptoProvider.Instance ?? PlatformCryptoProvider.Instance,
        CryptoProviderKind.Platform => PlatformCryptoProvider.Instance,
        CryptoProviderKind.LibCrypto => LibCryptoProvider.Instance ?? throw new PlatformNotSupportedException(
            "No usable libcrypto (OpenSSL 1.1 or 3) was found. Use Auto or Platform."),
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}
