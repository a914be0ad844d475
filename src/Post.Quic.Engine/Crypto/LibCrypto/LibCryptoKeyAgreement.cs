using System.Security.Cryptography;

namespace Post.Quic.Engine.Crypto.LibCrypto;

/// <summary>
/// X25519 and the NIST curves over libcrypto's EVP interface: a fifth of what the platform's class costs for the same
/// P-256, and the only X25519 there is.
/// </summary>
internal sealed class LibCryptoKeyAgreement : KeyAgreement
{
    private readonly LibCryptoKeyFunctions _functions;
    private readonly LibCryptoKeyHandle _template;

    private LibCryptoKeyAgreement(LibCryptoKeyFunctions functions, NamedGroup group, LibCryptoKeyHandle template)
        : base(group)
    {
        _functions = functions;
        _template = template;
    }

    /// <summary>Null where the library does not offer the group or fails its self-test.</summary>
    public static LibCryptoKeyAgreement? TryCreate(LibCryptoKeyFunctions functions, NamedGroup group)
    {
        if (functions.CreateTemplate(group) is not { } template)
        {
            return null;
        }

        var agreement = new LibCryptoKeyAgreement(functions, group, template);
        return LibCryptoKeySelfTest.Passes(agreement) ? agreement : null;
    }

    public override EphemeralKey Generate() =>
        Wrap(_functions.Generate(_template)) ?? throw new CryptographicException("libcrypto could not generate a key.");

    /// <summary>A key with a known private part; null where the library does not read it.</summary>
    public EphemeralKey? ReadPrivate(ReadOnlySpan<byte> encoded) => Wrap(_functions.ReadPrivate(encoded));

    private Key? Wrap(LibCryptoKeyHandle? handle)
    {
        if (handle is null)
        {
            return null;
        }

        byte[] share = new byte[Group.ShareLength()];
        if (_functions.TryGetPublic(handle, share))
        {
            return new Key(this, handle, share);
        }

        handle.Dispose();
        return null;
    }

    private sealed class Key(LibCryptoKeyAgreement agreement, LibCryptoKeyHandle handle, byte[] share)
        : EphemeralKey(agreement.Group, share)
    {
        private protected override bool TryDerive(ReadOnlySpan<byte> peerShare, Span<byte> secret) =>
            agreement._functions.TryDerive(agreement._template, handle, peerShare, secret);

        protected override void Dispose(bool disposing) => handle.Dispose();
    }
}
