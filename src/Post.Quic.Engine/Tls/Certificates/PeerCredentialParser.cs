using System.Security.Cryptography.X509Certificates;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Tls.Alerts;
using Post.Quic.Engine.Tls.Messages;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tls.Certificates;

/// <summary>Makes a <see cref="PeerCredential"/> of the entries of a Certificate message.</summary>
internal static class PeerCredentialParser
{
    /// <summary>Null, without an error, where there is no entry.</summary>
    public static TransportError Parse(
        CertificateType type, List<byte[]> entries, CryptoProvider provider, out PeerCredential? peer)
    {
        peer = null;
        if (entries.Count == 0)
        {
            return default;
        }

        return type == CertificateType.RawPublicKey ? ParseKey(entries, provider, out peer) : ParseChain(entries, provider, out peer);
    }

    private static TransportError ParseKey(List<byte[]> entries, CryptoProvider provider, out PeerCredential? peer)
    {
        peer = null;

        // RFC 8446 section 4.4.2: no more than one entry.
        if (entries.Count > 1)
        {
            return TlsError.Illegal("A raw public key came with more than itself.");
        }

        if (RawPublicKey.Parse(entries[0]) is not { } key)
        {
            return Der.IsOneValue(entries[0])
                ? TlsError.Alert(TlsAlert.UnsupportedCertificate, "The raw public key is of no offered kind.")
                : TlsError.Alert(TlsAlert.BadCertificate, "The raw public key is malformed.");
        }

        if (provider.FindSigning(key.Algorithm) is not { } algorithm)
        {
            return TlsError.Alert(TlsAlert.UnsupportedCertificate, "The raw public key is of no offered kind.");
        }

        if (!algorithm.IsUsable(key))
        {
            return TlsError.Alert(TlsAlert.BadCertificate, "The raw public key is no valid key.");
        }

        peer = new PeerRawKey(key, algorithm);
        return default;
    }

    private static TransportError ParseChain(List<byte[]> entries, CryptoProvider provider, out PeerCredential? peer)
    {
        peer = null;
        X509Certificate2Collection parsed = [];
        foreach (byte[] entry in entries)
        {
            if (CertificateCache.Shared.Load(entry) is not { } certificate)
            {
                return TlsError.Alert(TlsAlert.BadCertificate, "A certificate is malformed.");
            }

            parsed.Add(certificate);

            // RFC 8446 section 4.4.2.2 and 4.4.2.4: a key that no offered signature algorithm fits.
            if (parsed.Count == 1 && !SignatureSchemes.CanBeUsed(certificate, provider))
            {
                return TlsError.Alert(TlsAlert.UnsupportedCertificate, "The certificate's key is of no offered kind.");
            }
        }

        X509Certificate2 own = parsed[0];
        parsed.RemoveAt(0);
        peer = new PeerCertificateChain(own, parsed, provider);
        return default;
    }
}
