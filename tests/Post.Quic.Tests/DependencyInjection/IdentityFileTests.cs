using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Post.Sockets;

namespace Post.Quic.Tests.DependencyInjection;

/// <summary>A certificate or key that is of no use is said at start: which file it is, what is wrong with it, and what to do.</summary>
[TestClass]
public sealed class IdentityFileTests
{
    private readonly string _directory = Directory.CreateTempSubdirectory("post-identity-").FullName;
    private readonly X509Certificate2 _identity = Identity.CreateSelfSigned("kept");

    public required TestContext TestContext { get; init; }

    [TestCleanup]
    public void Clean()
    {
        _identity.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [TestMethod]
    public Task A_file_that_is_no_pem() => FailsAsync(
        "CertificatePath", Write("identity.pem", "hello"), null, null, "holds no certificate in PEM");

    [TestMethod]
    public Task A_certificate_without_its_key() => FailsAsync(
        "CertificatePath", Write("identity.pem", _identity.ExportCertificatePem()), null, null, "set PrivateKeyPath");

    [TestMethod]
    public async Task A_key_of_another_certificate()
    {
        using X509Certificate2 other = Identity.CreateSelfSigned("other");
        await FailsAsync(
            "PrivateKeyPath",
            Write("identity.pem", _identity.ExportCertificatePem()),
            Write("other.key", other.GetECDsaPrivateKeyPem()),
            null,
            "the private key of the certificate in CertificatePath");
    }

    [TestMethod]
    [DataRow(null, "set CertificatePassword")]
    [DataRow("wrong", "correct CertificatePassword")]
    public async Task An_encrypted_key_and_no_or_another_password(string? password, string remedy)
    {
        using ECDsa key = _identity.GetECDsaPrivateKey()!;
        string encrypted = key.ExportEncryptedPkcs8PrivateKeyPem(
            "right", new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000));
        await FailsAsync(
            "PrivateKeyPath", Write("identity.pem", _identity.ExportCertificatePem()), Write("identity.key", encrypted), password, remedy);
    }

    [TestMethod]
    public Task A_password_for_a_key_that_is_not_encrypted() => FailsAsync(
        "PrivateKeyPath",
        Write("identity.pem", _identity.ExportCertificatePem()),
        Write("identity.key", _identity.GetECDsaPrivateKeyPem()),
        "none",
        "unset CertificatePassword");

    [TestMethod]
    [DataRow("wrong")]
    [DataRow(null)]
    public Task A_pkcs12_and_no_or_another_password(string? password) => FailsAsync(
        "CertificatePath", Write("identity.pfx", _identity.Export(X509ContentType.Pkcs12, "right")), null, password, "CertificatePassword");

    [TestMethod]
    public Task A_file_that_is_no_pkcs12() => FailsAsync(
        "CertificatePath", Write("identity.p12", "hello"u8.ToArray()), null, null, "PKCS#12");

    [TestMethod]
    public async Task A_pkcs12_without_a_private_key()
    {
        using X509Certificate2 bare = X509CertificateLoader.LoadCertificate(_identity.RawData);
        byte[] file = new X509Certificate2Collection(bare).Export(X509ContentType.Pkcs12)!;
        await FailsAsync("CertificatePath", Write("identity.pfx", file), null, null, "holds no certificate with a private key");
    }

    [TestMethod]
    [DataRow("identity.pem", null)]
    [DataRow("identity.pfx", null)]
    [DataRow("identity.pem", "identity.key")]
    public async Task A_file_that_cannot_be_read(string certificate, string? key)
    {
        string certificatePath = Write(certificate, _identity.ExportCertificatePem());
        string? keyPath = key is null ? null : Write(key, _identity.GetECDsaPrivateKeyPem());

        // Somebody holds it for themselves; a lack of permission would be none for root.
        using FileStream held = new(keyPath ?? certificatePath, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        await FailsAsync(key is null ? "CertificatePath" : "PrivateKeyPath", certificatePath, keyPath, null, "cannot be read");
    }

    [TestMethod]
    public void A_file_that_was_spoiled_after_the_start_is_named_too()
    {
        string path = Write("identity.pem", "hello");
        using var locals = new PostLocals(new Unvalidated(new PostLocalOptions { CertificatePath = path }));

        OptionsValidationException failure = Assert.ThrowsExactly<OptionsValidationException>(() => locals.Get("edge"));

        StringAssert.Contains(failure.Message, "Local 'edge': CertificatePath names '" + path + "'");
    }

    private string Write(string name, string text) => Write(name, System.Text.Encoding.UTF8.GetBytes(text));

    private string Write(string name, byte[] bytes)
    {
        string path = Path.Combine(_directory, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private async Task FailsAsync(string property, string certificate, string? key, string? password, string remedy)
    {
        await using var world = new DiWorld(services => services.AddPostLocal("edge", options =>
        {
            options.CertificatePath = certificate;
            options.PrivateKeyPath = key;
            options.CertificatePassword = password;
        }));

        OptionsValidationException failure = await Assert.ThrowsAsync<OptionsValidationException>(
            () => world.StartAsync(TestContext.CancellationToken));

        StringAssert.Contains(failure.Message, $"Local 'edge': {property} names '{(property == "CertificatePath" ? certificate : key)}'");
        StringAssert.Contains(failure.Message, remedy);
    }

    private sealed class Unvalidated(PostLocalOptions options) : IOptionsMonitor<PostLocalOptions>
    {
        public PostLocalOptions CurrentValue => options;

        public PostLocalOptions Get(string? name) => options;

        public IDisposable? OnChange(Action<PostLocalOptions, string?> listener) => null;
    }
}
