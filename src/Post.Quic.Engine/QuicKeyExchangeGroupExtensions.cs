using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Crypto.Providers;
using Post.Quic.Engine.Tls.Keys;

namespace Post.Quic.Engine;

/// <summary>What can be asked of a key exchange group.</summary>
public static class QuicKeyExchangeGroupExtensions
{
    /// <summary>Whether this platform has it: P-256 and P-384 always, the others as their descriptions say.</summary>
    /// <param name="group">The group.</param>
    /// <returns>True where connections here can agree on keys with it.</returns>
    public static bool IsSupported(this QuicKeyExchangeGroup group) =>
        Enum.IsDefined(group) && KeyExchange.Find(CryptoProviderFactory.Default, (NamedGroup)group) is not null;
}
