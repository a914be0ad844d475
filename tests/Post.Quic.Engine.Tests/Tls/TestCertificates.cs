using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Post.Quic.Engine.Tls.Certificates;

namespace Post.Quic.Engine.Tests.Tls;

/// <summary>Certificates for the tests, made once for the process: they never change.</summary>
internal static class TestCertificates
{
    public const string Host = "server.test";

    private const string ServerUsage = "1.3.6.1.5.5.7.3.1";
    private const string ClientUsage = "1.3.6.1.5.5.7.3.2";

    private static readonly Lazy<X509Certificate2> LazyRoot = new(() => CreateAuthority("Root", null, 12));
    private static readonly Lazy<X509Certificate2> LazyOtherRoot = new(() => CreateAuthority("Other root", null, 12));
    private static readonly Lazy<CertificateCredential> LazyP256 = Leaf(() => ECDsa.Create(ECCurve.NamedCurves.nistP256));
    private static readonly Lazy<CertificateCredential> LazyP384 = Leaf(() => ECDsa.Create(ECCurve.NamedCurves.nistP384));
    private static readonly Lazy<CertificateCredential> LazyP521 = Leaf(() => ECDsa.Create(ECCurve.NamedCurves.nistP521));
    private static readonly Lazy<CertificateCredential> LazyRsa = Leaf(() => RSA.Create(2048));
    private static readonly Lazy<CertificateCredential> LazyClient = Leaf(NewKey, usage: ClientUsage, name: "client.test");
    private static readonly Lazy<CertificateCredential> LazyRsaClient = Leaf(() => RSA.Create(2048), usage: ClientUsage, name: "client.test");
    private static readonly Lazy<CertificateCredential> LazyExpired = Leaf(NewKey, from: Now.AddDays(-60), to: Now.AddDays(-1));
    private static readonly Lazy<CertificateCredential> LazyWrongName = Leaf(NewKey, name: "other.test");
    private static readonly Lazy<CertificateCredential> LazyAddress = Leaf(NewKey, name: "127.0.0.1");
    private static readonly Lazy<CertificateCredential> LazyUnknownAuthority = new(
        () => new CertificateCredential(Context(CreateLeaf(NewKey(), LazyOtherRoot.Value, Host, ServerUsage, Now.AddDays(-1), Now.AddDays(30)), [])));

    private static readonly Lazy<CertificateCredential> LazyChainOfNine = new(CreateChainOfNine);

    /// <summary>The moment the handshakes of the tests happen; the certificates are made around it.</summary>
    public static DateTimeOffset Now => new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

    public static X509Certificate2 Root => LazyRoot.Value;

    public static CertificateCredential P256 => LazyP256.Value;

    public static CertificateCredential P384 => LazyP384.Value;

    public static CertificateCredential P521 => LazyP521.Value;

    public static CertificateCredential Rsa => LazyRsa.Value;

    public static CertificateCredential Client => LazyClient.Value;

    public static CertificateCredential RsaClient => LazyRsaClient.Value;

    public static CertificateCredential Expired => LazyExpired.Value;

    public static CertificateCredential WrongName => LazyWrongName.Value;

    /// <summary>For 127.0.0.1 instead of a name.</summary>
    public static CertificateCredential Address => LazyAddress.Value;

    public static CertificateCredential UnknownAuthority => LazyUnknownAuthority.Value;

    /// <summary>A leaf and eight authorities between it and the root.</summary>
    public static CertificateCredential ChainOfNine => LazyChainOfNine.Value;

    /// <summary>Trust in <see cref="Root"/> and nothing else.</summary>
    public static X509ChainPolicy Trust => new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        CustomTrustStore = { Root },
        RevocationMode = X509RevocationMode.NoCheck,
        DisableCertificateDownloads = true,
    };

    private static ECDsa NewKey() => ECDsa.Create(ECCurve.NamedCurves.nistP256);

    private static Lazy<CertificateCredential> Leaf(
        Func<AsymmetricAlgorithm> key,
        string name = Host,
        string usage = ServerUsage,
        DateTimeOffset? from = null,
        DateTimeOffset? to = null) => new(() => new CertificateCredential(
            Context(CreateLeaf(key(), Root, name, usage, from ?? Now.AddDays(-1), to ?? Now.AddDays(30)), [])));

    private static SslStreamCertificateContext Context(X509Certificate2 leaf, X509Certificate2Collection between) =>
        SslStreamCertificateContext.Create(leaf, between, offline: true);

    private static CertificateCredential CreateChainOfNine()
    {
        var between = new X509Certificate2Collection();
        X509Certificate2 issuer = Root;
        for (int i = 1; i <= 8; i++)
        {
            issuer = CreateAuthority($"Authority {i}", issuer, 12 - i);
            between.Add(X509CertificateLoader.LoadCertificate(issuer.RawData));
        }

        X509Certificate2 leaf = CreateLeaf(RSA.Create(2048), issuer, Host, ServerUsage, Now.AddDays(-1), Now.AddDays(30));
        return new CertificateCredential(Context(leaf, between));
    }

    private static X509Certificate2 CreateAuthority(string name, X509Certificate2? issuer, int pathLength)
    {
        ECDsa key = NewKey();
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, pathLength, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return issuer is null
            ? request.CreateSelfSigned(Now.AddDays(-100), Now.AddDays(1000))
            : request.Create(issuer, Now.AddDays(-90), Now.AddDays(900), RandomNumberGenerator.GetBytes(12)).CopyWithPrivateKey(key);
    }

    private static X509Certificate2 CreateLeaf(
        AsymmetricAlgorithm key, X509Certificate2 issuer, string name, string usage, DateTimeOffset from, DateTimeOffset to)
    {
        CertificateRequest request = key is RSA rsa
            ? new CertificateRequest($"CN={name}", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest($"CN={name}", (ECDsa)key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        if (System.Net.IPAddress.TryParse(name, out System.Net.IPAddress? address))
        {
            names.AddIpAddress(address);
        }
        else
        {
            names.AddDnsName(name);
        }

        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], false));

        // The issuer's key is ECDSA whatever the leaf's: the generator has to be named.
        using ECDsa issuerKey = issuer.GetECDsaPrivateKey()!;
        using X509Certificate2 bare = request.Create(
            issuer.SubjectName, X509SignatureGenerator.CreateForECDsa(issuerKey), from, to, RandomNumberGenerator.GetBytes(12));
        return key is RSA rsaKey ? bare.CopyWithPrivateKey(rsaKey) : bare.CopyWithPrivateKey((ECDsa)key);
    }
}
