namespace Post.Sockets;

/// <summary>
/// A key pair that is an identity without a certificate: peers know it by its fingerprint, or by the key itself. The transport that proves it
/// makes it; over QUIC that is the managed engine alone, and <c>QuicIdentityKey</c> of Post.Quic. Safe to use from any thread.
/// </summary>
public abstract class IdentityKey : IDisposable
{
    /// <summary>The public key, DER-encoded as SubjectPublicKeyInfo.</summary>
    public abstract ReadOnlyMemory<byte> SubjectPublicKeyInfo { get; }

    /// <summary>The fingerprint of the public key, which peers can pin.</summary>
    public KeyFingerprint Fingerprint => KeyFingerprint.OfPublicKey(SubjectPublicKeyInfo.Span);

    /// <summary>Wipes the private key. Connections that use it must be over.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Wipes the private key.</summary>
    /// <param name="disposing">True: from <see cref="Dispose()"/>.</param>
    protected abstract void Dispose(bool disposing);
}
