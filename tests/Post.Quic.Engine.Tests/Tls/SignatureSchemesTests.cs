using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Post.Quic.Engine.Crypto.Providers;
using Post.Quic.Engine.Tls.Certificates;
using Post.Quic.Engine.Tls.Messages;

namespace Post.Quic.Engine.Tests.Tls;

[TestClass]
public sealed class SignatureSchemesTests
{
    [TestMethod]
    [DataRow("1.2.840.10045.3.1.7", SignatureScheme.EcdsaSecp256r1Sha256)]
    [DataRow("1.3.132.0.34", SignatureScheme.EcdsaSecp384r1Sha384)]
    [DataRow("1.3.132.0.35", SignatureScheme.EcdsaSecp521r1Sha512)]
    public void A_scheme_goes_with_its_own_curve_only(string curve, object scheme)
    {
        using X509Certificate2 certificate = Create(curve);
        Assert.IsTrue(SignatureSchemes.CanSign(certificate));
        foreach (SignatureScheme other in Enum.GetValues<SignatureScheme>())
        {
            Assert.AreEqual(other == (SignatureScheme)scheme, SignatureSchemes.Fits(other, certificate), $"{other}");
        }
    }

    [TestMethod]
    [DataRow("1.3.132.0.10")] // secp256k1
    [DataRow("1.3.36.3.3.2.8.1.1.7")] // brainpoolP256r1
    public void Another_curve_of_the_same_size_serves_for_nothing(string curve)
    {
        using X509Certificate2 certificate = Create(curve);
        Assert.IsFalse(SignatureSchemes.CanSign(certificate));
        Assert.IsFalse(SignatureSchemes.Fits(SignatureScheme.EcdsaSecp256r1Sha256, certificate));
        Assert.IsTrue(PeerCredentialParser.Parse(
            CertificateType.X509, [certificate.RawData], CryptoProviderFactory.Default, out _).IsError);
    }

    private static X509Certificate2 Create(string curve)
    {
        ECDsa? key = null;
        try
        {
            key = ECDsa.Create(ECCurve.CreateFromValue(curve));
        }
        catch (Exception missing) when (missing is CryptographicException or PlatformNotSupportedException)
        {
            Assert.Inconclusive($"This platform lacks the curve {curve}: {missing.Message}");
        }

        using (key)
        {
            return new CertificateRequest("CN=curve", key!, HashAlgorithmName.SHA256)
                .CreateSelfSigned(TestCertificates.Now.AddDays(-1), TestCertificates.Now.AddDays(1));
        }
    }
}
