using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Tls.Certificates;
using Post.Quic.Engine.Tls.Keys;

namespace Post.Quic.Engine.Tls;

/// <summary>
/// What .NET's TLS options may say when QUIC is to honour them. What cannot be honoured is refused, never ignored.
/// </summary>
internal static class SslOptionsRules
{
    private static readonly ConditionalWeakTable<X509Certificate2, CertificateCredential> Credentials = [];
    private static readonly ConditionalWeakTable<SslStreamCertificateContext, CertificateCredential> CredentialsOfContexts = [];

    /// <exception cref="ArgumentException">Something is asked for that QUIC does not have.</exception>
    public static void Check(
        SslProtocols protocols, EncryptionPolicy encryption, bool allowRsaPssPadding, string argument)
    {
#pragma warning disable CA5398 // QUIC is bound to TLS 1.3 and nothing else (RFC 9001 section 4.2).
        if (protocols != SslProtocols.None && !protocols.HasFlag(SslProtocols.Tls13))
#pragma warning restore CA5398
        {
            throw new ArgumentException(
                "QUIC needs TLS 1.3, which EnabledSslProtocols leaves out; set SslProtocols.Tls13 or SslProtocols.None.", argument);
        }

#pragma warning disable SYSLIB0040 // The obsolete values are named here to be refused.
        if (encryption == EncryptionPolicy.NoEncryption)
        {
            throw new ArgumentException(
                "QUIC is always encrypted; set EncryptionPolicy to RequireEncryption, its default.", argument);
        }
#pragma warning restore SYSLIB0040

        if (!allowRsaPssPadding)
        {
            throw new ArgumentException(
                "TLS 1.3 signs with RSA only by PSS; leave AllowRsaPssPadding true, its default, and use ECDSA certificates to avoid RSA.",
                argument);
        }
    }

    /// <exception cref="ArgumentException">There is none, or one that TLS cannot carry.</exception>
    public static IReadOnlyList<SslApplicationProtocol> CheckProtocols(
        IReadOnlyList<SslApplicationProtocol>? protocols, string argument)
    {
        // RFC 9001 section 8.1: QUIC connections always negotiate an application protocol.
        if (protocols is null || protocols.Count == 0)
        {
            throw new ArgumentException(
                "QUIC needs an application protocol; put at least one into ApplicationProtocols.", argument);
        }

        foreach (SslApplicationProtocol protocol in protocols)
        {
            if (protocol.Protocol.IsEmpty)
            {
                throw new ArgumentException(
                    "An application protocol is empty; give each of ApplicationProtocols a name of 1 to 255 bytes.", argument);
            }
        }

        return [.. protocols];
    }

    /// <exception cref="ArgumentException">The policy leaves no suite that QUIC can use here.</exception>
    public static IReadOnlyList<CipherSuite> Suites(CipherSuitesPolicy? policy, CryptoProvider provider, string argument)
    {
        if (policy is null)
        {
            return TlsDefaults.CipherSuitesOf(provider);
        }

        var suites = new List<CipherSuite>();
        if (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS() || OperatingSystem.IsFreeBSD())
        {
            foreach (TlsCipherSuite allowed in policy.AllowedCipherSuites)
            {
                var suite = (CipherSuite)allowed;
                if (suite.IsKnown() && provider.IsSupported(suite))
                {
                    suites.Add(suite);
                }
            }
        }

        return suites.Count != 0
            ? suites
            : throw new ArgumentException(
                "CipherSuitesPolicy allows no suite of TLS 1.3 that this platform has; add TLS_AES_128_GCM_SHA256 or leave it null.",
                argument);
    }

    /// <exception cref="ArgumentException">This platform has none of the groups.</exception>
    public static IReadOnlyList<NamedGroup> Groups(
        IReadOnlyList<QuicKeyExchangeGroup>? wanted, CryptoProvider provider, string argument)
    {
        if (wanted is null)
        {
            return TlsDefaults.GroupsOf(provider);
        }

        NamedGroup[] groups =
            [.. wanted.Select(static group => (NamedGroup)group).Distinct().Where(group => KeyExchange.Find(provider, group) is not null)];
        return groups.Length != 0
            ? groups
            : throw new ArgumentException(
                "This platform has none of the KeyExchangeGroups; add Secp256r1 or leave it null.", argument);
    }

    /// <summary>
    /// The certificate with its chain, built without the network; once for each certificate, since callbacks give the
    /// same one for every connection.
    /// </summary>
    /// <exception cref="ArgumentException">The certificate cannot sign a TLS 1.3 handshake.</exception>
    public static CertificateCredential CredentialOf(X509Certificate2 certificate)
    {
        CertificateCredential.Check(certificate);
        return Credentials.GetValue(
            certificate,
            static key => new CertificateCredential(
                SslStreamCertificateContext.Create(key, additionalCertificates: null, offline: true)));
    }

    /// <summary>The certificate and the chain of a context; once for each, since options come anew for every connection.</summary>
    /// <exception cref="ArgumentException">The certificate cannot sign a TLS 1.3 handshake.</exception>
    public static CertificateCredential CredentialOf(SslStreamCertificateContext context) =>
        CredentialsOfContexts.GetValue(context, static key => new CertificateCredential(key));

    /// <summary>The older certificate class of some .NET options, as the one that holds keys.</summary>
    public static X509Certificate2 Upgrade(X509Certificate certificate, string argument) =>
        certificate as X509Certificate2 ?? throw new ArgumentException(
            "The certificate is not an X509Certificate2 and so has no private key; give an X509Certificate2.", argument);
}
