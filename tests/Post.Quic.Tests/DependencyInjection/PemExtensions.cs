using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Post.Quic.Tests.DependencyInjection;

/// <summary>Writes a certificate's private key as PEM.</summary>
internal static class PemExtensions
{
    public static string GetECDsaPrivateKeyPem(this X509Certificate2 certificate)
    {
        using ECDsa key = certificate.GetECDsaPrivateKey()!;
        return key.ExportPkcs8PrivateKeyPem();
    }
}
