using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Tls.Messages;

namespace Post.Quic.Engine.Tls.Certificates;

/// <summary>Which signature schemes go with which key, and the signatures of CertificateVerify messages.</summary>
internal static class SignatureSchemes
{
    /// <summary>Keys shorter than this can be broken; other stacks refuse them too.</summary>
    private const int MinRsaBits = 2048;

    /// <summary>id-ecPublicKey (RFC 5480 section 2.1.1).</summary>
    private const string EllipticCurveKey = "1.2.840.10045.2.1";

    /// <summary>id-Ed25519 (RFC 8410 section 3).</summary>
    private const string Ed25519Key = "1.3.101.112";

    /// <summary>RFC 8446 section 4.2.3: each kind of key that comes without a certificate has one scheme.</summary>
    public static SignatureScheme Of(KeyAlgorithm algorithm) => algorithm switch
    {
        KeyAlgorithm.EcdsaP256 => SignatureScheme.EcdsaSecp256r1Sha256,
        KeyAlgorithm.EcdsaP384 => SignatureScheme.EcdsaSecp384r1Sha384,
        _ => SignatureScheme.Ed25519,
    };

    /// <summary>The certificate's key where it is one of Ed25519; null for others.</summary>
    public static RawPublicKey? Ed25519KeyOf(X509Certificate2 certificate) =>
        certificate.GetKeyAlgorithm() == Ed25519Key ? RawPublicKey.Create(KeyAlgorithm.Ed25519, certificate.GetPublicKey()) : null;

    /// <summary>The first scheme that the certificate's key can sign with and the peer takes.</summary>
    public static bool TrySelect(X509Certificate2 certificate, ReadOnlySpan<byte> peerSchemes, out SignatureScheme selected)
    {
        (int rsaBits, int curveBits) = KeySizes(certificate);
        foreach (SignatureScheme scheme in SignatureAlgorithms.OfCertificates)
        {
            if (VectorReading.ContainsNumber(peerSchemes, (ushort)scheme) && Fits(scheme, rsaBits, curveBits))
            {
                selected = scheme;
                return true;
            }
        }

        selected = default;
        return false;
    }

    /// <summary>Whether a handshake can be signed with the certificate's key.</summary>
    public static bool CanBeUsed(X509Certificate2 certificate, CryptoProvider provider)
    {
        if (Ed25519KeyOf(certificate) is { } key)
        {
            return provider.FindSigning(KeyAlgorithm.Ed25519) is { } algorithm && algorithm.IsUsable(key) && MaySign(certificate);
        }

        return CanSign(certificate);
    }

    /// <summary>Whether the platform can sign a handshake with the certificate's key, as far as the key says.</summary>
    public static bool CanSign(X509Certificate2 certificate)
    {
        (int rsaBits, int curveBits) = KeySizes(certificate);
        return (rsaBits >= MinRsaBits || curveBits is 256 or 384 or 521) && MaySign(certificate);
    }

    /// <summary>Whether the certificate's key is of the kind that the scheme names.</summary>
    public static bool Fits(SignatureScheme scheme, X509Certificate2 certificate)
    {
        (int rsaBits, int curveBits) = KeySizes(certificate);
        return Fits(scheme, rsaBits, curveBits);
    }

    /// <summary>Signs with the certificate's key object; the key itself is never asked for.</summary>
    public static byte[] Sign(X509Certificate2 certificate, SignatureScheme scheme, ReadOnlySpan<byte> content)
    {
        using ECDsa? ecdsa = certificate.GetECDsaPrivateKey();
        if (ecdsa is not null)
        {
            return ecdsa.SignData(content, HashOf(scheme), DSASignatureFormat.Rfc3279DerSequence);
        }

        using RSA rsa = certificate.GetRSAPrivateKey() ?? throw new CryptographicException("The certificate has no private key.");
        return rsa.SignData(content, HashOf(scheme), RSASignaturePadding.Pss);
    }

    public static bool Verify(
        X509Certificate2 certificate, SignatureScheme scheme, ReadOnlySpan<byte> content, ReadOnlySpan<byte> signature)
    {
        try
        {
            using ECDsa? ecdsa = certificate.GetECDsaPublicKey();
            if (ecdsa is not null)
            {
                return ecdsa.VerifyData(content, signature, HashOf(scheme), DSASignatureFormat.Rfc3279DerSequence);
            }

            using RSA? rsa = certificate.GetRSAPublicKey();
            return rsa is not null && rsa.VerifyData(content, signature, HashOf(scheme), RSASignaturePadding.Pss);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private static bool Fits(SignatureScheme scheme, int rsaBits, int curveBits) => scheme switch
    {
        SignatureScheme.EcdsaSecp256r1Sha256 => curveBits == 256,
        SignatureScheme.EcdsaSecp384r1Sha384 => curveBits == 384,
        SignatureScheme.EcdsaSecp521r1Sha512 => curveBits == 521,
        SignatureScheme.RsaPssRsaeSha256 or SignatureScheme.RsaPssRsaeSha384 or SignatureScheme.RsaPssRsaeSha512 =>
            rsaBits >= MinRsaBits,
        _ => false,
    };

    // RFC 8446 section 4.4.2.2: where a certificate states the usage of its key, digitalSignature MUST be among it. A key
    // for decryption only, as RSA key exchange had, is not to be made to sign.
    private static bool MaySign(X509Certificate2 certificate)
    {
        try
        {
            foreach (X509Extension extension in certificate.Extensions)
            {
                if (extension is X509KeyUsageExtension usage)
                {
                    return usage.KeyUsages.HasFlag(X509KeyUsageFlags.DigitalSignature);
                }
            }

            return true;
        }
        catch (CryptographicException)
        {
            // A usage that cannot be read allows nothing.
            return false;
        }
    }

    private static (int RsaBits, int CurveBits) KeySizes(X509Certificate2 certificate)
    {
        if (certificate.GetKeyAlgorithm() == EllipticCurveKey)
        {
            return (0, CurveBits(certificate.GetKeyAlgorithmParameters()));
        }

        try
        {
            using RSA? rsa = certificate.GetRSAPublicKey();
            return (rsa?.KeySize ?? 0, 0);
        }
        catch (CryptographicException)
        {
            return (0, 0);
        }
    }

    // RFC 5480 section 2.1.1: the parameters are the curve's name, as an object identifier in DER. Other curves have the same
    // sizes, and a scheme names the curve, not only its size; so the platform need not be asked to make a key of it.
    private static int CurveBits(ReadOnlySpan<byte> parameters) => parameters switch
    {
        [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07] => 256,
        [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22] => 384,
        [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23] => 521,
        _ => 0,
    };

    private static HashAlgorithmName HashOf(SignatureScheme scheme) => ((ushort)scheme >> 8, (ushort)scheme & 0xff) switch
    {
        (4, _) or (8, 4) => HashAlgorithmName.SHA256,
        (5, _) or (8, 5) => HashAlgorithmName.SHA384,
        _ => HashAlgorithmName.SHA512,
    };
}
