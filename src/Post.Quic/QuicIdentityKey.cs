using System.Security.Cryptography;
using Post.Quic.Engine;
using Post.Sockets;

namespace Post.Quic;

/// <summary>A key pair that is an identity without a certificate, for the managed engine (RFC 7250). Safe to use from any thread.</summary>
public sealed class QuicIdentityKey : IdentityKey
{
    private QuicIdentityKey(QuicPrivateKey key) => PrivateKey = key;

    /// <inheritdoc/>
    public override ReadOnlyMemory<byte> SubjectPublicKeyInfo => PrivateKey.PublicKey.SubjectPublicKeyInfo;

    /// <summary>The public key, and of what kind it is.</summary>
    public QuicPublicKey PublicKey => PrivateKey.PublicKey;

    internal QuicPrivateKey PrivateKey { get; }

    /// <summary>Generates a key pair.</summary>
    /// <param name="algorithm">
    /// Its kind. P-256, the default, is on every platform; Ed25519 needs OpenSSL's libcrypto, see <see cref="QuicPrivateKey.IsSupported"/>.
    /// </param>
    /// <returns>The key pair; keep it with <see cref="ExportPem"/> or <see cref="Save"/>.</returns>
    /// <exception cref="PlatformNotSupportedException">There are no such keys here.</exception>
    public static QuicIdentityKey Create(QuicKeyAlgorithm algorithm = QuicKeyAlgorithm.EcdsaP256) => new(QuicPrivateKey.Create(algorithm));

    /// <summary>Reads a private key.</summary>
    /// <param name="pem">Text that holds one "PRIVATE KEY" (PKCS#8), not encrypted, as <see cref="ExportPem"/> and <c>openssl genpkey</c> write it.</param>
    /// <returns>The key pair.</returns>
    /// <exception cref="CryptographicException">There is none, or it is of a kind that cannot be used here.</exception>
    public static QuicIdentityKey ImportPem(ReadOnlySpan<char> pem) => new(QuicPrivateKey.ImportFromPem(pem));

    /// <summary>Reads a private key from a file.</summary>
    /// <param name="path">A file with what <see cref="ImportPem"/> reads.</param>
    /// <returns>The key pair.</returns>
    /// <exception cref="CryptographicException">There is no such key in it; the message names the file.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static QuicIdentityKey Load(string path)
    {
        string pem = File.ReadAllText(path);
        try
        {
            return ImportPem(pem);
        }
        catch (CryptographicException fault)
        {
            throw new CryptographicException($"{path} holds no identity: {fault.Message}", fault);
        }
    }

    /// <summary>The private key as PEM text (PKCS#8). It proves the identity: keep it secret.</summary>
    /// <returns>The text.</returns>
    public string ExportPem() => PrivateKey.ExportPkcs8PrivateKeyPem();

    /// <summary>Writes the private key to a new file that only its owner can read, on systems that have owners of files.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="IOException">There is a file already, which is left as it is, or it cannot be written.</exception>
    public void Save(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var writer = new StreamWriter(path, options);
        writer.Write(ExportPem());
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => PrivateKey.Dispose();
}
