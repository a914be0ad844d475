using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Post.Quic.Engine.Bounds;

namespace Post.Quic.Engine.Tls.Certificates;

/// <summary>
/// Parses certificates and remembers the last ones. OpenSSL 3 takes longer to parse a certificate than to agree on a
/// key, and clients meet the same servers again, servers the same issuers. Nothing but the parsing is remembered: what a
/// certificate is worth is judged each time. Thread-safe.
/// </summary>
internal sealed class CertificateCache(int capacity)
{
    private const byte SequenceTag = 0x30;

    private readonly X509Certificate2?[] _slots = new X509Certificate2?[capacity];

    public static CertificateCache Shared { get; } = new(Limits.CertificatesRemembered);

    /// <summary>The certificate, for the caller to own; null where the bytes are no DER certificate, or hold more.</summary>
    public X509Certificate2? Load(byte[] encoded)
    {
        // RFC 8446 section 4.4.2: DER. The platform would take PEM too, and bytes after the certificate.
        if (encoded.Length == 0 || encoded[0] != SequenceTag)
        {
            return null;
        }

        // The hash is seeded for the process: nobody outside can aim at a slot.
        var hash = default(HashCode);
        hash.AddBytes(encoded);
        ref X509Certificate2? slot = ref _slots[(uint)hash.ToHashCode() % (uint)_slots.Length];
        if (Volatile.Read(ref slot) is { } kept && kept.RawDataMemory.Span.SequenceEqual(encoded))
        {
            return new X509Certificate2(kept);
        }

        if (Parse(encoded) is not { } parsed)
        {
            return null;
        }

        if (encoded.Length <= Limits.MaxCertificateRemembered)
        {
            // What stood there may be being copied by another thread: it is left to the collector.
            Volatile.Write(ref slot, new X509Certificate2(parsed));
        }

        return parsed;
    }

    private static X509Certificate2? Parse(byte[] encoded)
    {
        try
        {
            X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(encoded);
            if (certificate.RawDataMemory.Length == encoded.Length)
            {
                return certificate;
            }

            certificate.Dispose();
            return null;
        }
        catch (CryptographicException)
        {
            // The platform has no other way to say that a certificate is malformed.
            return null;
        }
    }
}
