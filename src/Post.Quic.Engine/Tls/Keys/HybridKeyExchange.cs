using System.Security.Cryptography;
using Post.Quic.Engine.Crypto;

namespace Post.Quic.Engine.Tls.Keys;

/// <summary>
/// Diffie-Hellman and ML-KEM side by side (draft-ietf-tls-ecdhe-mlkem), where the platform has ML-KEM: secret as long as
/// either holds. What is sent and agreed is the concatenation of both parts. For the NIST curves theirs comes first;
/// for X25519 it comes last.
/// </summary>
internal sealed class HybridKeyExchange : KeyExchange
{
    private readonly DiffieHellmanExchange _curve;
    private readonly MLKemAlgorithm _kem;
    private readonly int _curveShareLength;
    private readonly bool _curveIsFirst;

    private HybridKeyExchange(NamedGroup group, KeyAgreement curve, MLKemAlgorithm kem)
    {
        Group = group;
        _curve = new DiffieHellmanExchange(curve);
        _kem = kem;
        _curveShareLength = curve.Group.ShareLength();
        _curveIsFirst = curve.Group != NamedGroup.X25519;
    }

    public override NamedGroup Group { get; }

    /// <summary>The hybrid of a group; null where it is none, or the platform lacks one of its halves.</summary>
    public static new HybridKeyExchange? Find(CryptoProvider provider, NamedGroup group)
    {
        (NamedGroup curve, MLKemAlgorithm kem) = group switch
        {
            NamedGroup.X25519MlKem768 => (NamedGroup.X25519, MLKemAlgorithm.MLKem768),
            NamedGroup.Secp256r1MlKem768 => (NamedGroup.Secp256r1, MLKemAlgorithm.MLKem768),
            NamedGroup.Secp384r1MlKem1024 => (NamedGroup.Secp384r1, MLKemAlgorithm.MLKem1024),
            _ => (NamedGroup.None, MLKemAlgorithm.MLKem768),
        };
        return MLKem.IsSupported && provider.FindKeyAgreement(curve) is { } agreement
            ? new HybridKeyExchange(group, agreement, kem)
            : null;
    }

    public override KeyShareOffer Offer()
    {
        KeyShareOffer curve = _curve.Offer();
        MLKem kem = MLKem.GenerateKey(_kem);
        return new PendingShare(this, curve, kem, Join(curve.Share, kem.ExportEncapsulationKey()));
    }

    public override bool TryAnswer(ReadOnlySpan<byte> clientShare, out byte[] serverShare, out SecretBuffer? secret)
    {
        serverShare = [];
        secret = null;
        if (!TrySplit(
                clientShare, _kem.EncapsulationKeySizeInBytes, out ReadOnlySpan<byte> curvePart, out ReadOnlySpan<byte> kemPart) ||
            !_curve.TryAnswer(curvePart, out byte[] curveShare, out SecretBuffer? curveSecret))
        {
            return false;
        }

        using (curveSecret)
        {
            SecretBuffer joined = Secret(curveSecret!, out Span<byte> kemSecret);
            try
            {
                // FIPS 203 section 7.2: an encapsulation key with a coefficient out of range is refused here.
                using MLKem kem = MLKem.ImportEncapsulationKey(_kem, kemPart);
                byte[] ciphertext = new byte[_kem.CiphertextSizeInBytes];
                kem.Encapsulate(ciphertext, kemSecret);
                serverShare = Join(curveShare, ciphertext);
                secret = joined;
                return true;
            }
            catch (CryptographicException)
            {
                joined.Dispose();
                return false;
            }
        }
    }

    private byte[] Join(byte[] curvePart, byte[] kemPart) =>
        _curveIsFirst ? [.. curvePart, .. kemPart] : [.. kemPart, .. curvePart];

    private bool TrySplit(
        ReadOnlySpan<byte> share, int kemLength, out ReadOnlySpan<byte> curvePart, out ReadOnlySpan<byte> kemPart)
    {
        curvePart = default;
        kemPart = default;
        if (share.Length != _curveShareLength + kemLength)
        {
            return false;
        }

        curvePart = _curveIsFirst ? share[.._curveShareLength] : share[kemLength..];
        kemPart = _curveIsFirst ? share[_curveShareLength..] : share[..kemLength];
        return true;
    }

    /// <summary>A buffer for the joined secret with the curve's part in its place.</summary>
    private SecretBuffer Secret(SecretBuffer curveSecret, out Span<byte> kemSecret)
    {
        int curveLength = curveSecret.Span.Length;
        int kemLength = _kem.SharedSecretSizeInBytes;
        var joined = new SecretBuffer(curveLength + kemLength);
        curveSecret.Span.CopyTo(joined.Span[(_curveIsFirst ? 0 : kemLength)..]);
        kemSecret = joined.Span.Slice(_curveIsFirst ? curveLength : 0, kemLength);
        return joined;
    }

    /// <summary>The private keys that wait for the server's share.</summary>
    private sealed class PendingShare(HybridKeyExchange exchange, KeyShareOffer curve, MLKem kem, byte[] share)
        : KeyShareOffer(exchange.Group, share)
    {
        public override SecretBuffer? Finish(ReadOnlySpan<byte> serverShare)
        {
            if (!exchange.TrySplit(
                serverShare, exchange._kem.CiphertextSizeInBytes, out ReadOnlySpan<byte> curvePart, out ReadOnlySpan<byte> kemPart))
            {
                return null;
            }

            using SecretBuffer? curveSecret = curve.Finish(curvePart);
            if (curveSecret is null)
            {
                return null;
            }

            SecretBuffer joined = exchange.Secret(curveSecret, out Span<byte> kemSecret);
            try
            {
                kem.Decapsulate(kemPart, kemSecret);
                return joined;
            }
            catch (CryptographicException)
            {
                joined.Dispose();
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
