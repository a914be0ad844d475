using System.Security.Cryptography;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Crypto;

/// <summary>
/// A 1-RTT traffic secret that moves from generation to generation (RFC 9001 section 6.1). Pinned, so that the garbage
/// collector leaves no copies behind of what is zeroed here.
/// </summary>
internal sealed class TrafficSecret : IDisposable
{
    private readonly QuicVersion _version;
    private readonly CipherSuite _suite;
    private readonly byte[] _secret;

    public TrafficSecret(QuicVersion version, CipherSuite suite, ReadOnlySpan<byte> secret)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(secret.Length, suite.HashLength());
        _version = version;
        _suite = suite;
        _secret = GC.AllocateUninitializedArray<byte>(secret.Length, pinned: true);
        secret.CopyTo(_secret);
    }

    public PacketProtection CreateKeys(CryptoProvider provider, KeyDirection direction) =>
        PacketProtection.Create(provider, _version, _suite, direction, _secret);

    /// <summary>Replaces the secret by the next generation's.</summary>
    public void Advance()
    {
        Span<byte> buffer = stackalloc byte[CipherSuiteExtensions.MaxHashLength];
        Span<byte> next = buffer[.._secret.Length];
        Hkdf.ExpandLabel(_suite.HashName(), _secret, VersionSecrets.KeyUpdateLabel(_version), [], next);
        next.CopyTo(_secret);
        CryptographicOperations.ZeroMemory(next);
    }

    public void Dispose() => CryptographicOperations.ZeroMemory(_secret);
}
