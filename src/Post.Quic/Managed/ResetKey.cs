using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Post.Sockets;

namespace Post.Quic.Managed;

/// <summary>
/// The key of stateless resets (RFC 9000 section 10.3.2), made again by each start of the same listener: a server that was killed and started
/// again tells its peers, at their next packet, that their connections are gone.
/// </summary>
internal static class ResetKey
{
    private const int Length = 32;
    private const string Purpose = "Post.Quic stateless reset key 1";

    /// <summary>
    /// Empty, for a random one, where there is no secret that outlives the process, or no port that another start would have again.
    /// </summary>
    /// <param name="secret">The application's own secret; empty: the identity's private key.</param>
    /// <param name="local">The identity: its certificate, or its bare key.</param>
    /// <param name="endPoint">Where it listens.</param>
    public static ReadOnlyMemory<byte> Of(ReadOnlySpan<byte> secret, Local local, IPEndPoint endPoint)
    {
        if (endPoint.Port == 0)
        {
            return default;
        }

        byte[]? ofIdentity = secret.IsEmpty ? SecretOf(local) : null;
        if (secret.IsEmpty && ofIdentity is null)
        {
            return default;
        }

        // No two listeners may share it: a packet for the one that is sent to the other would be answered with a reset that ends a living
        // connection (RFC 9000 section 21.11). Servers that share an identity have names of their own, listeners of one machine addresses.
        byte[] context = Encoding.UTF8.GetBytes($"{Purpose}|{Environment.MachineName}|{endPoint}");
        try
        {
            byte[] key = new byte[Length];
            HKDF.DeriveKey(HashAlgorithmName.SHA256, ofIdentity ?? secret, key, salt: default, context);
            return key;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(ofIdentity);
        }
    }

    private static byte[]? SecretOf(Local local) => local.Certificate is { } certificate
        ? SecretOf(certificate)
        : ManagedOptions.KeyOf(local)?.PrivateKey.ExportPkcs8PrivateKey();

    /// <summary>The private number of the key itself: its encodings may differ from one version of a platform to the next. Null where it cannot be had.</summary>
    private static byte[]? SecretOf(X509Certificate2 identity)
    {
        try
        {
            using ECDsa? ec = identity.GetECDsaPrivateKey();
            using RSA? rsa = ec is null ? identity.GetRSAPrivateKey() : null;
            return ec?.ExportParameters(includePrivateParameters: true).D ?? rsa?.ExportParameters(includePrivateParameters: true).D;
        }
        catch (CryptographicException)
        {
            // It lives where it cannot be taken out, as it may.
            return null;
        }
    }
}
