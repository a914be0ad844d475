using System.Formats.Asn1;
using System.Security.Cryptography;

namespace Post.Quic.Engine.Crypto.LibCrypto;

/// <summary>Ed25519 (RFC 8032) over libcrypto's EVP interface: the only one there is, since .NET has no class for it.</summary>
internal sealed class LibCryptoEd25519 : SigningAlgorithm
{
    private const int KeyLength = 32;
    private const int SignatureLength = 64;

    /// <summary>id-Ed25519 (RFC 8410 section 3).</summary>
    private const string Identifier = "1.3.101.112";

    private readonly LibCryptoSignatureFunctions _functions;

    private LibCryptoEd25519(LibCryptoSignatureFunctions functions)
        : base(KeyAlgorithm.Ed25519)
    {
        _functions = functions;
    }

    /// <summary>RFC 8410 section 7, for a key in version 1 of PKCS#8: all that stands before its 32 bytes.</summary>
    private static ReadOnlySpan<byte> Pkcs8Prefix =>
        [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

    /// <summary>Null where the library does not offer the algorithm or fails its self-test.</summary>
    public static LibCryptoEd25519? TryCreate(LibCryptoSignatureFunctions functions)
    {
        var algorithm = new LibCryptoEd25519(functions);
        return LibCryptoSignatureSelfTest.Passes(algorithm) ? algorithm : null;
    }

    public override SigningKey Generate()
    {
        // RFC 8032 section 5.1.5: a private key is 32 bytes of random data.
        Span<byte> seed = stackalloc byte[KeyLength];
        RandomNumberGenerator.Fill(seed);
        try
        {
            return FromSeed(seed) ?? throw new CryptographicException("libcrypto could not make an Ed25519 key.");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(seed);
        }
    }

    public override SigningKey? Import(ReadOnlySpan<byte> pkcs8)
    {
        Span<byte> seed = stackalloc byte[KeyLength];
        try
        {
            return TryReadSeed(pkcs8, seed) ? FromSeed(seed) : null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(seed);
        }
    }

    /// <summary>The key pair of a private key of 32 bytes; null where the library does not take it.</summary>
    public SigningKey? FromSeed(ReadOnlySpan<byte> seed)
    {
        if (_functions.ReadPrivate(seed) is not { } handle)
        {
            return null;
        }

        Span<byte> publicKey = stackalloc byte[KeyLength];
        if (_functions.TryGetPublic(handle, publicKey) && RawPublicKey.Create(KeyAlgorithm.Ed25519, publicKey) is { } encoded)
        {
            return new Key(this, handle, encoded);
        }

        handle.Dispose();
        return null;
    }

    // A key that is no point of the curve verifies nothing, which the library finds out with the first signature.
    public override bool IsUsable(RawPublicKey key) => !SmallOrderPoints.Contain(key.Key);

    public override bool Verify(RawPublicKey key, ReadOnlySpan<byte> content, ReadOnlySpan<byte> signature)
    {
        if (signature.Length != SignatureLength || !IsUsable(key))
        {
            return false;
        }

        using LibCryptoKeyHandle? handle = _functions.ReadPublic(key.Key);
        return handle is not null && _functions.Verify(handle, content, signature);
    }

    /// <summary>Reads PKCS#8 in version 1 or 2 (RFC 5958), the second of which carries the public key too. It comes of files, not of the network.</summary>
    private static bool TryReadSeed(ReadOnlySpan<byte> pkcs8, Span<byte> seed)
    {
        byte[] copy = pkcs8.ToArray();
        try
        {
            var outer = new AsnReader(copy, AsnEncodingRules.DER);
            AsnReader content = outer.ReadSequence();
            outer.ThrowIfNotEmpty();
            content.ReadInteger();
            if (content.ReadSequence().ReadObjectIdentifier() != Identifier)
            {
                return false;
            }

            var inner = new AsnReader(content.ReadOctetString(), AsnEncodingRules.DER);
            return inner.TryReadOctetString(seed, out int length) && length == KeyLength && !inner.HasData;
        }
        catch (AsnContentException)
        {
            return false;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(copy);
        }
    }

    private sealed class Key(LibCryptoEd25519 algorithm, LibCryptoKeyHandle handle, RawPublicKey publicKey) : SigningKey(publicKey)
    {
        public override byte[] Sign(ReadOnlySpan<byte> content)
        {
            byte[] signature = new byte[SignatureLength];
            return algorithm._functions.TrySign(handle, content, signature)
                ? signature
                : throw new CryptographicException("libcrypto could not sign with an Ed25519 key.");
        }

        public override byte[] Export()
        {
            byte[] encoded = [.. Pkcs8Prefix, .. stackalloc byte[KeyLength]];
            return algorithm._functions.TryGetPrivate(handle, encoded.AsSpan(Pkcs8Prefix.Length))
                ? encoded
                : throw new CryptographicException("libcrypto did not give the private key.");
        }

        protected override void Dispose(bool disposing) => handle.Dispose();
    }
}
