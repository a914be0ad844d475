using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Crypto.Providers;

namespace Post.Quic.Engine.Tls;

/// <summary>What is offered where nothing else is asked for.</summary>
internal static class TlsDefaults
{
    /// <summary>In order of preference, as far as packets can be protected with them here.</summary>
    public static IReadOnlyList<CipherSuite> CipherSuites { get; } = CipherSuitesOf(CryptoProviderFactory.Default);

    /// <summary>
    /// In order of preference, as far as they are there: X25519 first, since most peers send a share of it. The hybrids
    /// with ML-KEM are left to those who ask for them: their shares do not fit one packet.
    /// </summary>
    public static IReadOnlyList<NamedGroup> Groups { get; } = GroupsOf(CryptoProviderFactory.Default);

    /// <summary>As <see cref="CipherSuites"/>, where another than the default provider is to serve.</summary>
    public static IReadOnlyList<CipherSuite> CipherSuitesOf(CryptoProvider provider) => Array.FindAll(
        [CipherSuite.Aes128GcmSha256, CipherSuite.Aes256GcmSha384, CipherSuite.ChaCha20Poly1305Sha256], provider.IsSupported);

    /// <summary>As <see cref="Groups"/>, where another than the default provider is to serve.</summary>
    public static IReadOnlyList<NamedGroup> GroupsOf(CryptoProvider provider) => Array.FindAll(
        [NamedGroup.X25519, NamedGroup.Secp256r1, NamedGroup.Secp384r1],
        group => provider.FindKeyAgreement(group) is not null);
}
