using Post.Quic.Engine.Crypto.Platform;

namespace Post.Quic.Engine.Crypto.LibCrypto;

/// <summary>The primitives of OpenSSL's libcrypto, called directly.</summary>
internal sealed class LibCryptoProvider : CryptoProvider
{
    private static readonly Lazy<LibCryptoProvider?> LazyInstance = new(TryCreate);

    private readonly LibCryptoFunctions _functions;
    private readonly bool _aes128;
    private readonly bool _aes256;
    private readonly bool _chaCha20;
    private readonly Lazy<KeyAgreement?> _x25519;
    private readonly Lazy<KeyAgreement?> _p256;
    private readonly Lazy<KeyAgreement?> _p384;
    private readonly Lazy<SigningAlgorithm?> _ed25519;

    private LibCryptoProvider(LibCryptoFunctions functions)
    {
        _functions = functions;
        Name = $"libcrypto ({functions.VersionText})";
        _aes128 = functions.Aes128Gcm != 0 && functions.Aes128Ecb != 0
            && LibCryptoSelfTest.Passes(this, CipherSuite.Aes128GcmSha256);
        _aes256 = functions.Aes256Gcm != 0 && functions.Aes256Ecb != 0
            && LibCryptoSelfTest.Passes(this, CipherSuite.Aes256GcmSha384);
        _chaCha20 = functions.ChaCha20Poly1305 != 0 && functions.ChaCha20 != 0
            && LibCryptoSelfTest.Passes(this, CipherSuite.ChaCha20Poly1305Sha256);

        // Each when first asked for: the self-test of P-384 takes milliseconds, and hardly anybody needs it.
        _x25519 = new(() => CreateKeyAgreement(NamedGroup.X25519));
        _p256 = new(() => CreateKeyAgreement(NamedGroup.Secp256r1));
        _p384 = new(() => CreateKeyAgreement(NamedGroup.Secp384r1));
        _ed25519 = new(() => functions.Signatures is { } signatures ? LibCryptoEd25519.TryCreate(signatures) : null);
    }

    /// <summary>Null where the library does not load, lacks an export, or fails its self-test for a mandatory suite.</summary>
    public static LibCryptoProvider? Instance => LazyInstance.Value;

    public override string Name { get; }

    public override bool IsSupported(CipherSuite suite) => suite switch
    {
        CipherSuite.Aes128GcmSha256 => _aes128,
        CipherSuite.Aes256GcmSha384 => _aes256,
        CipherSuite.ChaCha20Poly1305Sha256 => _chaCha20,
        _ => false,
    };

    public override Aead CreateAead(CipherSuite suite, KeyDirection direction, ReadOnlySpan<byte> key)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(key.Length, suite.KeyLength());
        nint cipher = suite switch
        {
            CipherSuite.Aes128GcmSha256 => _functions.Aes128Gcm,
            CipherSuite.Aes256GcmSha384 => _functions.Aes256Gcm,
            CipherSuite.ChaCha20Poly1305Sha256 => _functions.ChaCha20Poly1305,
            _ => throw new ArgumentOutOfRangeException(nameof(suite)),
        };
        return new LibCryptoAead(_functions, cipher, direction, key);
    }

    public override HeaderProtection CreateHeaderProtection(CipherSuite suite, ReadOnlySpan<byte> key)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(key.Length, suite.KeyLength());
        return suite switch
        {
            CipherSuite.Aes128GcmSha256 => new LibCryptoAesHeaderProtection(_functions, _functions.Aes128Ecb, key),
            CipherSuite.Aes256GcmSha384 => new LibCryptoAesHeaderProtection(_functions, _functions.Aes256Ecb, key),
            CipherSuite.ChaCha20Poly1305Sha256 => new LibCryptoChaCha20HeaderProtection(_functions, _functions.ChaCha20, key),
            _ => throw new ArgumentOutOfRangeException(nameof(suite)),
        };
    }

    public override KeyAgreement? FindKeyAgreement(NamedGroup group) => group switch
    {
        NamedGroup.X25519 => _x25519.Value,
        NamedGroup.Secp256r1 => _p256.Value,
        NamedGroup.Secp384r1 => _p384.Value,
        _ => null,
    };

    public override SigningAlgorithm? FindSigning(KeyAlgorithm algorithm) =>
        algorithm == KeyAlgorithm.Ed25519 ? _ed25519.Value : PlatformCryptoProvider.Instance.FindSigning(algorithm);

    private KeyAgreement? CreateKeyAgreement(NamedGroup group) =>
        (_functions.Keys is { } keys ? LibCryptoKeyAgreement.TryCreate(keys, group) : null)
            ?? PlatformCryptoProvider.Instance.FindKeyAgreement(group);

    private static LibCryptoProvider? TryCreate()
    {
        LibCryptoFunctions? functions = LibCryptoFunctions.TryLoad();
        if (functions is null)
        {
            return null;
        }

        var provider = new LibCryptoProvider(functions);

        // RFC 9001 section 5.2: Initial packets need AES-128-GCM whatever is negotiated later.
        return provider._aes128 ? provider : null;
    }
}
