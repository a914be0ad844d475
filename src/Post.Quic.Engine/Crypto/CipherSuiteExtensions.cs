using System.Security.Cryptography;

namespace Post.Quic.Engine.Crypto;

/// <summary>The lengths and the hash that belong to a cipher suite.</summary>
internal static class CipherSuiteExtensions
{
    /// <summary>Bytes of a secret and of the transcript hash for the widest suite: for buffers on the stack.</summary>
    public const int MaxHashLength = 48;

    /// <summary>Bytes of a key for the widest suite: for buffers on the stack.</summary>
    public const int MaxKeyLength = 32;

    public static bool IsKnown(this CipherSuite suite) =>
        suite is CipherSuite.Aes128GcmSha256 or CipherSuite.Aes256GcmSha384 or CipherSuite.ChaCha20Poly1305Sha256;

    public static HashAlgorithmName HashName(this CipherSuite suite) =>
        suite == CipherSuite.Aes256GcmSha384 ? HashAlgorithmName.SHA384 : HashAlgorithmName.SHA256;

    public static int HashLength(this CipherSuite suite) => suite == CipherSuite.Aes256GcmSha384 ? 48 : 32;

    /// <summary>Bytes of the AEAD's key, which is also the length of the header-protection key (RFC 9001 section 5.4).</summary>
    public static int KeyLength(this CipherSuite suite) => suite == CipherSuite.Aes128GcmSha256 ? 16 : 32;
}
