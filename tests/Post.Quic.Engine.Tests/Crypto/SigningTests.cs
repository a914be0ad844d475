using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Crypto.Providers;

namespace Post.Quic.Engine.Tests.Crypto;

/// <summary>Signatures with keys that come without certificates.</summary>
[TestClass]
public sealed class SigningTests
{
    private static readonly byte[] Content = [1, 2, 3, 4, 5];

    public static IEnumerable<object[]> Algorithms =>
        Enum.GetValues<KeyAlgorithm>().Where(static one => CryptoProviderFactory.Default.FindSigning(one) is not null).Select(static one => new object[] { (int)one });

    [TestMethod]
    [DynamicData(nameof(Algorithms))]
    public void A_signature_fits_its_key_and_content_and_nothing_else(int algorithm)
    {
        SigningAlgorithm signing = CryptoProviderFactory.Default.FindSigning((KeyAlgorithm)algorithm)!;
        using SigningKey key = signing.Generate();
        using SigningKey other = signing.Generate();
        byte[] signature = key.Sign(Content);
        Assert.IsTrue(signing.Verify(key.PublicKey, Content, signature));
        Assert.IsFalse(signing.Verify(other.PublicKey, Content, signature));
        Assert.IsFalse(signing.Verify(key.PublicKey, [.. Content, 0], signature));
        Assert.IsFalse(signing.Verify(key.PublicKey, Content, []));
        Assert.IsFalse(signing.Verify(key.PublicKey, Content, [.. signature, 0]));
        for (int i = 0; i < signature.Length; i++)
        {
            byte[] changed = [.. signature];
            changed[i] ^= 0x10;
            Assert.IsFalse(signing.Verify(key.PublicKey, Content, changed), $"byte {i}");
        }
    }

    [TestMethod]
    [DynamicData(nameof(Algorithms))]
    public void Many_threads_sign_with_one_key(int algorithm)
    {
        SigningAlgorithm signing = CryptoProviderFactory.Default.FindSigning((KeyAlgorithm)algorithm)!;
        using SigningKey key = signing.Generate();
        int good = 0;
        Parallel.For(0, 200, i =>
        {
            byte[] content = BitConverter.GetBytes(i);
            if (signing.Verify(key.PublicKey, content, key.Sign(content)))
            {
                Interlocked.Increment(ref good);
            }
        });
        Assert.AreEqual(200, good);
    }

    [TestMethod]
    [DynamicData(nameof(Algorithms))]
    public void A_public_key_has_one_encoding_only(int algorithm)
    {
        using SigningKey key = CryptoProviderFactory.Default.FindSigning((KeyAlgorithm)algorithm)!.Generate();
        byte[] encoded = key.PublicKey.Encoded.ToArray();
        Assert.AreEqual(key.PublicKey, RawPublicKey.Parse(encoded));
        for (int i = 0; i < encoded.Length - key.PublicKey.Key.Length; i++)
        {
            byte[] changed = [.. encoded];
            changed[i] ^= 1;
            Assert.IsNull(RawPublicKey.Parse(changed), $"byte {i}");
            Assert.IsNull(RawPublicKey.Parse(encoded.AsSpan(..i)), $"the first {i} bytes");
        }

        Assert.IsNull(RawPublicKey.Parse([.. encoded, 0]));
        Assert.IsNull(RawPublicKey.Parse([]));
    }

    [TestMethod]
    public void Ed25519_signs_as_RFC_8032_says()
    {
        if (CryptoProviderFactory.Default.FindSigning(KeyAlgorithm.Ed25519) is not { } signing)
        {
            Assert.Inconclusive("No libcrypto with Ed25519 is on this machine.");
            return;
        }

        // Section 7.1, test 1; the self-test at start has the next two.
        byte[] pkcs8 = [.. Convert.FromHexString("302e020100300506032b657004220420"),
            .. Convert.FromHexString("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")];
        using SigningKey key = signing.Import(pkcs8)!;
        Assert.AreEqual("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", Convert.ToHexStringLower(key.PublicKey.Key));
        Assert.AreEqual(
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
            Convert.ToHexStringLower(key.Sign([])));
        CollectionAssert.AreEqual(pkcs8, key.Export());
    }

    [TestMethod]
    public void A_signature_of_Ed25519_is_refused_in_a_form_that_could_be_altered()
    {
        if (CryptoProviderFactory.Default.FindSigning(KeyAlgorithm.Ed25519) is not { } signing)
        {
            Assert.Inconclusive("No libcrypto with Ed25519 is on this machine.");
            return;
        }

        // RFC 8032 section 5.1.7: S below the order of the group; with the order added the equation holds as well.
        using SigningKey key = signing.Generate();
        byte[] signature = key.Sign(Content);
        var order = System.Numerics.BigInteger.Pow(2, 252) + System.Numerics.BigInteger.Parse("27742317777372353535851937790883648493");
        var s = new System.Numerics.BigInteger(signature.AsSpan(32), isUnsigned: true) + order;
        byte[] altered = [.. signature.AsSpan(..32), .. s.ToByteArray(isUnsigned: true)];
        Array.Resize(ref altered, 64);
        Assert.IsTrue(signing.Verify(key.PublicKey, Content, signature));
        Assert.IsFalse(signing.Verify(key.PublicKey, Content, altered));
    }
}
