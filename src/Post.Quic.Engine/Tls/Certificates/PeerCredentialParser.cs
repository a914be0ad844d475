using System.Security.Cryptography.X509Certificates;
using Post.Quic.Engine.Tls.Alerts;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tls.Certificates;

/// <summary>Makes the platform's certificates of the bytes a peer sent.</summary>
internal static class CertificateChainParser
{
    public static TransportError Parse(
        List<byte[]> encoded, out X509Certificate2? certificate, out X509Certificate2Collection others)
    {
        certificate = null;
        others = [];
        for (int i = 0; i < encoded.Count; i++)
        {
            if (CertificateCache.Shared.Load(encoded[i]) is not { } parsed)
            {
                return TlsError.Alert(TlsAlert.BadCertificate, "A certificate is malformed.");
            }

            if (i > 0)
            {
                others.Add(parsed);
                continue;
            }

            // RFC 8446 section 4.4.2.2 and 4.4.2.4: a key that no offered signature algorithm fits.
            certificate = parsed;
            if (!SignatureSchemes.CanBeUsed(parsed))
            {
                return TlsError.Alert(TlsAlert.UnsupportedCertificate, "The certificate's key is of no offered kind.");
            }
        }

        return default;
    }
}
