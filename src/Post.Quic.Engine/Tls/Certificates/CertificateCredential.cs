using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Post.Quic.Engine.Tls.Certificates;

/// <summary>A certificate of ours with the chain that is sent with it. Its key is used through the platform only.</summary>
internal sealed class CertificateCredential
{
    /// <exception cref="ArgumentException">The certificate cannot sign a TLS 1.3 handshake.</exception>
    public CertificateCredential(SslStreamCertificateContext context)
    {
        Certificate = context.TargetCertificate;
        Check(Certificate);
        var chain = new List<ReadOnlyMemory<byte>>(1 + context.IntermediateCertificates.Count) { Certificate.RawDataMemory };
        foreach (X509Certificate2 intermediate in context.IntermediateCertificates)
        {
            chain.Add(intermediate.RawDataMemory);
        }

        Chain = chain;
    }

    public X509Certificate2 Certificate { get; }

    /// <summary>In DER, our own first.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Chain { get; }

    /// <exception cref="ArgumentException">The certificate cannot sign a TLS 1.3 handshake.</exception>
    public static void Check(X509Certificate2 certificate)
    {
        if (!certificate.HasPrivateKey)
        {
            throw new ArgumentException(
                "The certificate has no private key; load it with its key, for example with X509CertificateLoader.LoadPkcs12.",
                nameof(certificate));
        }

        if (!SignatureSchemes.CanBeUsed(certificate))
        {
            throw new ArgumentException(
                "The certificate's key cannot sign a TLS 1.3 handshake; use RSA of at least 2048 bits or ECDSA over P-256, P-384 or P-521, and a key usage, if any, that has digitalSignature.",
                nameof(certificate));
        }
    }
}
