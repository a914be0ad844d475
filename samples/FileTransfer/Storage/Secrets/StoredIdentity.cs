using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Post.Sockets;

namespace FileTransfer.Storage.Secrets;

/// <summary>Who we are, kept in a file so that the others know us again.</summary>
internal static class StoredIdentity
{
    /// <summary>Reads the identity, or makes one where there is none.</summary>
    public static X509Certificate2 LoadOrCreate(string path)
    {
        if (File.Exists(path))
        {
            try
            {
                return X509CertificateLoader.LoadPkcs12(PrivateFile.Read(path), null);
            }
            catch (CryptographicException exception)
            {
                throw new TransferException(
                    ExitCode.LocalProblem, $"'{path}' holds no identity (PKCS#12 without password): {exception.Message}", exception);
            }
        }

        using var made = Identity.CreateSelfSigned("post-file");
        var bytes = made.Export(X509ContentType.Pkcs12);
        PrivateFile.Write(path, bytes);
        return X509CertificateLoader.LoadPkcs12(bytes, null);
    }
}
