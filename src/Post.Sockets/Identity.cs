using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Post.Sockets;

/// <summary>Creates identities that need no certificate authority: peers pin the fingerprint of the key.</summary>
public static class Identity
{
    /// <summary>Generates a key pair (ECDSA P-256) and a self-signed certificate.</summary>
    /// <param name="name">The name in the certificate, for people to read; it proves nothing.</param>
    /// <param name="validity">How long the certificate is valid; null: ten years. Peers that pin the key ignore it.</param>
    /// <param name="time">The clock; null: the system's.</param>
    /// <returns>A certificate with its private key. Export it (PKCS#12) to keep the identity.</returns>
    public static X509Certificate2 CreateSelfSigned(string name = "localhost", TimeSpan? validity = null, TimeProvider? time = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        var lifetime = validity ?? TimeSpan.FromDays(3652);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(lifetime, TimeSpan.Zero, nameof(validity));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var subject = new X500DistinguishedNameBuilder();
        subject.AddCommonName(name);
        var request = new CertificateRequest(subject.Build(), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));

        // Both purposes: in Post either side may be asked for its identity.
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(
            [new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], false));
        var names = new SubjectAlternativeNameBuilder();
        if (IPAddress.TryParse(name, out var address))
        {
            names.AddIpAddress(address);
        }
        else
        {
            names.AddDnsName(name);
        }

        request.CertificateExtensions.Add(names.Build());

        // A day of tolerance for peers whose clock is behind.
        var from = (time ?? TimeProvider.System).GetUtcNow().AddDays(-1);
        return request.CreateSelfSigned(from, from + lifetime);
    }
}
