using System.Runtime.InteropServices;

namespace Post.Quic.Engine.Crypto.LibCrypto;

/// <summary>
/// The exports of OpenSSL's libcrypto (1.1 and 3) for key agreement, as function pointers. Either all are found or
/// the library is not used for it.
/// </summary>
internal sealed unsafe class LibCryptoKeyFunctions
{
    /// <summary>EVP_PKEY_EC of openssl/evp.h.</summary>
    private const int TypeOfCurves = 408;

    /// <summary>EVP_PKEY_X25519.</summary>
    private const int TypeOfX25519 = 1034;

    private readonly delegate* unmanaged[Cdecl]<void> _clearErrors;
    private readonly delegate* unmanaged[Cdecl]<nint> _newKey;
    private readonly delegate* unmanaged[Cdecl]<nint, void> _freeKey;
    private readonly delegate* unmanaged[Cdecl]<nint, nint, int> _copyParameters;
    private readonly delegate* unmanaged[Cdecl]<nint, byte*, nint, int> _setPublic;
    private readonly delegate* unmanaged[Cdecl]<nint, byte**, nint> _getPublic;
    private readonly delegate* unmanaged[Cdecl]<void*, byte*, int, void> _free;
    private readonly delegate* unmanaged[Cdecl]<nint*, byte**, int, nint> _readPrivate;
    private readonly delegate* unmanaged[Cdecl]<int, nint, nint> _newContextOfType;
    private readonly delegate* unmanaged[Cdecl]<nint, nint, nint> _newContext;
    private readonly delegate* unmanaged[Cdecl]<nint, void> _freeContext;
    private readonly delegate* unmanaged[Cdecl]<nint, byte*, byte*, int> _control;
    private readonly delegate* unmanaged[Cdecl]<nint, int> _beginParameters;
    private readonly delegate* unmanaged[Cdecl]<nint, nint*, int> _generateParameters;
    private readonly delegate* unmanaged[Cdecl]<nint, int> _beginKey;
    private readonly delegate* unmanaged[Cdecl]<nint, nint*, int> _generateKey;
    private readonly delegate* unmanaged[Cdecl]<nint, int> _beginDerive;
    private readonly delegate* unmanaged[Cdecl]<nint, nint, int> _setPeer;
    private readonly delegate* unmanaged[Cdecl]<nint, nint, int, int> _setPeerUnchecked;
    private readonly delegate* unmanaged[Cdecl]<nint, byte*, nint*, int> _derive;

    /// <exception cref="EntryPointNotFoundException">The library lacks one of the calls.</exception>
    public LibCryptoKeyFunctions(nint library)
    {
        // The names of two calls changed with OpenSSL 3, their meaning did not.
        bool isNew = NativeLibrary.TryGetExport(library, "EVP_PKEY_set1_encoded_public_key", out _);
        _clearErrors = (delegate* unmanaged[Cdecl]<void>)NativeLibrary.GetExport(library, "ERR_clear_error");
        _newKey = (delegate* unmanaged[Cdecl]<nint>)NativeLibrary.GetExport(library, "EVP_PKEY_new");
        _freeKey = (delegate* unmanaged[Cdecl]<nint, void>)NativeLibrary.GetExport(library, "EVP_PKEY_free");
        _copyParameters = (delegate* unmanaged[Cdecl]<nint, nint, int>)
            NativeLibrary.GetExport(library, "EVP_PKEY_copy_parameters");
        _setPublic = (delegate* unmanaged[Cdecl]<nint, byte*, nint, int>)NativeLibrary.GetExport(
            library, isNew ? "EVP_PKEY_set1_encoded_public_key" : "EVP_PKEY_set1_tls_encodedpoint");
        _getPublic = (delegate* unmanaged[Cdecl]<nint, byte**, nint>)NativeLibrary.GetExport(
            library, isNew ? "EVP_PKEY_get1_encoded_public_key" : "EVP_PKEY_get1_tls_encodedpoint");
        _free = (delegate* unmanaged[Cdecl]<void*, byte*, int, void>)NativeLibrary.GetExport(library, "CRYPTO_free");
        _readPrivate = (delegate* unmanaged[Cdecl]<nint*, byte**, int, nint>)
            NativeLibrary.GetExport(library, "d2i_AutoPrivateKey");
        _newContextOfType = (delegate* unmanaged[Cdecl]<int, nint, nint>)
            NativeLibrary.GetExport(library, "EVP_PKEY_CTX_new_id");
        _newContext = (delegate* unmanaged[Cdecl]<nint, nint, nint>)NativeLibrary.GetExport(library, "EVP_PKEY_CTX_new");
        _freeContext = (delegate* unmanaged[Cdecl]<nint, void>)NativeLibrary.GetExport(library, "EVP_PKEY_CTX_free");
        _control = (delegate* unmanaged[Cdecl]<nint, byte*, byte*, int>)
            NativeLibrary.GetExport(library, "EVP_PKEY_CTX_ctrl_str");
        _beginParameters = (delegate* unmanaged[Cdecl]<nint, int>)NativeLibrary.GetExport(library, "EVP_PKEY_paramgen_init");
        _generateParameters = (delegate* unmanaged[Cdecl]<nint, nint*, int>)
            NativeLibrary.GetExport(library, "EVP_PKEY_paramgen");
        _beginKey = (delegate* unmanaged[Cdecl]<nint, int>)NativeLibrary.GetExport(library, "EVP_PKEY_keygen_init");
        _generateKey = (delegate* unmanaged[Cdecl]<nint, nint*, int>)NativeLibrary.GetExport(library, "EVP_PKEY_keygen");
        _beginDerive = (delegate* unmanaged[Cdecl]<nint, int>)NativeLibrary.GetExport(library, "EVP_PKEY_derive_init");
        _setPeer = (delegate* unmanaged[Cdecl]<nint, nint, int>)NativeLibrary.GetExport(library, "EVP_PKEY_derive_set_peer");
        _setPeerUnchecked = NativeLibrary.TryGetExport(library, "EVP_PKEY_derive_set_peer_ex", out nint unchecked3)
            ? (delegate* unmanaged[Cdecl]<nint, nint, int, int>)unchecked3
            : null;
        _derive = (delegate* unmanaged[Cdecl]<nint, byte*, nint*, int>)NativeLibrary.GetExport(library, "EVP_PKEY_derive");
    }

    /// <summary>
    /// What keys of the group are made after: its parameters, or for X25519, which has none, any key. Null where the
    /// library does not offer the group (a FIPS build has no X25519).
    /// </summary>
    public LibCryptoKeyHandle? CreateTemplate(NamedGroup group)
    {
        nint context = _newContextOfType(group == NamedGroup.X25519 ? TypeOfX25519 : TypeOfCurves, 0);
        nint template = 0;
        if (context != 0)
        {
            if (group == NamedGroup.X25519)
            {
                _ = _beginKey(context) == 1 && _generateKey(context, &template) == 1;
            }
            else
            {
                fixed (byte* name = "ec_paramgen_curve\0"u8, curve = group == NamedGroup.Secp256r1 ? "P-256\0"u8 : "P-384\0"u8)
                {
                    _ = _beginParameters(context) == 1
                        && _control(context, name, curve) == 1
                        && _generateParameters(context, &template) == 1;
                }
            }

            _freeContext(context);
        }

        return Own(template);
    }

    /// <summary>A new key pair; null where the library fails, for want of memory or entropy.</summary>
    public LibCryptoKeyHandle? Generate(LibCryptoKeyHandle template)
    {
        nint key = 0;
        nint context = _newContext(template.Pointer, 0);
        if (context != 0)
        {
            _ = _beginKey(context) == 1 && _generateKey(context, &key) == 1;
            _freeContext(context);
        }

        GC.KeepAlive(template);
        return Own(key);
    }

    /// <summary>A key pair whose private key is known (PKCS#8, or SEC 1 for the curves): for the self-test.</summary>
    public LibCryptoKeyHandle? ReadPrivate(ReadOnlySpan<byte> encoded)
    {
        fixed (byte* pointer = encoded)
        {
            byte* position = pointer;
            return Own(_readPrivate(null, &position, encoded.Length));
        }
    }

    /// <summary>The public key as TLS sends it; false where that takes another number of bytes.</summary>
    public bool TryGetPublic(LibCryptoKeyHandle key, Span<byte> share)
    {
        byte* encoded = null;
        nint length = _getPublic(key.Pointer, &encoded);
        GC.KeepAlive(key);
        bool fits = length == share.Length;
        if (fits)
        {
            new ReadOnlySpan<byte>(encoded, share.Length).CopyTo(share);
        }

        _free(encoded, null, 0);
        return fits;
    }

    /// <summary>
    /// Derives the secret of a key and a peer's public key. False when that is no point of the group, or for the secrets
    /// that the library itself refuses.
    /// </summary>
    public bool TryDerive(LibCryptoKeyHandle template, LibCryptoKeyHandle key, ReadOnlySpan<byte> peerShare, Span<byte> secret)
    {
        nint parameters = template.Pointer;
        nint own = key.Pointer;
        nint length = secret.Length;
        bool good;
        nint peer = _newKey();
        nint context = _newContext(own, 0);
        fixed (byte* sharePointer = peerShare, secretPointer = secret)
        {
            // Setting the public key refuses coordinates out of range and points that are not on the curve, which is all
            // that RFC 8446 section 4.2.8.2 asks for: the groups have no subgroups to be led into (X25519's are dealt
            // with by the secret they give). OpenSSL 3 would multiply by the order besides, at the price of a second
            // derivation, unless told not to.
            good = peer != 0 && context != 0
                && _copyParameters(peer, parameters) == 1
                && _setPublic(peer, sharePointer, peerShare.Length) == 1
                && _beginDerive(context) == 1
                && (_setPeerUnchecked is not null ? _setPeerUnchecked(context, peer, 0) : _setPeer(context, peer)) == 1
                && _derive(context, secretPointer, &length) == 1
                && length == secret.Length;
        }

        _freeContext(context);
        _freeKey(peer);
        GC.KeepAlive(template);
        GC.KeepAlive(key);
        if (!good)
        {
            _clearErrors();
        }

        return good;
    }

    internal void Free(nint key) => _freeKey(key);

    /// <summary>The handle that frees the key; null where the library gave none.</summary>
    internal LibCryptoKeyHandle? Own(nint key)
    {
        if (key != 0)
        {
            return new LibCryptoKeyHandle(this, key);
        }

        _clearErrors();
        return null;
    }
}
