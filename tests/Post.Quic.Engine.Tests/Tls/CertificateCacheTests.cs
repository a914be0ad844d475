using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Tls.Certificates;

namespace Post.Quic.Engine.Tests.Tls;

[TestClass]
public sealed class CertificateCacheTests
{
    private static readonly byte[] Encoded = TestCertificates.P256.Certificate.RawData;

    [TestMethod]
    public void A_certificate_that_comes_again_is_not_parsed_again()
    {
        var cache = new CertificateCache(4);
        using X509Certificate2 first = cache.Load(Encoded)!;
        using X509Certificate2 second = cache.Load([.. Encoded])!;
        Assert.AreNotSame(first, second);
        CollectionAssert.AreEqual(Encoded, second.RawData);
        if (OperatingSystem.IsLinux())
        {
            Assert.AreEqual(first.Handle, second.Handle, "It was parsed again.");
        }
    }

    [TestMethod]
    public void Who_disposes_of_a_certificate_takes_it_from_nobody_else()
    {
        var cache = new CertificateCache(1);
        X509Certificate2 first = cache.Load(Encoded)!;
        using X509Certificate2 second = cache.Load(Encoded)!;
        first.Dispose();
        Assert.AreEqual(TestCertificates.P256.Certificate.Thumbprint, second.Thumbprint);
        using X509Certificate2 third = cache.Load(Encoded)!;
        using ECDsa key = third.GetECDsaPublicKey()!;
        Assert.AreEqual(256, key.KeySize);
    }

    [TestMethod]
    public void Another_certificate_takes_the_place_and_is_not_mistaken_for_the_first()
    {
        var cache = new CertificateCache(1);
        foreach (CertificateCredential credential in new[] { TestCertificates.P256, TestCertificates.Rsa, TestCertificates.P256 })
        {
            using X509Certificate2 loaded = cache.Load(credential.Certificate.RawData)!;
            Assert.AreEqual(credential.Certificate.Thumbprint, loaded.Thumbprint);
        }
    }

    [TestMethod]
    public void What_is_no_certificate_is_refused_however_much_it_is_like_one()
    {
        var cache = new CertificateCache(1);
        using X509Certificate2 known = cache.Load(Encoded)!;
        byte[] pem = System.Text.Encoding.ASCII.GetBytes(known.ExportCertificatePem());
        foreach (byte[] bad in new byte[][] { [], [0x30], pem, [.. Encoded, 0], Encoded[..^1], Encoded[1..], [.. Encoded, .. Encoded] })
        {
            Assert.IsNull(cache.Load(bad));
        }

        using X509Certificate2 again = cache.Load(Encoded)!;
        Assert.AreEqual(known.Thumbprint, again.Thumbprint);
    }

    [TestMethod]
    public void A_certificate_of_unusual_length_is_not_kept()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=long", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        for (int i = 0; names.Build().RawData.Length <= Limits.MaxCertificateRemembered; i += 20)
        {
            for (int j = 0; j < 20; j++)
            {
                names.AddDnsName($"name-{i + j}.long.example");
            }
        }

        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 made = request.CreateSelfSigned(TestCertificates.Now.AddDays(-1), TestCertificates.Now.AddDays(1));
        var cache = new CertificateCache(1);
        using X509Certificate2 known = cache.Load(Encoded)!;
        using X509Certificate2 loaded = cache.Load(made.RawData)!;
        Assert.AreEqual(made.Thumbprint, loaded.Thumbprint);
        using X509Certificate2 still = cache.Load(Encoded)!;
        if (OperatingSystem.IsLinux())
        {
            Assert.AreEqual(known.Handle, still.Handle, "The long one took the place.");
        }
    }

    [TestMethod]
    public void Many_threads_load_what_pushes_each_other_out()
    {
        var cache = new CertificateCache(1);
        CertificateCredential[] credentials = [TestCertificates.P256, TestCertificates.P384, TestCertificates.Rsa];
        byte[][] encoded = [.. credentials.Select(static c => c.Certificate.RawData)];
        Parallel.For(0, 600, i =>
        {
            using X509Certificate2 loaded = cache.Load(encoded[i % 3])!;
            Assert.AreEqual(credentials[i % 3].Certificate.Thumbprint, loaded.Thumbprint);
        });
    }
}
