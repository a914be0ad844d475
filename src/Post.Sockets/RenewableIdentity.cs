using System.Security.Cryptography.X509Certificates;

namespace Post.Sockets;

/// <summary>
/// An identity that is replaced while it is in use, as certificates are that expire: connections that begin from then on show the new one,
/// on both sides; those that live go on with what they began with. Safe to use from any thread.
/// </summary>
public sealed class RenewableIdentity
{
    private volatile Pair _current;

    /// <summary>Creates the identity.</summary>
    /// <param name="certificate">The certificate, with its private key.</param>
    /// <param name="intermediates">The certificates between it and the root; null: none.</param>
    /// <exception cref="ArgumentException">The certificate has no private key.</exception>
    public RenewableIdentity(X509Certificate2 certificate, X509Certificate2Collection? intermediates = null) =>
        _current = Check(certificate, intermediates);

    /// <summary>The certificate that connections show from now on.</summary>
    public X509Certificate2 Certificate => _current.Certificate;

    /// <summary>Those between it and the root; null: none.</summary>
    public X509Certificate2Collection? IntermediateCertificates => _current.Intermediates;

    /// <summary>Gets both, of one moment.</summary>
    /// <param name="intermediates">The certificates between it and the root; null: none.</param>
    /// <returns>The certificate.</returns>
    public X509Certificate2 Read(out X509Certificate2Collection? intermediates)
    {
        Pair current = _current;
        intermediates = current.Intermediates;
        return current.Certificate;
    }

    /// <summary>
    /// Replaces it. A certificate for the same key keeps what peers have pinned; with another key they must know that one too. The old one
    /// is not disposed: connections that begin at this moment may still use it.
    /// </summary>
    /// <inheritdoc cref="RenewableIdentity(X509Certificate2, X509Certificate2Collection?)"/>
    public void Renew(X509Certificate2 certificate, X509Certificate2Collection? intermediates = null) =>
        _current = Check(certificate, intermediates);

    private static Pair Check(X509Certificate2 certificate, X509Certificate2Collection? intermediates)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        return certificate.HasPrivateKey
            ? new Pair(certificate, intermediates)
            : throw new ArgumentException("The certificate has no private key; load it with its key.", nameof(certificate));
    }

    private sealed record Pair(X509Certificate2 Certificate, X509Certificate2Collection? Intermediates);
}
