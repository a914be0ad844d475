using System.Security.Cryptography;

namespace Post.Quic.Engine.Crypto;

/// <summary>The key pair of one handshake in a Diffie-Hellman group.</summary>
internal abstract class EphemeralKey(NamedGroup group, byte[] share) : IDisposable
{
    public NamedGroup Group { get; } = group;

    /// <summary>The public key as it is sent (RFC 8446 section 4.2.8.2).</summary>
    public byte[] Share { get; } = share;

    /// <summary>
    /// The secret shared with the owner of that public key: <see cref="NamedGroupExtensions.SecretLength"/> bytes. False
    /// when it is no public key of the group.
    /// </summary>
    public bool TryAgree(ReadOnlySpan<byte> peerShare, Span<byte> secret)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(secret.Length, Group.SecretLength());
        if (!Group.IsWellFormed(peerShare) || !TryDerive(peerShare, secret))
        {
            return false;
        }

        // RFC 8446 section 7.4.2, RFC 7748 section 6.1: an all-zero secret comes of a point of small order, sent by
        // someone who wants to know the secret beforehand. The time taken must not tell anything about other secrets.
        Span<byte> zero = stackalloc byte[secret.Length];
        zero.Clear();
        return !CryptographicOperations.FixedTimeEquals(secret, zero);
    }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Checks that the share is a point of the group, and multiplies.</summary>
    private protected abstract bool TryDerive(ReadOnlySpan<byte> peerShare, Span<byte> secret);

    protected abstract void Dispose(bool disposing);
}
