namespace Post.Quic.Engine.Crypto;

/// <summary>A key pair that signs. Thread-safe.</summary>
internal abstract class SigningKey(RawPublicKey publicKey) : IDisposable
{
    public RawPublicKey PublicKey { get; } = publicKey;

    /// <summary>The signature in the form that TLS sends (RFC 8446 section 4.2.3).</summary>
    public abstract byte[] Sign(ReadOnlySpan<byte> content);

    /// <summary>The private key as PKCS#8 PrivateKeyInfo. The caller zeroes it.</summary>
    public abstract byte[] Export();

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected abstract void Dispose(bool disposing);
}
