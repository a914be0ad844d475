using System.Runtime.InteropServices;

namespace Post.Quic.Engine.Crypto.LibCrypto;

/// <summary>Owns an EVP_PKEY; freeing it wipes the private key inside.</summary>
internal sealed class LibCryptoKeyHandle : SafeHandle
{
    private readonly LibCryptoKeyFunctions _functions;

    public LibCryptoKeyHandle(LibCryptoKeyFunctions functions, nint key)
        : base(0, ownsHandle: true)
    {
        _functions = functions;
        SetHandle(key);
    }

    public override bool IsInvalid => handle == 0;

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
        _functions.Free(handle);
        return true;
    }
}
