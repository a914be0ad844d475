using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Crypto.LibCrypto;
using Post.Quic.Engine.Crypto.Providers;

namespace Post.Quic.Engine.Tests.Crypto;

/// <summary>Both implementations of the AEAD seam, by a name that fits into a data row.</summary>
internal static class CryptoProviders
{
    public const string Platform = nameof(CryptoProviderKind.Platform);
    public const string LibCrypto = nameof(CryptoProviderKind.LibCrypto);

    public static CryptoProvider Get(string kind)
    {
        if (kind == LibCrypto && LibCryptoProvider.Instance is null)
        {
            Assert.Inconclusive("This machine has no usable libcrypto.");
        }

        return CryptoProviderFactory.Create(Enum.Parse<CryptoProviderKind>(kind));
    }
}
