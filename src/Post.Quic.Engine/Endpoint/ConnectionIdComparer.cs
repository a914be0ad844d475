using System.Buffers.Binary;
using System.Security.Cryptography;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Endpoint;

/// <summary>
/// Hashes connection ids that the peer chose, under a key that it does not know: with any public hash it could send
/// thousands of ids that fall into one bucket, and each packet would cost a walk through all of them.
/// </summary>
internal sealed class ConnectionIdComparer : IEqualityComparer<ConnectionId>
{
    private const int KeyLength = 32;

    private readonly byte[] _key = new byte[KeyLength];

    public ConnectionIdComparer(RandomSource random) => random.Fill(_key);

    public bool Equals(ConnectionId x, ConnectionId y) => x == y;

    public int GetHashCode(ConnectionId obj)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(_key, obj.Span, hash);
        return BinaryPrimitives.ReadInt32LittleEndian(hash);
    }
}
