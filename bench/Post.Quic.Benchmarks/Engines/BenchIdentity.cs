using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Post.Quic.Benchmarks.Engines;

/// <summary>The certificate and the TLS options that all engines share, so that their handshakes do the same work.</summary>
internal static class BenchIdentity
{
    public const int MaxStreams = 1000;

    public static readonly SslApplicationProtocol Protocol = new("bench");

    public static readonly X509Certificate2 Certificate = CreateCertificate();

    private static readonly SslStreamCertificateContext Context =
        SslStreamCertificateContext.Create(Certificate, additionalCertificates: null, offline: true);

    public static IPEndPoint AnyPort => new(IPAddress.Loopback, 0);

    public static SslServerAuthenticationOptions Server() => new()
    {
        ApplicationProtocols = [Protocol],
        ServerCertificateContext = Context,
    };

    public static SslClientAuthenticationOptions Client() => new()
    {
        ApplicationProtocols = [Protocol],
        TargetHost = "localhost",
        CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            CustomTrustStore = { Certificate },
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        },
    };

    private static X509Certificate2 CreateCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        DateTimeOffset now = DateTimeOffset.UtcNow;
        using X509Certificate2 made = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));

        // A key that came through PKCS#12 is one that every TLS implementation of the platform can use.
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }
}
