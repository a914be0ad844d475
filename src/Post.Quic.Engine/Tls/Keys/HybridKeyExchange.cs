using System.Security.Cryptography;

namespace Post.Quic.Engine.Tls.Keys;

/// <summary>
/// SecP256r1MLKEM768 (draft-ietf-tls-ecdhe-mlkem): P-256 and ML-KEM-768 side by side, where the platform has ML-KEM.
/// What is sent and agreed is the elliptic curve's part followed by ML-KEM's.
/// </summary>
internal sealed class HybridKeyExchange : KeyExchange
{
    private readonly EllipticCurveKeyExchange _curve = new(NamedGroup.Secp256r1);

    public override NamedGroup Group => NamedGroup.Secp256r1MlKem768;

    public override bool IsSupported => MLKem.IsSupported;

    public override KeyShareOffer Offer()
    {
        KeyShareOffer curve = _curve.Offer();
        MLKem kem = MLKem.GenerateKey(MLKemAlgorithm.MLKem768);
        return new PendingShare(Group, curve, kem, [.. curve.Share, .. kem.ExportEncapsulationKey()]);
    }

    public override bool TryAnswer(ReadOnlySpan<byte> clientShare, out byte[] serverShare, out SecretBuffer? secret)
    {
        serverShare = [];
        secret = null;
        int curveLength = _curve.ShareLength;
        if (clientShare.Length != curveLength + MLKemAlgorithm.MLKem768.EncapsulationKeySizeInBytes ||
            !_curve.TryAnswer(clientShare[..curveLength], out byte[] curveShare, out SecretBuffer? curveSecret))
        {
            return false;
        }

        using (curveSecret)
        {
            try
            {
                // FIPS 203 section 7.2: an encapsulation key with a coefficient out of range is refused here.
                using MLKem kem = MLKem.ImportEncapsulationKey(MLKemAlgorithm.MLKem768, clientShare[curveLength..]);
                byte[] ciphertext = new byte[MLKemAlgorithm.MLKem768.CiphertextSizeInBytes];
                secret = new SecretBuffer(curveSecret!.Span.Length + MLKemAlgorithm.MLKem768.SharedSecretSizeInBytes);
                curveSecret.Span.CopyTo(secret.Span);
                kem.Encapsulate(ciphertext, secret.Span[curveSecret.Span.Length..]);
                serverShare = [.. curveShare, .. ciphertext];
                return true;
            }
            catch (CryptographicException)
            {
                secret?.Dispose();
                secret = null;
                return false;
            }
        }
    }

    /// <summary>The private keys that wait for the server's share.</summary>
    private sealed class PendingShare(NamedGroup group, KeyShareOffer curve, MLKem kem, byte[] share)
        : KeyShareOffer(group, share)
    {
        public override SecretBuffer? Finish(ReadOnlySpan<byte> serverShare)
        {
            int ciphertextLength = MLKemAlgorithm.MLKem768.CiphertextSizeInBytes;
            if (serverShare.Length <= ciphertextLength)
            {
                return null;
            }

            using SecretBuffer? curveSecret = curve.Finish(serverShare[..^ciphertextLength]);
            if (curveSecret is null)
            {
                return null;
            }

            var secret = new SecretBuffer(curveSecret.Span.Length + MLKemAlgorithm.MLKem768.SharedSecretSizeInBytes);
            curveSecret.Span.CopyTo(secret.Span);
            try
            {
                kem.Decapsulate(serverShare[^ciphertextLength..], secret.Span[curveSecret.Span.Length..]);
                return secret;
            }
            catch (CryptographicException)
            {
                secret.Dispose();
                return null;
            }
        }

        public override void Dispose()
        {
            curve.Dispose();
            kem.Dispose();
        }
    }
}
