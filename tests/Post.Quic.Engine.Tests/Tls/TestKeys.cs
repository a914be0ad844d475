using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Crypto.Providers;
using Post.Quic.Engine.Tls.Certificates;
using Post.Quic.Engine.Tls.Messages;

namespace Post.Quic.Engine.Tests.Tls;

/// <summary>Keys without certificates for the tests, made once for the process.</summary>
internal static class TestKeys
{
    private static readonly Lazy<SigningKey[]> LazyAll = new(static () =>
        [.. Enum.GetValues<KeyAlgorithm>().Select(static one => CryptoProviderFactory.Default.FindSigning(one)).OfType<SigningAlgorithm>().Select(static one => one.Generate())]);

    /// <summary>One of each kind that this machine has: P-256, P-384, and Ed25519 where libcrypto is.</summary>
    public static SigningKey[] All => LazyAll.Value;

    public static RawKeyCredential Credential(SigningKey key) => new(key);

    /// <summary>Takes the raw keys, and nothing else.</summary>
    public static CertificatePolicy Pinned(params SigningKey[] keys) => CertificatePolicy.ForServers(
        pinnedPublicKeys: Pins(keys), keys: new RawKeyRules { PeerTypes = [CertificateType.RawPublicKey] });

    public static CertificatePolicy PinnedClient(params SigningKey[] keys) => CertificatePolicy.ForClients(
        pinnedPublicKeys: Pins(keys), keys: new RawKeyRules { PeerTypes = [CertificateType.RawPublicKey] });

    /// <summary>An Ed25519 key; the test is inconclusive where there are none.</summary>
    public static SigningKey Ed25519()
    {
        SigningKey? key = Array.Find(All, static one => one.PublicKey.Algorithm == KeyAlgorithm.Ed25519);
        if (key is null)
        {
            Assert.Inconclusive("No libcrypto with Ed25519 is on this machine.");
        }

        return key!;
    }

    private static ReadOnlyMemory<byte>[] Pins(SigningKey[] keys) => [.. keys.Select(static key => (ReadOnlyMemory<byte>)key.PublicKey.Hash())];
}
