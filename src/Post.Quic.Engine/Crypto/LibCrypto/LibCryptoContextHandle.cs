using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Post.Quic.Engine.Crypto.LibCrypto;

/// <summary>Owns an EVP_CIPHER_CTX; freeing it wipes the key schedule inside.</summary>
internal sealed unsafe class LibCryptoContextHandle : SafeHandle
{
    private readonly LibCryptoFunctions _functions;

    private LibCryptoContextHandle(LibCryptoFunctions functions)
        : base(0, ownsHandle: true)
    {
        _functions = functions;
        SetHandle(functions.NewContext());
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>A context with cipher and key set; only nonces follow.</summary>
    public static LibCryptoContextHandle Create(
        LibCryptoFunctions functions, nint cipher, KeyDirection direction, ReadOnlySpan<byte> key)
    {
        var context = new LibCryptoContextHandle(functions);
        if (context.IsInvalid)
        {
            throw new CryptographicException("libcrypto could not allocate a cipher context.");
        }

        fixed (byte* keyPointer = key)
        {
            int result = direction == KeyDirection.Send
                ? functions.EncryptInit(context.handle, cipher, 0, keyPointer, null)
                : functions.DecryptInit(context.handle, cipher, 0, keyPointer, null);
            if (result != 1)
            {
                functions.ClearErrors();
                context.Dispose();
                throw new CryptographicException("libcrypto refused the cipher or its key.");
            }
        }

        return context;
    }

    /// <summary>The pointer for a call; whoever uses it keeps this handle alive until the call returned.</summary>
    public nint Pointer
    {
        get
        {
            nint pointer = handle;
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return pointer;
        }
    }

    protected override bool ReleaseHandle()
    {
        _functions.FreeContext(handle);
        return true;
    }
}
