using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Post.Quic.Locals;

/// <summary>The files of a Local's identity: a certificate, its private key, and those of its issuers that came with it.</summary>
internal static class IdentityFile
{
    /// <summary>Reads what the options name.</summary>
    /// <param name="options">They name a certificate.</param>
    /// <param name="identity">What was read.</param>
    /// <param name="failure">Which file is of no use, why, and what to do.</param>
    public static bool TryLoad(
        PostLocalOptions options,
        [NotNullWhen(true)] out LoadedIdentity? identity,
        [NotNullWhen(false)] out string? failure)
    {
        string path = options.CertificatePath!;
        identity = null;
        if (!TryRead(path, nameof(options.CertificatePath), out byte[]? certificate, out failure))
        {
            return false;
        }

        if (IsPkcs12(path))
        {
            return TryLoadPkcs12(path, certificate, options.CertificatePassword, out identity, out failure);
        }

        byte[]? key = certificate;
        return (options.PrivateKeyPath is null || TryRead(options.PrivateKeyPath, nameof(options.PrivateKeyPath), out key, out failure))
            && TryLoadPem(options, Text(certificate), Text(key), out identity, out failure);
    }

    private static bool IsPkcs12(string path) => Path.GetExtension(path).ToUpperInvariant() is ".PFX" or ".P12";

    private static string Text(byte[] bytes) => System.Text.Encoding.UTF8.GetString(bytes);

    private static bool TryRead(
        string path, string property, [NotNullWhen(true)] out byte[]? bytes, [NotNullWhen(false)] out string? failure)
    {
        try
        {
            bytes = File.ReadAllBytes(path);
            failure = null;
            return true;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            failure = $"{property} names '{path}', which does not exist; create it or correct the path.";
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            failure = $"{property} names '{path}', which cannot be read ({exception.Message}); let the user that this program runs as read it.";
        }

        bytes = null;
        return false;
    }

    private static bool TryLoadPem(
        PostLocalOptions options,
        string certificate,
        string key,
        [NotNullWhen(true)] out LoadedIdentity? identity,
        [NotNullWhen(false)] out string? failure)
    {
        identity = null;
        var issuers = new X509Certificate2Collection();
        try
        {
            issuers.ImportFromPem(certificate);
        }
        catch (CryptographicException exception)
        {
            failure = NoCertificate(options, exception.Message);
            return false;
        }

        if (issuers.Count == 0)
        {
            failure = NoCertificate(options, "nothing between BEGIN CERTIFICATE and END CERTIFICATE");
            return false;
        }

        issuers[0].Dispose();
        issuers.RemoveAt(0);
        try
        {
            using var fromPem = options.CertificatePassword is { } password
                ? X509Certificate2.CreateFromEncryptedPem(certificate, key, password)
                : X509Certificate2.CreateFromPem(certificate, key);

            // Windows' TLS cannot use a key that lives in memory only; taking it through PKCS#12 gives it one that it can.
            identity = new LoadedIdentity(
                OperatingSystem.IsWindows()
                    ? X509CertificateLoader.LoadPkcs12(fromPem.Export(X509ContentType.Pkcs12), null)
                    : new X509Certificate2(fromPem),
                issuers);
            failure = null;
            return true;
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException)
        {
            failure = NoKey(options, key, exception.Message);
            return false;
        }
    }

    private static string NoCertificate(PostLocalOptions options, string why) =>
        $"CertificatePath names '{options.CertificatePath}', which holds no certificate in PEM ({why}); name a PEM file, or a PKCS#12 file "
        + "that ends in .pfx or .p12.";

    private static string NoKey(PostLocalOptions options, string key, string why)
    {
        bool isEncrypted = key.Contains("ENCRYPTED", StringComparison.Ordinal);
        string remedy = (isEncrypted, options.CertificatePassword, options.PrivateKeyPath) switch
        {
            (true, null, _) => "the key is encrypted: set CertificatePassword",
            (true, _, _) => "correct CertificatePassword, or the path if this is the key of another certificate",
            (_, not null, _) when key.Contains("PRIVATE KEY", StringComparison.Ordinal) => "the key is not encrypted: unset CertificatePassword",
            (_, _, null) => "add the key to the file, or set PrivateKeyPath to the key's file",
            _ => "correct the path, or replace the one or the other",
        };
        return options.PrivateKeyPath is { } path
            ? $"PrivateKeyPath names '{path}', which does not hold the private key of the certificate in CertificatePath ({why}); {remedy}."
            : $"CertificatePath names '{options.CertificatePath}', which does not hold the certificate's private key ({why}); {remedy}.";
    }

    private static bool TryLoadPkcs12(
        string path,
        byte[] file,
        string? password,
        [NotNullWhen(true)] out LoadedIdentity? identity,
        [NotNullWhen(false)] out string? failure)
    {
        identity = null;
        X509Certificate2Collection all;
        try
        {
            all = X509CertificateLoader.LoadPkcs12Collection(file, password);
        }
        catch (CryptographicException exception)
        {
            failure = $"CertificatePath names '{path}', which cannot be opened as PKCS#12 ({exception.Message}); "
                + (password is null ? "if it has a password, set CertificatePassword" : "correct CertificatePassword")
                + "; if it is PEM, let its name end in .pem.";
            return false;
        }

        if (all.FirstOrDefault(static one => one.HasPrivateKey) is not { } own)
        {
            failure = $"CertificatePath names '{path}', which holds no certificate with a private key; export it together with its key.";
            foreach (X509Certificate2 one in all)
            {
                one.Dispose();
            }

            return false;
        }

        all.Remove(own);
        identity = new LoadedIdentity(own, all);
        failure = null;
        return true;
    }
}
