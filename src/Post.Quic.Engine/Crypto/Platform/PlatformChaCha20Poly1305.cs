using System.Security.Cryptography;

namespace Post.Quic.Engine.Crypto.Platform;

/// <summary>ChaCha20-Poly1305 through <see cref="ChaCha20Poly1305"/>.</summary>
internal sealed class PlatformChaCha20Poly1305(ReadOnlySpan<byte> key) : Aead
{
    private readonly ChaCha20Poly1305 _chaCha = new(key);

    public override void Seal(
        ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData, Span<byte> data, Span<byte> tag) =>
        _chaCha.Encrypt(nonce, data, data, tag, associatedData);

    public override bool TryOpen(
        ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData, Span<byte> data, ReadOnlySpan<byte> tag)
    {
        try
        {
            _chaCha.Decrypt(nonce, data, tag, data, associatedData);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    protected override void Dispose(bool disposing) => _chaCha.Dispose();
}
