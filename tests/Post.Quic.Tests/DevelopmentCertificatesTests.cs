using System.Runtime.Versioning;
using System.Security.Cryptography.X509Certificates;

namespace Post.Quic.Tests;

[TestClass]
public sealed class DevelopmentCertificatesTests
{
    [TestMethod]
    public void A_saved_set_is_complete_until_a_file_is_missing_or_it_nears_its_end()
    {
        string directory = Directory.CreateTempSubdirectory("post-certs-").FullName;
        try
        {
            Assert.IsFalse(DevelopmentCertificates.IsComplete(directory));

            using DevelopmentCertificates certificates = DevelopmentCertificates.Create();
            certificates.Save(directory);

            Assert.IsTrue(DevelopmentCertificates.IsComplete(directory));
            Assert.IsFalse(DevelopmentCertificates.IsComplete(directory, new FixedTime(DateTimeOffset.UtcNow.AddDays(360))));

            File.Delete(Path.Combine(directory, "client-2.key"));
            Assert.IsFalse(DevelopmentCertificates.IsComplete(directory));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [TestMethod]
    public void Good_certificates_validate_and_bad_ones_do_not()
    {
        using DevelopmentCertificates certificates = DevelopmentCertificates.Create();

        Assert.IsTrue(Validates(certificates.Server, certificates.Authority));
        Assert.IsTrue(Validates(certificates.ServerRsa, certificates.Authority));
        Assert.IsTrue(Validates(certificates.ChainOfNine, certificates.ChainRoot));
        Assert.AreEqual(9, certificates.ChainOfNine.Issuers.Count + 1);

        Assert.IsFalse(Validates(certificates.Expired, certificates.Authority));
        Assert.IsFalse(Validates(certificates.WrongUsage, certificates.Authority));
        Assert.IsFalse(Validates(certificates.SelfSigned, certificates.Authority));
        Assert.IsFalse(Validates(certificates.Server, certificates.ChainRoot));
        Assert.IsFalse(certificates.WrongName.Certificate.MatchesHostname("localhost"));
        Assert.IsTrue(certificates.Server.Certificate.MatchesHostname("127.0.0.1"));
    }

    [TestMethod]
    [OSCondition(ConditionMode.Exclude, OperatingSystems.Windows)]
    [UnsupportedOSPlatform("windows")]
    public void Private_keys_are_readable_by_their_owner_only()
    {
        string directory = Directory.CreateTempSubdirectory("post-certs-").FullName;
        try
        {
            using DevelopmentCertificates certificates = DevelopmentCertificates.Create();
            certificates.Save(directory);
            certificates.Save(directory);

            foreach (string key in Directory.EnumerateFiles(directory, "*.key"))
            {
                Assert.AreEqual(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(key), key);
            }
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static bool Validates(DevelopmentCertificate certificate, DevelopmentCertificate root)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(root.Certificate);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.ApplicationPolicy.Add(new("1.3.6.1.5.5.7.3.1"));
        chain.ChainPolicy.ExtraStore.AddRange(certificate.Issuers);
        return chain.Build(certificate.Certificate);
    }

    private sealed class FixedTime(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
