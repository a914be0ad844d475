namespace Post.Quic.Engine.Crypto.Providers;

/// <summary>Whose implementation of the primitives of packet protection and key exchange serves.</summary>
internal enum CryptoProviderKind
{
    /// <summary>libcrypto where it loads and passes its self-test, else the platform's classes.</summary>
    Auto,

    /// <summary>System.Security.Cryptography: everywhere, at a higher cost a packet.</summary>
    Platform,

    /// <summary>OpenSSL's libcrypto directly, with kept contexts; an error where it cannot be used.</summary>
    LibCrypto,
}
