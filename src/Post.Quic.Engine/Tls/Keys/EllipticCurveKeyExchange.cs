using System.Security.Cryptography;

namespace Post.Quic.Engine.Tls.Keys;

/// <summary>ECDHE over a NIST curve (RFC 8446 sections 4.2.8.2 and 7.4.2).</summary>
internal sealed class EllipticCurveKeyExchange : KeyExchange
{
    private const byte Uncompressed = 4;

    private readonly ECCurve _curve;
    private readonly int _fieldLength;

    public EllipticCurveKeyExchange(NamedGroup group)
    {
        Group = group;
        (_curve, _fieldLength) = group switch
        {
            NamedGroup.Secp256r1 => (ECCurve.NamedCurves.nistP256, 32),
            NamedGroup.Secp384r1 => (ECCurve.NamedCurves.nistP384, 48),
            _ => throw new ArgumentOutOfRangeException(nameof(group)),
        };
    }

    public override NamedGroup Group { get; }

    public override bool IsSupported => true;

    /// <summary>Bytes of a share: a byte of form and two coordinates.</summary>
    public int ShareLength => 1 + (2 * _fieldLength);

    public override KeyShareOffer Offer()
    {
        ECDiffieHellman key = ECDiffieHellman.Create(_curve);
        return new PendingShare(this, key, EncodePoint(key));
    }

    public override bool TryAnswer(ReadOnlySpan<byte> clientShare, out byte[] serverShare, out SecretBuffer? secret)
    {
        using ECDiffieHellman key = ECDiffieHellman.Create(_curve);
        secret = Agree(key, clientShare);
        serverShare = secret is null ? [] : EncodePoint(key);
        return secret is not null;
    }

    private byte[] EncodePoint(ECDiffieHellman key)
    {
        ECPoint point = key.ExportParameters(includePrivateParameters: false).Q;
        byte[] encoded = new byte[ShareLength];
        encoded[0] = Uncompressed;
        point.X!.CopyTo(encoded, 1);
        point.Y!.CopyTo(encoded, 1 + _fieldLength);
        return encoded;
    }

    private SecretBuffer? Agree(ECDiffieHellman key, ReadOnlySpan<byte> peerShare)
    {
        if (peerShare.Length != ShareLength || peerShare[0] != Uncompressed)
        {
            return null;
        }

        var parameters = new ECParameters
        {
            Curve = _curve,
            Q = new ECPoint
            {
                X = peerShare.Slice(1, _fieldLength).ToArray(),
                Y = peerShare[(1 + _fieldLength)..].ToArray(),
            },
        };
        try
        {
            // The platform refuses a point that is not on the curve (RFC 8446 section 4.2.8.2) with an exception; it
            // has no other way to say so.
            using ECDiffieHellman peer = ECDiffieHellman.Create(parameters);
            using ECDiffieHellmanPublicKey peerKey = peer.PublicKey;
            byte[] raw = key.DeriveRawSecretAgreement(peerKey);
            var secret = new SecretBuffer(raw);
            CryptographicOperations.ZeroMemory(raw);
            return secret;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    /// <summary>The private key that waits for the server's share.</summary>
    private sealed class PendingShare(EllipticCurveKeyExchange exchange, ECDiffieHellman key, byte[] share)
        : KeyShareOffer(exchange.Group, share)
    {
        public override SecretBuffer? Finish(ReadOnlySpan<byte> serverShare) => exchange.Agree(key, serverShare);

        public override void Dispose() => key.Dispose();
    }
}
