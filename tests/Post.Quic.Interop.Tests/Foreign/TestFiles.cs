using System.Runtime.CompilerServices;
using System.Security.Cryptography;

namespace Post.Quic.Interop.Tests.Foreign;

/// <summary>A directory for the programs that only take files, with the certificates in it; it goes with the last test.</summary>
[TestClass]
public sealed class TestFiles
{
    private static readonly Lazy<DevelopmentCertificates> Made = new(MakeCertificates);

    internal static string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("post-quic-interop-").FullName;

    internal static DevelopmentCertificates Certificates => Made.Value;

    /// <summary>The PEM file of a certificate by its name in certs/README.md.</summary>
    internal static string Certificate(string name) => CertificateFile(name, ".pem");

    internal static string PrivateKey(string name) => CertificateFile(name, ".key");

    /// <summary>A directory of the caller's own.</summary>
    internal static string NewDirectory() => System.IO.Directory.CreateDirectory(
        Path.Combine(Directory, Convert.ToHexString(RandomNumberGenerator.GetBytes(8)))).FullName;

    internal static string SourceDirectory([CallerFilePath] string path = "") =>
        Path.GetDirectoryName(Path.GetDirectoryName(path))!;

    [AssemblyCleanup]
    public static void RemoveDirectory()
    {
        System.IO.Directory.Delete(Directory, recursive: true);
        if (Made.IsValueCreated)
        {
            Made.Value.Dispose();
        }
    }

    private static string CertificateFile(string name, string ending) =>
        Path.Combine(Directory, Certificates.All.Single(one => one.Name == name).Name + ending);

    private static DevelopmentCertificates MakeCertificates()
    {
        DevelopmentCertificates made = DevelopmentCertificates.Create();
        made.Save(Directory);
        return made;
    }
}
