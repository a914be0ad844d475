using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Crypto.Providers;
using Post.Quic.Engine.Tests.Crypto;
using Post.Quic.Engine.Tls;

namespace Post.Quic.Engine.Tests.Tls;

/// <summary>Which groups are offered and shares sent, and what that costs in round trips.</summary>
[TestClass]
public sealed class KeyShareTests
{
    private static readonly CryptoProvider Platform = CryptoProviderFactory.Create(CryptoProviderKind.Platform);

    [TestMethod]
    public void X25519_is_agreed_on_at_once_by_default()
    {
        CryptoProviders.Get(CryptoProviders.LibCrypto);
        AssertAgreed(TlsPair.ClientOptions(), TlsPair.ServerOptions(), NamedGroup.X25519, isRetried: false);
    }

    [TestMethod]
    public void A_side_without_X25519_costs_no_round_trip()
    {
        AssertAgreed(TlsPair.ClientOptions(), TlsPair.ServerOptions(crypto: Platform), NamedGroup.Secp256r1, isRetried: false);
        AssertAgreed(TlsPair.ClientOptions(crypto: Platform), TlsPair.ServerOptions(), NamedGroup.Secp256r1, isRetried: false);
    }

    [TestMethod]
    public void A_second_share_is_sent_only_where_it_costs_little()
    {
        CryptoProviders.Get(CryptoProviders.LibCrypto);
        TlsClientOptions options = TlsPair.ClientOptions(
            groups: [NamedGroup.X25519, NamedGroup.Secp384r1, NamedGroup.Secp256r1], keyShares: 2);
        AssertAgreed(options, TlsPair.ServerOptions(groups: [NamedGroup.Secp384r1]), NamedGroup.Secp384r1, isRetried: true);
        AssertAgreed(options, TlsPair.ServerOptions(groups: [NamedGroup.Secp256r1]), NamedGroup.Secp256r1, isRetried: false);
        AssertAgreed(
            TlsPair.ClientOptions(groups: [NamedGroup.X25519, NamedGroup.Secp256r1], keyShares: 1),
            TlsPair.ServerOptions(groups: [NamedGroup.Secp256r1]),
            NamedGroup.Secp256r1,
            isRetried: true);
    }

    [TestMethod]
    public void A_server_takes_the_best_of_the_shares_it_was_sent()
    {
        CryptoProviders.Get(CryptoProviders.LibCrypto);
        AssertAgreed(
            TlsPair.ClientOptions(),
            TlsPair.ServerOptions(groups: [NamedGroup.Secp384r1, NamedGroup.Secp256r1, NamedGroup.X25519]),
            NamedGroup.Secp256r1,
            isRetried: false);
    }

    [TestMethod]
    public void A_client_whose_platform_has_none_of_its_groups_is_told_so()
    {
        Assert.ThrowsExactly<ArgumentException>(
            () => new TlsPair(TlsPair.ClientOptions(groups: [NamedGroup.X25519], crypto: Platform)));
    }

    private static void AssertAgreed(TlsClientOptions client, TlsServerOptions server, NamedGroup group, bool isRetried)
    {
        using TlsPair pair = new TlsPair(client, server).Run();
        HandshakeTests.AssertComplete(pair);
        Assert.AreEqual(group, pair.Client.Group);
        Assert.AreEqual(isRetried, pair.Client.IsRetried);
    }
}
