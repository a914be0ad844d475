using System.Security.Cryptography;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Crypto.Providers;
using Post.Quic.Engine.Tls;
using Post.Quic.Engine.Tls.Keys;

namespace Post.Quic.Engine.Tests.Tls;

/// <summary>
/// The hybrids of draft-ietf-tls-ecdhe-mlkem, where the platform has ML-KEM (with OpenSSL: 3.5); elsewhere that they are
/// left out.
/// </summary>
[TestClass]
public sealed class HybridKeyExchangeTests
{
    [TestMethod]
    [DataRow(NamedGroup.X25519MlKem768)]
    [DataRow(NamedGroup.Secp256r1MlKem768)]
    [DataRow(NamedGroup.Secp384r1MlKem1024)]
    public void A_client_and_a_server_agree_with_a_hybrid(object group)
    {
        RequireMlKem();
        NamedGroup[] groups = [(NamedGroup)group];
        using TlsPair pair = new TlsPair(TlsPair.ClientOptions(groups: groups), TlsPair.ServerOptions(groups: groups)).Run();
        HandshakeTests.AssertComplete(pair);
        Assert.AreEqual((NamedGroup)group, pair.Client.Group);
        Assert.IsFalse(pair.Client.IsRetried);
    }

    [TestMethod]
    [DataRow(NamedGroup.X25519MlKem768)]
    [DataRow(NamedGroup.Secp256r1MlKem768)]
    [DataRow(NamedGroup.Secp384r1MlKem1024)]
    public void Shares_and_secrets_are_joined_in_the_order_of_the_draft(object group)
    {
        RequireMlKem();
        KeyExchange exchange = KeyExchange.Find(CryptoProviderFactory.Default, (NamedGroup)group)!;
        Draft draft = Draft.Of((NamedGroup)group);
        KeyAgreement curve = CryptoProviderFactory.Default.FindKeyAgreement(draft.Curve)!;

        // Our client with a server made by hand.
        using KeyShareOffer offer = exchange.Offer();
        Assert.HasCount(draft.ClientLength, offer.Share);
        (byte[] curveShare, byte[] kemShare) = draft.Split(offer.Share, draft.Kem.EncapsulationKeySizeInBytes);
        using (MLKem theirs = MLKem.ImportEncapsulationKey(draft.Kem, kemShare))
        using (EphemeralKey key = curve.Generate())
        {
            theirs.Encapsulate(out byte[] ciphertext, out byte[] kemSecret);
            byte[] curveSecret = new byte[draft.Curve.SecretLength()];
            Assert.IsTrue(key.TryAgree(curveShare, curveSecret));
            byte[] serverShare = draft.Join(key.Share, ciphertext);
            Assert.HasCount(draft.ServerLength, serverShare);
            using SecretBuffer? secret = offer.Finish(serverShare);
            CollectionAssert.AreEqual(draft.Join(curveSecret, kemSecret), secret!.Span.ToArray());
        }

        // A client made by hand with our server.
        using (MLKem kem = MLKem.GenerateKey(draft.Kem))
        using (EphemeralKey key = curve.Generate())
        {
            Assert.IsTrue(exchange.TryAnswer(
                draft.Join(key.Share, kem.ExportEncapsulationKey()), out byte[] serverShare, out SecretBuffer? secret));
            Assert.HasCount(draft.ServerLength, serverShare);
            (byte[] ofCurve, byte[] ciphertext) = draft.Split(serverShare, draft.Kem.CiphertextSizeInBytes);
            byte[] curveSecret = new byte[draft.Curve.SecretLength()];
            Assert.IsTrue(key.TryAgree(ofCurve, curveSecret));
            CollectionAssert.AreEqual(draft.Join(curveSecret, kem.Decapsulate(ciphertext)), secret!.Span.ToArray());
            secret.Dispose();
        }
    }

    [TestMethod]
    [DataRow(NamedGroup.X25519MlKem768)]
    [DataRow(NamedGroup.Secp256r1MlKem768)]
    [DataRow(NamedGroup.Secp384r1MlKem1024)]
    public void A_share_with_either_half_spoiled_is_refused(object group)
    {
        RequireMlKem();
        KeyExchange exchange = KeyExchange.Find(CryptoProviderFactory.Default, (NamedGroup)group)!;
        Draft draft = Draft.Of((NamedGroup)group);
        using KeyShareOffer offer = exchange.Offer();
        (byte[] curveShare, byte[] kemShare) = draft.Split(offer.Share, draft.Kem.EncapsulationKeySizeInBytes);
        byte[] noPoint = new byte[curveShare.Length];
        byte[] outOfRange = [.. kemShare];
        outOfRange.AsSpan(0, 100).Fill(0xff);
        foreach (byte[] bad in new byte[][]
        {
            [], offer.Share[..^1], offer.Share[1..], [.. offer.Share, 0], curveShare, kemShare,
            draft.Join(noPoint, kemShare), draft.Join(curveShare, outOfRange),
        })
        {
            Assert.IsFalse(exchange.TryAnswer(bad, out byte[] share, out SecretBuffer? secret));
            Assert.IsEmpty(share);
            Assert.IsNull(secret);
        }

        Assert.IsTrue(exchange.TryAnswer(offer.Share, out byte[] answer, out SecretBuffer? agreed));
        agreed!.Dispose();
        (_, byte[] ciphertext) = draft.Split(answer, draft.Kem.CiphertextSizeInBytes);
        foreach (byte[] bad in new byte[][] { [], answer[..^1], answer[1..], [.. answer, 0], draft.Join(noPoint, ciphertext) })
        {
            Assert.IsNull(offer.Finish(bad));
        }
    }

    [TestMethod]
    public void A_server_that_prefers_a_hybrid_has_the_client_try_again_for_it()
    {
        RequireMlKem();
        AssertAgreed(
            [NamedGroup.X25519, NamedGroup.X25519MlKem768],
            [NamedGroup.X25519MlKem768, NamedGroup.X25519],
            NamedGroup.X25519MlKem768,
            isRetried: true);
        AssertAgreed(
            [NamedGroup.X25519, NamedGroup.X25519MlKem768],
            [NamedGroup.X25519, NamedGroup.X25519MlKem768],
            NamedGroup.X25519,
            isRetried: false);

        // Another hybrid that a share came for is as good as the first.
        AssertAgreed(
            [NamedGroup.X25519MlKem768, NamedGroup.Secp256r1MlKem768],
            [NamedGroup.Secp256r1MlKem768, NamedGroup.X25519MlKem768, NamedGroup.X25519],
            NamedGroup.X25519MlKem768,
            isRetried: false);
    }

    [TestMethod]
    public void A_server_without_the_hybrid_takes_the_share_beside_it()
    {
        RequireMlKem();
        AssertAgreed([NamedGroup.X25519MlKem768, NamedGroup.X25519], [NamedGroup.X25519], NamedGroup.X25519, isRetried: false);
    }

    [TestMethod]
    public void A_platform_without_ML_KEM_leaves_the_hybrids_out()
    {
        if (MLKem.IsSupported)
        {
            Assert.Inconclusive("This platform has ML-KEM.");
        }

        Assert.IsNull(KeyExchange.Find(CryptoProviderFactory.Default, NamedGroup.Secp256r1MlKem768));
        CollectionAssert.AreEqual(
            new[] { NamedGroup.Secp256r1 },
            SslOptionsRules.Groups(
                [QuicKeyExchangeGroup.Secp256r1MlKem768, QuicKeyExchangeGroup.Secp256r1], CryptoProviderFactory.Default, "groups").ToArray());
        ArgumentException refused = Assert.ThrowsExactly<ArgumentException>(
            () => SslOptionsRules.Groups([QuicKeyExchangeGroup.X25519MlKem768], CryptoProviderFactory.Default, "groups"));
        StringAssert.Contains(refused.Message, "add Secp256r1");
    }

    internal static void RequireMlKem()
    {
        if (!MLKem.IsSupported)
        {
            Assert.Inconclusive("This platform has no ML-KEM; with OpenSSL it comes with 3.5.");
        }
    }

    private static void AssertAgreed(NamedGroup[] ofClient, NamedGroup[] ofServer, NamedGroup group, bool isRetried)
    {
        using TlsPair pair = new TlsPair(
            TlsPair.ClientOptions(groups: ofClient, keyShares: 2), TlsPair.ServerOptions(groups: ofServer)).Run();
        HandshakeTests.AssertComplete(pair);
        Assert.AreEqual(group, pair.Client.Group);
        Assert.AreEqual(isRetried, pair.Client.IsRetried);
    }

    /// <summary>The lengths and the order as sections 4.1 to 4.3 of the draft give them, written down a second time.</summary>
    private sealed record Draft(NamedGroup Curve, MLKemAlgorithm Kem, bool KemFirst, int ClientLength, int ServerLength)
    {
        public static Draft Of(NamedGroup group) => group switch
        {
            NamedGroup.X25519MlKem768 => new(NamedGroup.X25519, MLKemAlgorithm.MLKem768, KemFirst: true, 1216, 1120),
            NamedGroup.Secp256r1MlKem768 => new(NamedGroup.Secp256r1, MLKemAlgorithm.MLKem768, KemFirst: false, 1249, 1153),
            _ => new(NamedGroup.Secp384r1, MLKemAlgorithm.MLKem1024, KemFirst: false, 1665, 1665),
        };

        public byte[] Join(byte[] curve, byte[] kem) => KemFirst ? [.. kem, .. curve] : [.. curve, .. kem];

        public (byte[] Curve, byte[] Kem) Split(byte[] share, int kemLength) =>
            KemFirst ? (share[kemLength..], share[..kemLength]) : (share[..^kemLength], share[^kemLength..]);
    }
}
