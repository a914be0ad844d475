using Post.Quic.Engine.Crypto;

namespace Post.Quic.Engine.Tls;

/// <summary>What is offered where nothing else is asked for.</summary>
internal static class TlsDefaults
{
    /// <summary>In order of preference, as far as packets can be protected with them here.</summary>
    public static IReadOnlyList<CipherSuite> CipherSuites { get; } = SupportedSuites();

    /// <summary>The hybrid with ML-KEM is left to those who ask for it: its shares do not fit one packet.</summary>
    public static IReadOnlyList<NamedGroup> Groups { get; } = [NamedGroup.Secp256r1, NamedGroup.Secp384r1];

    private static CipherSuite[] SupportedSuites()
    {
        CipherSuite[] known = [CipherSuite.Aes128GcmSha256, CipherSuite.Aes256GcmSha384, CipherSuite.ChaCha20Poly1305Sha256];
        return Array.FindAll(known, CryptoProvider.Default.IsSupported);
    }
}
