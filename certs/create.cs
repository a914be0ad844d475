// Makes the development certificates that certs/README.md lists:
//
//   dotnet run certs/create.cs [--force] [DIRECTORY]
//
// It writes beside this file unless a directory is named, and leaves a complete and still valid set alone. The tests
// compile this file too (with the symbol DEVELOPMENT_CERTIFICATES_LIBRARY) and make their own set in memory or in a
// temporary directory, so that nobody has to run it first.

using System.Net;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

#if !DEVELOPMENT_CERTIFICATES_LIBRARY
bool force = args.Contains("--force");
string[] directories = [.. args.Where(a => !a.StartsWith('-'))];
if (args.Any(a => a.StartsWith('-') && a != "--force") || directories.Length > 1)
{
    Console.Error.WriteLine("Usage: dotnet run certs/create.cs [--force] [DIRECTORY]");
    return 2;
}

string directory = directories.Length == 1 ? directories[0] : DevelopmentCertificates.SourceDirectory();
if (!force && DevelopmentCertificates.IsComplete(directory))
{
    Console.WriteLine($"{directory}: complete and valid; nothing to do (--force makes a new set).");
    return 0;
}

using (DevelopmentCertificates made = DevelopmentCertificates.Create())
{
    made.Save(directory);
    Console.WriteLine($"{directory}: wrote {made.All.Count} certificates. They are for development only.");
}

return 0;
#endif

/// <summary>One of the set: a certificate with its private key, the issuers to send along, and its files' name.</summary>
internal sealed record DevelopmentCertificate(string Name, X509Certificate2 Certificate, X509Certificate2Collection Issuers);

/// <summary>A small CA and what it issued: good certificates, and deliberately bad ones that a peer must refuse.</summary>
internal sealed class DevelopmentCertificates : IDisposable
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    /// <summary>A leaf, seven intermediates and their root make nine certificates to send.</summary>
    private const int LongChainIntermediates = 7;

    private static readonly TimeSpan Validity = TimeSpan.FromDays(365);

    /// <summary>A set this close to its end counts as incomplete and is made anew.</summary>
    private static readonly TimeSpan RenewBefore = TimeSpan.FromDays(14);

    /// <summary>The names of the files that a complete set has, without their endings.</summary>
    private static readonly string[] FileNames =
    [
        "ca", "server", "server-rsa", "client-1", "client-2", "chain-root", "chain-nine",
        "bad-expired", "bad-name", "bad-usage", "bad-weak", "bad-self-signed",
    ];

    private readonly List<DevelopmentCertificate> _all = [];
    private readonly DateTimeOffset _from;
    private readonly DateTimeOffset _until;

    private DevelopmentCertificates(DateTimeOffset now)
    {
        _from = now.AddDays(-1);
        _until = now + Validity;

        Authority = AddSelfSigned("ca", "CN=Post.Quic development CA", authority: true);
        Server = Issue("server", "CN=localhost", NewEcdsa(), ServerAuthentication, LocalNames());
        ServerRsa = Issue("server-rsa", "CN=localhost", RSA.Create(2048), ServerAuthentication, LocalNames());
        Client1 = Issue("client-1", "CN=client 1", NewEcdsa(), ClientAuthentication);
        Client2 = Issue("client-2", "CN=client 2", NewEcdsa(), ClientAuthentication);

        ChainRoot = AddSelfSigned("chain-root", "CN=Post.Quic development chain root", authority: true);
        ChainOfNine = IssueLongChain();

        Expired = Issue("bad-expired", "CN=localhost", NewEcdsa(), ServerAuthentication, LocalNames(), now.AddMinutes(-1));
        WrongName = Issue("bad-name", "CN=elsewhere.example", NewEcdsa(), ServerAuthentication, NamesOf("elsewhere.example"));
        WrongUsage = Issue("bad-usage", "CN=localhost", NewEcdsa(), ClientAuthentication, LocalNames());
        Weak = Issue("bad-weak", "CN=localhost", RSA.Create(1024), ServerAuthentication, LocalNames());
        SelfSigned = AddSelfSigned("bad-self-signed", "CN=localhost", authority: false);
    }

    /// <summary>The CA that issued every good certificate; the only one to trust.</summary>
    public DevelopmentCertificate Authority { get; }

    /// <summary>localhost, 127.0.0.1 and ::1; ECDSA P-256.</summary>
    public DevelopmentCertificate Server { get; }

    /// <summary>The same names with an RSA key of 2048 bits.</summary>
    public DevelopmentCertificate ServerRsa { get; }

    /// <summary>A client.</summary>
    public DevelopmentCertificate Client1 { get; }

    /// <summary>Another client, to tell from the first.</summary>
    public DevelopmentCertificate Client2 { get; }

    /// <summary>The root above <see cref="ChainOfNine"/>.</summary>
    public DevelopmentCertificate ChainRoot { get; }

    /// <summary>localhost at the end of a chain of nine: more than a server may send to an unvalidated address.</summary>
    public DevelopmentCertificate ChainOfNine { get; }

    /// <summary>Right in all but its time, which ended a minute before it was made.</summary>
    public DevelopmentCertificate Expired { get; }

    /// <summary>For elsewhere.example.</summary>
    public DevelopmentCertificate WrongName { get; }

    /// <summary>A client's certificate in a server's hands.</summary>
    public DevelopmentCertificate WrongUsage { get; }

    /// <summary>RSA with 1024 bits.</summary>
    public DevelopmentCertificate Weak { get; }

    /// <summary>Nobody vouches for it.</summary>
    public DevelopmentCertificate SelfSigned { get; }

    public IReadOnlyList<DevelopmentCertificate> All => _all;

    public static DevelopmentCertificates Create(TimeProvider? time = null) => new((time ?? TimeProvider.System).GetUtcNow());

    /// <summary>The folder of this source file: where the set goes unless told otherwise.</summary>
    public static string SourceDirectory([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;

    /// <summary>Whether every file is there and readable, and the good ones stay valid for a while.</summary>
    public static bool IsComplete(string directory, TimeProvider? time = null)
    {
        DateTimeOffset renewAt = (time ?? TimeProvider.System).GetUtcNow() + RenewBefore;
        foreach (string name in FileNames)
        {
            string path = Path.Combine(directory, name);
            if (!File.Exists(path + ".pem") || !File.Exists(path + ".key"))
            {
                return false;
            }

            try
            {
                using X509Certificate2 certificate = X509Certificate2.CreateFromPemFile(path + ".pem", path + ".key");
                if (name != "bad-expired" && certificate.NotAfter.ToUniversalTime() < renewAt)
                {
                    return false;
                }
            }
            catch (CryptographicException)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>
    /// Writes NAME.pem (the certificate and the issuers to send along) and NAME.key (PKCS #8, for its owner's eyes)
    /// for each.
    /// </summary>
    public void Save(string directory)
    {
        Directory.CreateDirectory(directory);
        foreach (DevelopmentCertificate one in _all)
        {
            var pem = new StringBuilder(one.Certificate.ExportCertificatePem()).Append('\n');
            foreach (X509Certificate2 issuer in one.Issuers)
            {
                pem.Append(issuer.ExportCertificatePem()).Append('\n');
            }

            string path = Path.Combine(directory, one.Name);
            File.WriteAllText(path + ".pem", pem.ToString());
            WritePrivate(path + ".key", ExportKey(one.Certificate) + "\n");
        }
    }

    public void Dispose()
    {
        foreach (DevelopmentCertificate one in _all)
        {
            one.Certificate.Dispose();
        }
    }

    private static ECDsa NewEcdsa() => ECDsa.Create(ECCurve.NamedCurves.nistP256);

    private static SubjectAlternativeNameBuilder LocalNames()
    {
        SubjectAlternativeNameBuilder names = NamesOf("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        return names;
    }

    private static SubjectAlternativeNameBuilder NamesOf(string name)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        return names;
    }

    private static CertificateRequest Request(
        string subject, AsymmetricAlgorithm key, bool authority, string? usage, SubjectAlternativeNameBuilder? names)
    {
        CertificateRequest request = key switch
        {
            ECDsa ecdsa => new CertificateRequest(subject, ecdsa, HashAlgorithmName.SHA256),
            RSA rsa => new CertificateRequest(subject, rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
            _ => throw new ArgumentException("Only ECDSA and RSA keys are made here.", nameof(key)),
        };
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(authority, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(
            authority ? X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign : X509KeyUsageFlags.DigitalSignature,
            critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        if (usage is not null)
        {
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], critical: false));
        }

        if (names is not null)
        {
            request.CertificateExtensions.Add(names.Build());
        }

        return request;
    }

    private static X509Certificate2 Sign(
        X509Certificate2 issuer, CertificateRequest request, AsymmetricAlgorithm key, DateTimeOffset from, DateTimeOffset until)
    {
        request.CertificateExtensions.Add(
            X509AuthorityKeyIdentifierExtension.CreateFromCertificate(issuer, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        using ECDsa issuerKey = issuer.GetECDsaPrivateKey()!;
        X509SignatureGenerator generator = X509SignatureGenerator.CreateForECDsa(issuerKey);
        using X509Certificate2 bare = request.Create(issuer.SubjectName, generator, from, until, RandomNumberGenerator.GetBytes(16));
        return key is ECDsa ecdsa ? bare.CopyWithPrivateKey(ecdsa) : bare.CopyWithPrivateKey((RSA)key);
    }

    private static string ExportKey(X509Certificate2 certificate)
    {
        using AsymmetricAlgorithm key = (AsymmetricAlgorithm?)certificate.GetECDsaPrivateKey() ?? certificate.GetRSAPrivateKey()!;
        return key.ExportPkcs8PrivateKeyPem();
    }

    private static void WritePrivate(string path, string text)
    {
        // An existing file would keep its own permissions, whatever is asked for here.
        File.Delete(path);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var writer = new StreamWriter(path, options);
        writer.Write(text);
    }

    private DevelopmentCertificate AddSelfSigned(string name, string subject, bool authority)
    {
        CertificateRequest request = authority
            ? Request(subject, NewEcdsa(), authority, usage: null, names: null)
            : Request(subject, NewEcdsa(), authority, ServerAuthentication, LocalNames());
        return Add(name, request.CreateSelfSigned(_from, _until));
    }

    private DevelopmentCertificate Issue(
        string name,
        string subject,
        AsymmetricAlgorithm key,
        string usage,
        SubjectAlternativeNameBuilder? names = null,
        DateTimeOffset? until = null)
    {
        CertificateRequest request = Request(subject, key, authority: false, usage, names);
        return Add(name, Sign(Authority.Certificate, request, key, _from, until ?? _until));
    }

    private DevelopmentCertificate IssueLongChain()
    {
        X509Certificate2 issuer = ChainRoot.Certificate;
        X509Certificate2Collection issuers = [issuer];
        for (int i = 1; i <= LongChainIntermediates; i++)
        {
            ECDsa key = NewEcdsa();
            CertificateRequest intermediate = Request($"CN=Post.Quic development intermediate {i}", key, authority: true, null, null);
            issuer = Sign(issuer, intermediate, key, _from, _until);
            issuers.Insert(0, issuer);
        }

        ECDsa leafKey = NewEcdsa();
        CertificateRequest leaf = Request("CN=localhost", leafKey, authority: false, ServerAuthentication, LocalNames());
        return Add("chain-nine", Sign(issuer, leaf, leafKey, _from, _until), issuers);
    }

    private DevelopmentCertificate Add(string name, X509Certificate2 certificate, X509Certificate2Collection? issuers = null)
    {
        var made = new DevelopmentCertificate(name, certificate, issuers ?? []);
        _all.Add(made);
        return made;
    }
}
