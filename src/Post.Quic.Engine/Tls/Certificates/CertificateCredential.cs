using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Post.Quic.Engine.Tls.Messages;

namespace Post.Quic.Engine.Tls.Certificates;

/// <summary>A certificate of ours with the chain that is sent with it. Its key is used through the platform only.</summary>
internal sealed class CertificateCredential : Credential
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

        Entries = chain;
    }

    public X509Certificate2 Certificate { get; }

    public override CertificateType Type => CertificateType.X509;

    public override IReadOnlyList<ReadOnlyMemory<byte>> Entries { get; }

    public override bool TrySelect(ReadOnlySpan<byte> peerSchemes, out SignatureScheme scheme) =>
        SignatureSchemes.TrySelect(Certificate, peerSchemes, out scheme);

    public override byte[] Sign(SignatureScheme scheme, ReadOnlySpan<byte> content) =>
        SignatureSchemes.Sign(Certificate, scheme, content);

    /// <exception cref="ArgumentException">The certificate cannot sign a TLS 1.3 handshake.</exception>
    public static void Check(X509Certificate2 certificate)
    {
        if (!certificate.HasPrivateKey)
        {
            throw new ArgumentException(
                "The certificate has no private key; load it with its key, for example with X509CertificateLoader.LoadPkcs12.",
                nameof(certificate));
        }

        if (!SignatureSchemes.CanSign(certificate))
        {
            throw new ArgumentException(
                "The certificate's key cannot sign a TLS 1.3 handshake; use RSA of at least 2048 bits or ECDSA over P-256, P-384 or P-521, and a key usage, if any, that has digitalSignature.",
                nameof(certificate));
        }
    }
}
