using BenchmarkDotNet.Attributes;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Crypto.Providers;

namespace Post.Quic.Benchmarks.Micro;

/// <summary>What one side pays for a key exchange, in each group and with each implementation.</summary>
public class KeyAgreementBenchmarks
{
    private KeyAgreement _agreement = null!;
    private EphemeralKey _key = null!;
    private byte[] _peer = [];
    private byte[] _secret = [];

    [Params("LibCrypto X25519", "LibCrypto Secp256r1", "Platform Secp256r1", "LibCrypto Secp384r1", "Platform Secp384r1")]
    public string Kind { get; set; } = string.Empty;

    [GlobalSetup]
    public void Setup()
    {
        string[] parts = Kind.Split(' ');
        CryptoProvider provider = CryptoProviderFactory.Create(Enum.Parse<CryptoProviderKind>(parts[0]));
        _agreement = provider.FindKeyAgreement(Enum.Parse<NamedGroup>(parts[1]))!;
        _key = _agreement.Generate();
        _peer = _agreement.Generate().Share;
        _secret = new byte[_agreement.Group.SecretLength()];
    }

    [Benchmark]
    public void Generate() => _agreement.Generate().Dispose();

    [Benchmark]
    public bool Agree() => _key.TryAgree(_peer, _secret);
}
