using System.Security.Cryptography;

namespace Post.Quic.Engine.Tls.Keys;

/// <summary>A secret in memory that the collector does not copy about, zeroed when it is done with.</summary>
internal sealed class SecretBuffer : IDisposable
{
    private readonly byte[] _bytes;

    public SecretBuffer(int length) => _bytes = GC.AllocateArray<byte>(length, pinned: true);

    public SecretBuffer(ReadOnlySpan<byte> secret)
        : this(secret.Length) => secret.CopyTo(_bytes);

    public Span<byte> Span => _bytes;

    public void Dispose() => CryptographicOperations.ZeroMemory(_bytes);
}
