using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Post.Sockets.Testing;

/// <summary>
/// Judges certificates as a real transport does. A listener without one needs none here: the network itself vouches that
/// whoever listens at a name bears it.
/// </summary>
internal static class InMemoryIdentity
{
    public static PeerIdentity? Judge(PeerTrust trust, string? host, Local local)
    {
        // Certificates come first where either will do, as with the transports that have both.
        X509Certificate2? certificate = trust.TakesCertificates ? local.Certificate : null;
        IdentityKey? bare = certificate is null && trust.TakesBareKeys ? local.BareKey : null;
        KeyFingerprint? key = certificate is null ? bare?.Fingerprint : KeyFingerprint.Of(certificate);
        bool accepted = trust.Proof switch
        {
            PeerProof.CertificateAuthority => certificate is null ? host is not null : IsVouchedFor(certificate, trust.Name ?? host),
            PeerProof.PinnedKey => key is { } known && trust.PinnedKeys.Contains(known),
            PeerProof.Callback when bare is not null => trust.KeyValidator!(key!.Value, bare.SubjectPublicKeyInfo),
            PeerProof.Callback => certificate is not null && trust.Validator!(certificate, null, SslPolicyErrors.RemoteCertificateChainErrors),
            _ => false,
        };
        return !accepted ? null : new PeerIdentity
        {
            Proof = trust.Proof,
            Name = trust.Proof == PeerProof.CertificateAuthority ? trust.Name ?? host : null,
            Key = key,
            Certificate = certificate,
            BareKey = bare?.SubjectPublicKeyInfo ?? default,
        };
    }

    private static bool IsVouchedFor(X509Certificate2 certificate, string? name)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        return (name is null || certificate.MatchesHostname(name)) && chain.Build(certificate);
    }
}
