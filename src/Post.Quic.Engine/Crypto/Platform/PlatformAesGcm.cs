using System.Security.Cryptography;

namespace Post.Quic.Engine.Crypto.Platform;

/// <summary>AES-GCM through <see cref="AesGcm"/>.</summary>
internal sealed class PlatformAesGcm(ReadOnlySpan<byte> key) : Aead
{
    private readonly AesGcm _aes = new(key, TagLength);

    public override void Seal(
        ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData, Span<byte> data, Span<byte> tag) =>
        _aes.Encrypt(nonce, data, data, tag, associatedData);

    public override bool TryOpen(
        ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData, Span<byte> data, ReadOnlySpan<byte> tag)
    {
        try
        {
            _aes.Decrypt(nonce, data, tag, data, associatedData);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            // The platform has no call that returns it. The integrity limit bounds how often a forger can cost us this.
            return false;
        }
    }

    protected override void Dispose(bool disposing) => _aes.Dispose();
}
