namespace Post.Quic.Engine.Crypto;

/// <summary>
/// One AEAD key in one direction. The seam between packet protection and the two implementations of its primitives.
/// Not thread-safe: a connection uses its keys under its own gate.
/// </summary>
internal abstract class Aead : IDisposable
{
    /// <summary>Every suite here has a 96-bit nonce and a 128-bit tag.</summary>
    public const int NonceLength = 12;

    public const int TagLength = 16;

    /// <summary>Encrypts <paramref name="data"/> in place.</summary>
    public abstract void Seal(
        ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData, Span<byte> data, Span<byte> tag);

    /// <summary>
    /// Decrypts <paramref name="data"/> in place. False: not authentic, and what <paramref name="data"/> then holds must
    /// not be looked at.
    /// </summary>
    public abstract bool TryOpen(
        ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData, Span<byte> data, ReadOnlySpan<byte> tag);

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected abstract void Dispose(bool disposing);
}
