using System.Security.Cryptography;

namespace Post.Quic.Engine.Crypto.Platform;

/// <summary>ECDSA over a NIST curve through <see cref="ECDsa"/>, with the hash that RFC 8446 section 4.2.3 binds to the curve.</summary>
internal sealed class PlatformEcdsa(KeyAlgorithm algorithm, ECCurve curve, HashAlgorithmName hash) : SigningAlgorithm(algorithm)
{
    public override SigningKey Generate() =>
        Own(ECDsa.Create(curve)) ?? throw new CryptographicException("The platform made a key of another form than its curve's.");

    public override SigningKey? Import(ReadOnlySpan<byte> pkcs8)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportPkcs8PrivateKey(pkcs8, out int length);
            if (length == pkcs8.Length)
            {
                return Own(key);
            }
        }
        catch (CryptographicException)
        {
            // The platform has no other way to say that it is no such key.
        }

        key.Dispose();
        return null;
    }

    public override bool IsUsable(RawPublicKey key)
    {
        using ECDsa? loaded = Load(key);
        return loaded is not null;
    }

    public override bool Verify(RawPublicKey key, ReadOnlySpan<byte> content, ReadOnlySpan<byte> signature)
    {
        using ECDsa? loaded = Load(key);
        try
        {
            return loaded is not null && loaded.VerifyData(content, signature, hash, DSASignatureFormat.Rfc3279DerSequence);
        }
        catch (CryptographicException)
        {
            // Of a signature that is not the DER of two integers.
            return false;
        }
    }

    private ECDsa? Load(RawPublicKey key)
    {
        int half = key.Key.Length / 2;
        try
        {
            return ECDsa.Create(new ECParameters
            {
                Curve = curve,
                Q = new ECPoint { X = key.Key[..half].ToArray(), Y = key.Key[half..].ToArray() },
            });
        }
        catch (CryptographicException)
        {
            // The platform refuses a point that is not on the curve so, and has no other way to.
            return null;
        }
    }

    private Key? Own(ECDsa key)
    {
        if (RawPublicKey.Parse(key.ExportSubjectPublicKeyInfo()) is { } publicKey && publicKey.Algorithm == Algorithm)
        {
            return new Key(key, publicKey, hash);
        }

        key.Dispose();
        return null;
    }

    private sealed class Key(ECDsa key, RawPublicKey publicKey, HashAlgorithmName hash) : SigningKey(publicKey)
    {
        private readonly Lock _gate = new();

        // The platform's objects promise nothing to several threads at once, and handshakes run on many.
        public override byte[] Sign(ReadOnlySpan<byte> content)
        {
            lock (_gate)
            {
                return key.SignData(content, hash, DSASignatureFormat.Rfc3279DerSequence);
            }
        }

        public override byte[] Export()
        {
            lock (_gate)
            {
                return key.ExportPkcs8PrivateKey();
            }
        }

        protected override void Dispose(bool disposing)
        {
            lock (_gate)
            {
                key.Dispose();
            }
        }
    }
}
