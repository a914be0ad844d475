using System.Security.Cryptography;

namespace Post.Quic.Engine.Crypto.Platform;

/// <summary>A NIST curve through <see cref="ECDiffieHellman"/>. The platform has no X25519.</summary>
internal sealed class PlatformKeyAgreement(NamedGroup group, ECCurve curve) : KeyAgreement(group)
{
    private const byte Uncompressed = 4;

    public override EphemeralKey Generate()
    {
        ECDiffieHellman key = ECDiffieHellman.Create(curve);
        return new Key(this, key, Encode(key));
    }

    private byte[] Encode(ECDiffieHellman key)
    {
        ECPoint point = key.ExportParameters(includePrivateParameters: false).Q;
        byte[] share = new byte[Group.ShareLength()];
        share[0] = Uncompressed;
        point.X!.CopyTo(share, 1);
        point.Y!.CopyTo(share, 1 + point.X!.Length);
        return share;
    }

    private ECParameters Decode(ReadOnlySpan<byte> share)
    {
        int half = share.Length / 2;
        return new ECParameters
        {
            Curve = curve,
            Q = new ECPoint { X = share.Slice(1, half).ToArray(), Y = share[(1 + half)..].ToArray() },
        };
    }

    private sealed class Key(PlatformKeyAgreement agreement, ECDiffieHellman key, byte[] share)
        : EphemeralKey(agreement.Group, share)
    {
        private protected override bool TryDerive(ReadOnlySpan<byte> peerShare, Span<byte> secret)
        {
            try
            {
                // The platform refuses a point that is not on the curve (RFC 8446 section 4.2.8.2) with an exception; it
                // has no other way to say so.
                using ECDiffieHellman peer = ECDiffieHellman.Create(agreement.Decode(peerShare));
                using ECDiffieHellmanPublicKey peerKey = peer.PublicKey;
                byte[] raw = key.DeriveRawSecretAgreement(peerKey);
                raw.CopyTo(secret);
                CryptographicOperations.ZeroMemory(raw);
                return true;
            }
            catch (CryptographicException)
            {
                return false;
            }
        }

        protected override void Dispose(bool disposing) => key.Dispose();
    }
}
