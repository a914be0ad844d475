using System.Runtime.InteropServices;

namespace Post.Quic.Engine.Crypto.LibCrypto;

/// <summary>
/// The exports of OpenSSL's libcrypto (1.1.1 and 3) for Ed25519, as function pointers. Either all are found or the library is
/// not used for it.
/// </summary>
internal sealed unsafe class LibCryptoSignatureFunctions
{
    /// <summary>EVP_PKEY_ED25519 of openssl/evp.h.</summary>
    private const int TypeOfEd25519 = 1087;

    private readonly LibCryptoKeyFunctions _keys;
    private readonly delegate* unmanaged[Cdecl]<void> _clearErrors;
    private readonly delegate* unmanaged[Cdecl]<int, nint, byte*, nint, nint> _newPrivate;
    private readonly delegate* unmanaged[Cdecl]<int, nint, byte*, nint, nint> _newPublic;
    private readonly delegate* unmanaged[Cdecl]<nint, byte*, nint*, int> _getPrivate;
    private readonly delegate* unmanaged[Cdecl]<nint, byte*, nint*, int> _getPublic;
    private readonly delegate* unmanaged[Cdecl]<nint> _newContext;
    private readonly delegate* unmanaged[Cdecl]<nint, void> _freeContext;
    private readonly delegate* unmanaged[Cdecl]<nint, nint, nint, nint, nint, int> _beginSign;
    private readonly delegate* unmanaged[Cdecl]<nint, byte*, nint*, byte*, nint, int> _sign;
    private readonly delegate* unmanaged[Cdecl]<nint, nint, nint, nint, nint, int> _beginVerify;
    private readonly delegate* unmanaged[Cdecl]<nint, byte*, nint, byte*, nint, int> _verify;

    /// <exception cref="EntryPointNotFoundException">The library lacks one of the calls.</exception>
    public LibCryptoSignatureFunctions(nint library, LibCryptoKeyFunctions keys)
    {
        _keys = keys;
        _clearErrors = (delegate* unmanaged[Cdecl]<void>)NativeLibrary.GetExport(library, "ERR_clear_error");
        _newPrivate = (delegate* unmanaged[Cdecl]<int, nint, byte*, nint, nint>)
            NativeLibrary.GetExport(library, "EVP_PKEY_new_raw_private_key");
        _newPublic = (delegate* unmanaged[Cdecl]<int, nint, byte*, nint, nint>)
            NativeLibrary.GetExport(library, "EVP_PKEY_new_raw_public_key");
        _getPrivate = (delegate* unmanaged[Cdecl]<nint, byte*, nint*, int>)
            NativeLibrary.GetExport(library, "EVP_PKEY_get_raw_private_key");
        _getPublic = (delegate* unmanaged[Cdecl]<nint, byte*, nint*, int>)
            NativeLibrary.GetExport(library, "EVP_PKEY_get_raw_public_key");
        _newContext = (delegate* unmanaged[Cdecl]<nint>)NativeLibrary.GetExport(library, "EVP_MD_CTX_new");
        _freeContext = (delegate* unmanaged[Cdecl]<nint, void>)NativeLibrary.GetExport(library, "EVP_MD_CTX_free");
        _beginSign = (delegate* unmanaged[Cdecl]<nint, nint, nint, nint, nint, int>)
            NativeLibrary.GetExport(library, "EVP_DigestSignInit");
        _sign = (delegate* unmanaged[Cdecl]<nint, byte*, nint*, byte*, nint, int>)NativeLibrary.GetExport(library, "EVP_DigestSign");
        _beginVerify = (delegate* unmanaged[Cdecl]<nint, nint, nint, nint, nint, int>)
            NativeLibrary.GetExport(library, "EVP_DigestVerifyInit");
        _verify = (delegate* unmanaged[Cdecl]<nint, byte*, nint, byte*, nint, int>)NativeLibrary.GetExport(library, "EVP_DigestVerify");
    }

    /// <summary>The key pair of a private key; null where the library does not take it, or has no Ed25519 (a FIPS build).</summary>
    public LibCryptoKeyHandle? ReadPrivate(ReadOnlySpan<byte> key)
    {
        fixed (byte* pointer = key)
        {
            return _keys.Own(_newPrivate(TypeOfEd25519, 0, pointer, key.Length));
        }
    }

    public LibCryptoKeyHandle? ReadPublic(ReadOnlySpan<byte> key)
    {
        fixed (byte* pointer = key)
        {
            return _keys.Own(_newPublic(TypeOfEd25519, 0, pointer, key.Length));
        }
    }

    public bool TryGetPrivate(LibCryptoKeyHandle key, Span<byte> output) => TryGet(_getPrivate, key, output);

    public bool TryGetPublic(LibCryptoKeyHandle key, Span<byte> output) => TryGet(_getPublic, key, output);

    /// <summary>Signs; false where the library fails, for want of memory.</summary>
    public bool TrySign(LibCryptoKeyHandle key, ReadOnlySpan<byte> content, Span<byte> signature)
    {
        nint length = signature.Length;
        nint context = _newContext();
        bool good;
        fixed (byte* contentPointer = content, signaturePointer = signature)
        {
            // No digest: the algorithm hashes by itself (RFC 8032 section 5.1.6).
            good = context != 0
                && _beginSign(context, 0, 0, 0, key.Pointer) == 1
                && _sign(context, signaturePointer, &length, contentPointer, content.Length) == 1
                && length == signature.Length;
        }

        return End(context, key, good);
    }

    public bool Verify(LibCryptoKeyHandle key, ReadOnlySpan<byte> content, ReadOnlySpan<byte> signature)
    {
        nint context = _newContext();
        bool good;
        fixed (byte* contentPointer = content, signaturePointer = signature)
        {
            good = context != 0
                && _beginVerify(context, 0, 0, 0, key.Pointer) == 1
                && _verify(context, signaturePointer, signature.Length, contentPointer, content.Length) == 1;
        }

        return End(context, key, good);
    }

    private static bool TryGet(delegate* unmanaged[Cdecl]<nint, byte*, nint*, int> get, LibCryptoKeyHandle key, Span<byte> output)
    {
        nint length = output.Length;
        bool good;
        fixed (byte* pointer = output)
        {
            good = get(key.Pointer, pointer, &length) == 1 && length == output.Length;
        }

        GC.KeepAlive(key);
        return good;
    }

    private bool End(nint context, LibCryptoKeyHandle key, bool good)
    {
        _freeContext(context);
        GC.KeepAlive(key);
        if (!good)
        {
            _clearErrors();
        }

        return good;
    }
}
