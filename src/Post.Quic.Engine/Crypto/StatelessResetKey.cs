using System.Security.Cryptography;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Crypto;

/// <summary>
/// Makes stateless reset tokens from connection ids under a static key (RFC 9000 section 10.3.2), so that an endpoint
/// needs no memory of the connections it lost. Thread-safe.
/// </summary>
internal sealed class StatelessResetKey : IDisposable
{
    public const int TokenLength = 16;

    public const int KeyLength = 32;

    private readonly byte[] _key = GC.AllocateUninitializedArray<byte>(KeyLength, pinned: true);

    public StatelessResetKey(RandomSource random) => random.Fill(_key);

    /// <summary>With a key that outlives the process or is shared by servers, which is what makes resets work after a restart.</summary>
    public StatelessResetKey(ReadOnlySpan<byte> key)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(key.Length, KeyLength);
        key.CopyTo(_key);
    }

    public void WriteToken(in ConnectionId connectionId, Span<byte> token)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(_key, connectionId.Span, hash);
        hash[..TokenLength].CopyTo(token);
    }

    public void Dispose() => CryptographicOperations.ZeroMemory(_key);
}
