using System.Security.Cryptography.X509Certificates;

namespace Post.Quic.Locals;

/// <summary>An identity as it stands in its files.</summary>
/// <param name="Own">The certificate, with its private key.</param>
/// <param name="Issuers">The certificates that came with it, to be sent along.</param>
internal sealed record LoadedIdentity(X509Certificate2 Own, X509Certificate2Collection Issuers) : IDisposable
{
    public void Dispose()
    {
        Own.Dispose();
        foreach (X509Certificate2 issuer in Issuers)
        {
            issuer.Dispose();
        }
    }
}
