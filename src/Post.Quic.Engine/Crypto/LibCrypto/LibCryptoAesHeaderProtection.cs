using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Post.Quic.Engine.Crypto.LibCrypto;

/// <summary>AES-ECB over libcrypto with a kept context (RFC 9001 section 5.4.3).</summary>
internal sealed unsafe class LibCryptoAesHeaderProtection : HeaderProtection
{
    private readonly LibCryptoFunctions _functions;
    private readonly LibCryptoContextHandle _context;

    public LibCryptoAesHeaderProtection(LibCryptoFunctions functions, nint cipher, ReadOnlySpan<byte> key)
    {
        _functions = functions;
        _context = LibCryptoContextHandle.Create(functions, cipher, KeyDirection.Send, key);
        _ = functions.SetPadding(_context.Pointer, 0);
    }

    public override ulong Mask(ReadOnlySpan<byte> sample)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(sample.Length, SampleLength);
        ulong* block = stackalloc ulong[SampleLength / sizeof(ulong)];
        int length;
        int result;
        fixed (byte* samplePointer = sample)
        {
            result = _functions.EncryptShort(_context.Pointer, (byte*)block, &length, samplePointer, SampleLength);
        }

        GC.KeepAlive(_context);
        return result == 1
            ? BinaryPrimitives.ReadUInt64LittleEndian(new ReadOnlySpan<byte>(block, sizeof(ulong)))
            : throw new CryptographicException("libcrypto could not encrypt a block.");
    }

    protected override void Dispose(bool disposing) => _context.Dispose();
}
