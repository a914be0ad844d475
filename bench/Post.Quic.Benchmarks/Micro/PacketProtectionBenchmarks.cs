using BenchmarkDotNet.Attributes;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Crypto.Providers;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Benchmarks.Micro;

/// <summary>Sealing one packet, header protection included.</summary>
[MemoryDiagnoser]
public class PacketProtectionBenchmarks
{
    private const int NumberOffset = 9;
    private const int NumberLength = 2;

    private PacketKeys? _keys;
    private byte[] _packet = [];
    private ulong _number;

    /// <summary>The packet's length.</summary>
    [Params(64, 1200, 65487)]
    public int Size { get; set; }

    /// <summary>Through the platform's classes instead of libcrypto directly.</summary>
    [Params(false, true)]
    public bool Platform { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        byte[] secret = new byte[32];
        _keys = PacketKeys.Create(
            CryptoProviderFactory.Create(Platform ? CryptoProviderKind.Platform : CryptoProviderKind.Auto),
            QuicVersion.Version1,
            CipherSuite.Aes128GcmSha256,
            KeyDirection.Send,
            secret);
        _packet = new byte[Size];
        _packet[0] = 0x41;
    }

    [GlobalCleanup]
    public void CleanUp() => _keys?.Dispose();

    [Benchmark]
    public void Protect() => _keys!.Protect(_packet, NumberOffset, NumberLength, _number++);
}
