using System.Runtime.InteropServices;

namespace Post.Quic.Engine.Crypto.LibCrypto;

/// <summary>
/// The exports of OpenSSL's libcrypto (1.1 and 3) that packet protection calls, as function pointers. Either all are found
/// or the library is not used.
/// </summary>
/// <remarks>
/// The pointers without a GC transition are for calls of well under a microsecond that never block: the transition would
/// cost as much as the call. What touches a whole packet has both forms.
/// </remarks>
internal sealed unsafe class LibCryptoFunctions
{
    /// <summary>EVP_CTRL_AEAD_GET_TAG of openssl/evp.h; the same value in 1.1 and 3.</summary>
    public const int ControlGetTag = 0x10;

    /// <summary>EVP_CTRL_AEAD_SET_TAG.</summary>
    public const int ControlSetTag = 0x11;

    /// <summary>OPENSSL_INIT_NO_ATEXIT: the library must not clean up at exit below threads that still use it.</summary>
    private const ulong InitializeWithoutAtExit = 0x00080000;

    // Never the bare "libcrypto.dylib": macOS aborts a process that loads it.
    private static readonly string[] LibraryNames = OperatingSystem.IsMacOS()
        ?
        [
            "libcrypto.3.dylib",
            "/opt/homebrew/opt/openssl@3/lib/libcrypto.3.dylib",
            "/usr/local/opt/openssl@3/lib/libcrypto.3.dylib",
        ]
        : ["libcrypto.so.3", "libcrypto.so.1.1", "libcrypto.so"];

    private LibCryptoFunctions(nint library)
    {
        Initialize = (delegate* unmanaged[Cdecl]<ulong, nint, int>)NativeLibrary.GetExport(library, "OPENSSL_init_crypto");
        Version = (delegate* unmanaged[Cdecl]<int, byte*>)NativeLibrary.GetExport(library, "OpenSSL_version");
        ClearErrors = (delegate* unmanaged[Cdecl]<void>)NativeLibrary.GetExport(library, "ERR_clear_error");
        NewContext = (delegate* unmanaged[Cdecl]<nint>)NativeLibrary.GetExport(library, "EVP_CIPHER_CTX_new");
        FreeContext = (delegate* unmanaged[Cdecl]<nint, void>)NativeLibrary.GetExport(library, "EVP_CIPHER_CTX_free");
        SetPadding = (delegate* unmanaged[Cdecl]<nint, int, int>)NativeLibrary.GetExport(library, "EVP_CIPHER_CTX_set_padding");
        nint control = NativeLibrary.GetExport(library, "EVP_CIPHER_CTX_ctrl");
        Control = (delegate* unmanaged[Cdecl, SuppressGCTransition]<nint, int, int, void*, int>)control;
        nint encryptInit = NativeLibrary.GetExport(library, "EVP_EncryptInit_ex");
        EncryptInit = (delegate* unmanaged[Cdecl]<nint, nint, nint, byte*, byte*, int>)encryptInit;
        EncryptNext = (delegate* unmanaged[Cdecl, SuppressGCTransition]<nint, nint, nint, byte*, byte*, int>)encryptInit;
        nint decryptInit = NativeLibrary.GetExport(library, "EVP_DecryptInit_ex");
        DecryptInit = (delegate* unmanaged[Cdecl]<nint, nint, nint, byte*, byte*, int>)decryptInit;
        DecryptNext = (delegate* unmanaged[Cdecl, SuppressGCTransition]<nint, nint, nint, byte*, byte*, int>)decryptInit;
        nint encrypt = NativeLibrary.GetExport(library, "EVP_EncryptUpdate");
        EncryptLong = (delegate* unmanaged[Cdecl]<nint, byte*, int*, byte*, int, int>)encrypt;
        EncryptShort = (delegate* unmanaged[Cdecl, SuppressGCTransition]<nint, byte*, int*, byte*, int, int>)encrypt;
        nint decrypt = NativeLibrary.GetExport(library, "EVP_DecryptUpdate");
        DecryptLong = (delegate* unmanaged[Cdecl]<nint, byte*, int*, byte*, int, int>)decrypt;
        DecryptShort = (delegate* unmanaged[Cdecl, SuppressGCTransition]<nint, byte*, int*, byte*, int, int>)decrypt;
        EncryptFinal = (delegate* unmanaged[Cdecl, SuppressGCTransition]<nint, byte*, int*, int>)
            NativeLibrary.GetExport(library, "EVP_EncryptFinal_ex");
        DecryptFinal = (delegate* unmanaged[Cdecl, SuppressGCTransition]<nint, byte*, int*, int>)
            NativeLibrary.GetExport(library, "EVP_DecryptFinal_ex");

        _ = Initialize(InitializeWithoutAtExit, 0);
        VersionText = Marshal.PtrToStringUTF8((nint)Version(0)) ?? "unknown version";
        Aes128Gcm = Cipher(library, "EVP_aes_128_gcm", "AES-128-GCM");
        Aes256Gcm = Cipher(library, "EVP_aes_256_gcm", "AES-256-GCM");
        Aes128Ecb = Cipher(library, "EVP_aes_128_ecb", "AES-128-ECB");
        Aes256Ecb = Cipher(library, "EVP_aes_256_ecb", "AES-256-ECB");
        ChaCha20Poly1305 = Cipher(library, "EVP_chacha20_poly1305", "ChaCha20-Poly1305");
        ChaCha20 = Cipher(library, "EVP_chacha20", "ChaCha20");
        Keys = KeyFunctions(library);
        Signatures = Keys is null ? null : SignatureFunctions(library, Keys);
        ClearErrors();
    }

    public string VersionText { get; }

    public nint Aes128Gcm { get; }

    public nint Aes256Gcm { get; }

    public nint Aes128Ecb { get; }

    public nint Aes256Ecb { get; }

    public nint ChaCha20Poly1305 { get; }

    public nint ChaCha20 { get; }

    /// <summary>The calls for key agreement, where the library has them all.</summary>
    public LibCryptoKeyFunctions? Keys { get; }

    /// <summary>The calls for signatures, where the library has them all.</summary>
    public LibCryptoSignatureFunctions? Signatures { get; }

    public delegate* unmanaged[Cdecl]<void> ClearErrors { get; }

    public delegate* unmanaged[Cdecl]<nint> NewContext { get; }

    public delegate* unmanaged[Cdecl]<nint, void> FreeContext { get; }

    public delegate* unmanaged[Cdecl]<nint, int, int> SetPadding { get; }

    public delegate* unmanaged[Cdecl, SuppressGCTransition]<nint, int, int, void*, int> Control { get; }

    /// <summary>Sets the cipher and the key, once for a context.</summary>
    public delegate* unmanaged[Cdecl]<nint, nint, nint, byte*, byte*, int> EncryptInit { get; }

    /// <summary>Sets only the nonce, for each packet.</summary>
    public delegate* unmanaged[Cdecl, SuppressGCTransition]<nint, nint, nint, byte*, byte*, int> EncryptNext { get; }

    public delegate* unmanaged[Cdecl]<nint, nint, nint, byte*, byte*, int> DecryptInit { get; }

    public delegate* unmanaged[Cdecl, SuppressGCTransition]<nint, nint, nint, byte*, byte*, int> DecryptNext { get; }

    public delegate* unmanaged[Cdecl]<nint, byte*, int*, byte*, int, int> EncryptLong { get; }

    public delegate* unmanaged[Cdecl, SuppressGCTransition]<nint, byte*, int*, byte*, int, int> EncryptShort { get; }

    public delegate* unmanaged[Cdecl]<nint, byte*, int*, byte*, int, int> DecryptLong { get; }

    public delegate* unmanaged[Cdecl, SuppressGCTransition]<nint, byte*, int*, byte*, int, int> DecryptShort { get; }

    public delegate* unmanaged[Cdecl, SuppressGCTransition]<nint, byte*, int*, int> EncryptFinal { get; }

    public delegate* unmanaged[Cdecl, SuppressGCTransition]<nint, byte*, int*, int> DecryptFinal { get; }

    private delegate* unmanaged[Cdecl]<ulong, nint, int> Initialize { get; }

    private delegate* unmanaged[Cdecl]<int, byte*> Version { get; }

    public static LibCryptoFunctions? TryLoad()
    {
        // On Windows a libcrypto would be whichever one lies in the path first; the platform's classes serve there.
        if (OperatingSystem.IsWindows() || OperatingSystem.IsBrowser() || OperatingSystem.IsWasi())
        {
            return null;
        }

        foreach (string name in LibraryNames)
        {
            if (NativeLibrary.TryLoad(name, out nint library))
            {
                try
                {
                    return new LibCryptoFunctions(library);
                }
                catch (EntryPointNotFoundException)
                {
                    // Another library of the same name, such as BoringSSL's: not one whose calls are known here.
                    NativeLibrary.Free(library);
                }
            }
        }

        return null;
    }

    private static LibCryptoKeyFunctions? KeyFunctions(nint library)
    {
        try
        {
            return new LibCryptoKeyFunctions(library);
        }
        catch (EntryPointNotFoundException)
        {
            return null;
        }
    }

    private static LibCryptoSignatureFunctions? SignatureFunctions(nint library, LibCryptoKeyFunctions keys)
    {
        try
        {
            return new LibCryptoSignatureFunctions(library, keys);
        }
        catch (EntryPointNotFoundException)
        {
            return null;
        }
    }

    /// <summary>
    /// The cipher for the life of the process, or 0 where the library does not offer it (a FIPS build has no ChaCha20).
    /// OpenSSL 3 looks the old constants up in its providers for each new context; a fetched cipher saves that.
    /// </summary>
    private static nint Cipher(nint library, string constant, string name)
    {
        if (NativeLibrary.TryGetExport(library, "EVP_CIPHER_fetch", out nint fetch))
        {
            nint nameBytes = Marshal.StringToCoTaskMemUTF8(name);
            try
            {
                return ((delegate* unmanaged[Cdecl]<nint, byte*, byte*, nint>)fetch)(0, (byte*)nameBytes, null);
            }
            finally
            {
                Marshal.FreeCoTaskMem(nameBytes);
            }
        }

        return ((delegate* unmanaged[Cdecl]<nint>)NativeLibrary.GetExport(library, constant))();
    }
}
