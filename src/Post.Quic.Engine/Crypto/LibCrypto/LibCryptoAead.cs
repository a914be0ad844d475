using System.Diagnostics;
using System.Security.Cryptography;

namespace Post.Quic.Engine.Crypto.LibCrypto;

/// <summary>
/// An AEAD over libcrypto's EVP interface with a kept context: a packet costs setting the nonce and one pass, half to
/// a third of what the platform's classes cost.
/// </summary>
internal sealed unsafe class LibCryptoAead : Aead
{
    /// <summary>Up to here a packet takes well under a microsecond, so that the GC need not be able to interrupt it.</summary>
    private const int ShortLength = 2048;

    private readonly LibCryptoFunctions _functions;
    private readonly LibCryptoContextHandle _context;
    private readonly KeyDirection _direction;

    public LibCryptoAead(LibCryptoFunctions functions, nint cipher, KeyDirection direction, ReadOnlySpan<byte> key)
    {
        _functions = functions;
        _direction = direction;
        _context = LibCryptoContextHandle.Create(functions, cipher, direction, key);
    }

    public override void Seal(
        ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData, Span<byte> data, Span<byte> tag)
    {
        Debug.Assert(_direction == KeyDirection.Send, "The context was made for the other direction.");
        CheckLengths(nonce, tag);
        nint context = _context.Pointer;
        LibCryptoFunctions functions = _functions;
        int length;
        bool good;
        fixed (byte* noncePointer = nonce, associatedPointer = associatedData, dataPointer = data, tagPointer = tag)
        {
            good = functions.EncryptNext(context, 0, 0, null, noncePointer) == 1
                && (associatedData.IsEmpty
                    || functions.EncryptShort(context, null, &length, associatedPointer, associatedData.Length) == 1)
                && (data.IsEmpty
                    || (data.Length <= ShortLength
                        ? functions.EncryptShort(context, dataPointer, &length, dataPointer, data.Length)
                        : functions.EncryptLong(context, dataPointer, &length, dataPointer, data.Length)) == 1)
                && functions.EncryptFinal(context, tagPointer, &length) == 1
                && functions.Control(context, LibCryptoFunctions.ControlGetTag, TagLength, tagPointer) == 1;
        }

        GC.KeepAlive(_context);
        if (!good)
        {
            // Nothing that a peer sends leads here: a packet sent unprotected would be worse than an exception.
            functions.ClearErrors();
            throw new CryptographicException("libcrypto could not encrypt a packet.");
        }
    }

    public override bool TryOpen(
        ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData, Span<byte> data, ReadOnlySpan<byte> tag)
    {
        Debug.Assert(_direction == KeyDirection.Receive, "The context was made for the other direction.");
        CheckLengths(nonce, tag);
        nint context = _context.Pointer;
        LibCryptoFunctions functions = _functions;
        byte* unused = stackalloc byte[TagLength];
        int length;
        bool good;
        fixed (byte* noncePointer = nonce, associatedPointer = associatedData, dataPointer = data, tagPointer = tag)
        {
            good = functions.DecryptNext(context, 0, 0, null, noncePointer) == 1
                && (associatedData.IsEmpty
                    || functions.DecryptShort(context, null, &length, associatedPointer, associatedData.Length) == 1)
                && (data.IsEmpty
                    || (data.Length <= ShortLength
                        ? functions.DecryptShort(context, dataPointer, &length, dataPointer, data.Length)
                        : functions.DecryptLong(context, dataPointer, &length, dataPointer, data.Length)) == 1)
                && functions.Control(context, LibCryptoFunctions.ControlSetTag, TagLength, tagPointer) == 1
                && functions.DecryptFinal(context, unused, &length) == 1;
        }

        GC.KeepAlive(_context);
        if (!good)
        {
            functions.ClearErrors();
        }

        return good;
    }

    protected override void Dispose(bool disposing) => _context.Dispose();

    private static void CheckLengths(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> tag)
    {
        // Native code reads and writes these many bytes whatever the spans say.
        ArgumentOutOfRangeException.ThrowIfNotEqual(nonce.Length, NonceLength);
        ArgumentOutOfRangeException.ThrowIfNotEqual(tag.Length, TagLength);
    }
}
