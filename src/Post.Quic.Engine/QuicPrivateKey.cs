using System.Security.Cryptography;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Crypto.Providers;
using Post.Quic.Engine.Tls.Certificates;

namespace Post.Quic.Engine;

/// <summary>
/// A key pair that stands for an identity without a certificate (RFC 7250): what this side proves to hold where
/// <see cref="QuicConnectionOptions.PrivateKey"/> has it. Thread-safe; connections may share it, and must be over when it is disposed of.
/// </summary>
public sealed class QuicPrivateKey : IDisposable
{
    private const string PemLabel = "PRIVATE KEY";

    private readonly SigningKey _key;

    private QuicPrivateKey(SigningKey key)
    {
        _key = key;
        PublicKey = new QuicPublicKey(key.PublicKey);
        Credential = new RawKeyCredential(key);
    }

    /// <summary>What peers know it by.</summary>
    public QuicPublicKey PublicKey { get; }

    internal RawKeyCredential Credential { get; }

    /// <summary>Whether keys of that kind can be used here: the NIST curves always, Ed25519 where libcrypto is.</summary>
    /// <param name="algorithm">The kind.</param>
    /// <returns>True where <see cref="Create"/> makes one.</returns>
    public static bool IsSupported(QuicKeyAlgorithm algorithm) => Find(algorithm) is not null;

    /// <summary>Generates a key pair.</summary>
    /// <param name="algorithm">Its kind.</param>
    /// <returns>It. Keep it with <see cref="ExportPkcs8PrivateKeyPem"/>: it is the identity.</returns>
    /// <exception cref="PlatformNotSupportedException">There are no such keys here; see <see cref="IsSupported"/>.</exception>
    public static QuicPrivateKey Create(QuicKeyAlgorithm algorithm) => Find(algorithm) is { } found
        ? new QuicPrivateKey(found.Generate())
        : throw new PlatformNotSupportedException(
            $"{algorithm} keys cannot be used here: Ed25519 needs OpenSSL's libcrypto 1.1.1 or later. Install it, or use EcdsaP256.");

    /// <summary>Reads a private key.</summary>
    /// <param name="pkcs8">PKCS#8 PrivateKeyInfo in DER (RFC 5958), not encrypted.</param>
    /// <returns>The key pair.</returns>
    /// <exception cref="CryptographicException">It is something else, or a key of a kind that cannot be used here.</exception>
    public static QuicPrivateKey ImportPkcs8PrivateKey(ReadOnlySpan<byte> pkcs8)
    {
        foreach (QuicKeyAlgorithm algorithm in Enum.GetValues<QuicKeyAlgorithm>())
        {
            if (Find(algorithm)?.Import(pkcs8) is { } key)
            {
                return new QuicPrivateKey(key);
            }
        }

        throw new CryptographicException(
            "It is no private key in PKCS#8 of a kind that can be used here: Ed25519 (with OpenSSL's libcrypto), P-256 or P-384, not encrypted.");
    }

    /// <summary>Reads a private key.</summary>
    /// <param name="pem">Text that holds one "PRIVATE KEY" (RFC 7468 section 10), as <c>openssl genpkey</c> writes it.</param>
    /// <returns>The key pair.</returns>
    /// <exception cref="CryptographicException">There is none, it is encrypted, or of a kind that cannot be used here.</exception>
    public static QuicPrivateKey ImportFromPem(ReadOnlySpan<char> pem)
    {
        ReadOnlySpan<char> rest = pem;
        while (PemEncoding.TryFind(rest, out PemFields fields))
        {
            if (rest[fields.Label] is PemLabel)
            {
                byte[] pkcs8 = new byte[fields.DecodedDataLength];
                try
                {
                    return Convert.TryFromBase64Chars(rest[fields.Base64Data], pkcs8, out int length)
                        ? ImportPkcs8PrivateKey(pkcs8.AsSpan(0, length))
                        : throw new CryptographicException("The PEM text is malformed.");
                }
                finally
                {
                    CryptographicOperations.ZeroMemory(pkcs8);
                }
            }

            rest = rest[fields.Location.End..];
        }

        throw new CryptographicException(
            "The text holds no \"-----BEGIN PRIVATE KEY-----\"; encrypted keys and those of other labels are not read, convert them with openssl pkcs8 -topk8 -nocrypt.");
    }

    /// <summary>The private key as PKCS#8 PrivateKeyInfo in DER. It proves the identity: zero it after use.</summary>
    /// <returns>The bytes.</returns>
    public byte[] ExportPkcs8PrivateKey() => _key.Export();

    /// <summary>The private key as PEM text, to be kept where only its owner can read.</summary>
    /// <returns>The text.</returns>
    public string ExportPkcs8PrivateKeyPem()
    {
        byte[] pkcs8 = _key.Export();
        try
        {
            return PemEncoding.WriteString(PemLabel, pkcs8);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(pkcs8);
        }
    }

    /// <summary>Wipes the private key.</summary>
    public void Dispose() => _key.Dispose();

    private static SigningAlgorithm? Find(QuicKeyAlgorithm algorithm) => CryptoProviderFactory.Default.FindSigning((KeyAlgorithm)algorithm);
}
