using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Crypto.LibCrypto;

namespace Post.Quic.Engine.Tests.Crypto;

/// <summary>The two implementations of Diffie-Hellman: against published vectors, against each other, against bad points.</summary>
[TestClass]
public sealed class KeyAgreementTests
{
    // Points of small order on Curve25519, and forms of them that are not reduced: whoever sends one knows the secret.
    private static readonly string[] SmallOrder =
    [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000080",
    ];

    [TestMethod]
    public void Libcrypto_serves_all_groups_where_it_is_there()
    {
        CryptoProvider provider = CryptoProviders.Get(CryptoProviders.LibCrypto);
        foreach (NamedGroup group in new[] { NamedGroup.X25519, NamedGroup.Secp256r1, NamedGroup.Secp384r1 })
        {
            Assert.IsInstanceOfType<LibCryptoKeyAgreement>(provider.FindKeyAgreement(group), $"{group}");
        }

        Assert.IsNull(provider.FindKeyAgreement(NamedGroup.X25519MlKem768));
    }

    [TestMethod]
    public void X25519_gives_the_secret_of_RFC_7748_on_both_sides()
    {
        var agreement = (LibCryptoKeyAgreement)CryptoProviders.Get(CryptoProviders.LibCrypto).FindKeyAgreement(NamedGroup.X25519)!;
        using EphemeralKey alice = Read(agreement, "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
        using EphemeralKey bob = Read(agreement, "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
        Assert.AreEqual("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a", Convert.ToHexStringLower(alice.Share));
        Assert.AreEqual("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f", Convert.ToHexStringLower(bob.Share));
        const string expected = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
        Assert.AreEqual(expected, Convert.ToHexStringLower(Agree(alice, bob.Share)!));
        Assert.AreEqual(expected, Convert.ToHexStringLower(Agree(bob, alice.Share)!));

        static EphemeralKey Read(LibCryptoKeyAgreement agreement, string key) =>
            agreement.ReadPrivate(Convert.FromHexString("302e020100300506032b656e04220420" + key))!;
    }

    [TestMethod]
    [DataRow(NamedGroup.Secp256r1, 30)]
    [DataRow(NamedGroup.Secp384r1, 5)]
    public void Both_implementations_agree_with_each_other(object group, int times)
    {
        KeyAgreement lib = CryptoProviders.Get(CryptoProviders.LibCrypto).FindKeyAgreement((NamedGroup)group)!;
        KeyAgreement platform = CryptoProviders.Get(CryptoProviders.Platform).FindKeyAgreement((NamedGroup)group)!;
        for (int i = 0; i < times; i++)
        {
            using EphemeralKey ofLib = lib.Generate();
            using EphemeralKey ofPlatform = platform.Generate();
            CollectionAssert.AreEqual(Agree(ofLib, ofPlatform.Share), Agree(ofPlatform, ofLib.Share));
            CollectionAssert.AreNotEqual(ofLib.Share, ofPlatform.Share);
        }
    }

    [TestMethod]
    public void X25519_refuses_every_point_that_leads_to_a_secret_of_zeros()
    {
        using EphemeralKey key = CryptoProviders.Get(CryptoProviders.LibCrypto).FindKeyAgreement(NamedGroup.X25519)!.Generate();
        foreach (string point in SmallOrder)
        {
            Assert.IsNull(Agree(key, Convert.FromHexString(point)), point);
        }

        Assert.IsNull(Agree(key, new byte[31]));
        Assert.IsNull(Agree(key, [.. key.Share, 0]));
        Assert.IsNull(Agree(key, []));
        Assert.IsNotNull(Agree(key, key.Share));
    }

    [TestMethod]
    public void A_secret_of_zeros_is_refused_whatever_the_implementation_says_of_it()
    {
        using var key = new ZeroKey();
        Assert.IsFalse(key.TryAgree(new byte[32], new byte[32]));
    }

    [TestMethod]
    [DataRow(CryptoProviders.Platform, NamedGroup.Secp256r1)]
    [DataRow(CryptoProviders.Platform, NamedGroup.Secp384r1)]
    [DataRow(CryptoProviders.LibCrypto, NamedGroup.Secp256r1)]
    [DataRow(CryptoProviders.LibCrypto, NamedGroup.Secp384r1)]
    public void What_is_no_point_of_the_curve_is_refused(string kind, object group)
    {
        using EphemeralKey key = CryptoProviders.Get(kind).FindKeyAgreement((NamedGroup)group)!.Generate();
        int half = key.Share.Length / 2;
        byte[] good = key.Share;
        Assert.IsNotNull(Agree(key, good));
        Dictionary<string, byte[]> bad = new()
        {
            ["nothing"] = [],
            ["infinity"] = [0],
            ["all zeros"] = new byte[good.Length],
            ["zero coordinates"] = [4, .. new byte[2 * half]],
            ["coordinates beyond the field"] = [4, .. Enumerable.Repeat((byte)0xff, 2 * half)],
            ["compressed"] = [(byte)(2 + (good[^1] & 1)), .. good[1..(1 + half)]],
            ["hybrid form"] = [(byte)(6 + (good[^1] & 1)), .. good[1..]],
            ["a byte short"] = good[..^1],
            ["a byte long"] = [.. good, 0],
            ["off the curve"] = [.. good[..^1], (byte)(good[^1] ^ 1)],
        };
        foreach ((string name, byte[] share) in bad)
        {
            Assert.IsNull(Agree(key, share), name);
        }

        Assert.IsNotNull(Agree(key, good), "The key still serves.");
    }

    [TestMethod]
    [DataRow(CryptoProviders.Platform)]
    [DataRow(CryptoProviders.LibCrypto)]
    public void A_key_that_was_disposed_of_is_gone(string kind)
    {
        EphemeralKey key = CryptoProviders.Get(kind).FindKeyAgreement(NamedGroup.Secp256r1)!.Generate();
        byte[] share = key.Share;
        key.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => key.TryAgree(share, new byte[32]));
    }

    [TestMethod]
    public void One_group_serves_many_threads()
    {
        CryptoProvider provider = CryptoProviders.Get(CryptoProviders.LibCrypto);
        foreach (NamedGroup group in new[] { NamedGroup.X25519, NamedGroup.Secp256r1 })
        {
            KeyAgreement agreement = provider.FindKeyAgreement(group)!;
            Parallel.For(0, 400, _ =>
            {
                using EphemeralKey one = agreement.Generate();
                using EphemeralKey other = agreement.Generate();
                CollectionAssert.AreEqual(Agree(one, other.Share), Agree(other, one.Share));
            });
        }
    }

    private static byte[]? Agree(EphemeralKey key, byte[] share)
    {
        byte[] secret = new byte[key.Group.SecretLength()];
        return key.TryAgree(share, secret) ? secret : null;
    }

    private sealed class ZeroKey() : EphemeralKey(NamedGroup.X25519, new byte[32])
    {
        private protected override bool TryDerive(ReadOnlySpan<byte> peerShare, Span<byte> secret)
        {
            secret.Clear();
            return true;
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}
