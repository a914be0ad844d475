using System.Net;
using System.Security.Cryptography.X509Certificates;
using Post.Sockets;

namespace Post.Quic.Locals;

/// <summary>Turns what configuration states into a <see cref="Local"/>: reads the identity, parses the endpoints.</summary>
internal static class LocalFactory
{
    public static Local Create(PostLocalOptions options, TimeProvider time)
    {
        var certificates = LoadCertificates(options, time);
        return new Local
        {
            Certificate = certificates?.Own,
            IntermediateCertificates = certificates?.Issuers is { Count: > 0 } issuers ? issuers : null,
            EndPoints = [.. options.EndPoints.Select(IPEndPoint.Parse)],
            Interfaces = [.. options.Interfaces],
            Sessions = options.KeepSessions ? new MemorySessionCache(time) : null,
        };
    }

    private static (X509Certificate2 Own, X509Certificate2Collection Issuers)? LoadCertificates(PostLocalOptions options, TimeProvider time)
    {
        if (options.CertificatePath is not { } path)
        {
            return options.EphemeralIdentity is { } name ? (Identity.CreateSelfSigned(name, time: time), []) : null;
        }

        return IsPem(path) ? LoadPem(path, options) : LoadPkcs12(path, options.CertificatePassword);
    }

    private static bool IsPem(string path) =>
        Path.GetExtension(path) is not (".pfx" or ".p12" or ".PFX" or ".P12");

    private static (X509Certificate2 Own, X509Certificate2Collection Issuers) LoadPem(string path, PostLocalOptions options)
    {
        using var fromPem = options.CertificatePassword is { } password
            ? X509Certificate2.CreateFromEncryptedPemFile(path, password, options.PrivateKeyPath)
            : X509Certificate2.CreateFromPemFile(path, options.PrivateKeyPath);
        var issuers = new X509Certificate2Collection();
        issuers.ImportFromPemFile(path);
        issuers.RemoveAt(0);

        // Windows' TLS cannot use a key that lives in memory only; taking it through PKCS#12 gives it one that it can.
        return OperatingSystem.IsWindows()
            ? (X509CertificateLoader.LoadPkcs12(fromPem.Export(X509ContentType.Pkcs12), null), issuers)
            : (new X509Certificate2(fromPem), issuers);
    }

    private static (X509Certificate2 Own, X509Certificate2Collection Issuers) LoadPkcs12(string path, string? password)
    {
        var all = X509CertificateLoader.LoadPkcs12CollectionFromFile(path, password);
        var own = all.FirstOrDefault(one => one.HasPrivateKey)
            ?? throw new InvalidOperationException($"'{path}' holds no certificate with a private key.");
        all.Remove(own);
        return (own, all);
    }
}
