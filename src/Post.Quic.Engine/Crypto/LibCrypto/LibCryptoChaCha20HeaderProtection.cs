using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Post.Quic.Engine.Crypto.LibCrypto;

/// <summary>
/// A block of raw ChaCha20 (RFC 9001 section 5.4.4): the sample is counter and nonce, which is just the form in which
/// libcrypto takes a ChaCha20 IV.
/// </summary>
internal sealed unsafe class LibCryptoChaCha20HeaderProtection : HeaderProtection
{
    private readonly LibCryptoFunctions _functions;
    private readonly LibCryptoContextHandle _context;

    public LibCryptoChaCha20HeaderProtection(LibCryptoFunctions functions, nint cipher, ReadOnlySpan<byte> key)
    {
        _functions = functions;
        _context = LibCryptoContextHandle.Create(functions, cipher, KeyDirection.Send, key);
    }

    public override ulong Mask(ReadOnlySpan<byte> sample)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(sample.Length, SampleLength);
        ulong zero = 0;
        ulong* block = stackalloc ulong[1];
        nint context = _context.Pointer;
        int length;
        bool good;
        fixed (byte* samplePointer = sample)
        {
            good = _functions.EncryptNext(context, 0, 0, null, samplePointer) == 1
                && _functions.EncryptShort(context, (byte*)block, &length, (byte*)&zero, sizeof(ulong)) == 1;
        }

        GC.KeepAlive(_context);
        return good
            ? BinaryPrimitives.ReadUInt64LittleEndian(new ReadOnlySpan<byte>(block, sizeof(ulong)))
            : throw new CryptographicException("libcrypto could not make a block of ChaCha20.");
    }

    protected override void Dispose(bool disposing) => _context.Dispose();
}
