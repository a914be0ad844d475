using System.Buffers.Binary;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Endpoint;

/// <summary>
/// Hashes connection ids that this endpoint made: they are random already, so their first bytes are the hash, and no
/// peer can choose what gets into the table.
/// </summary>
internal sealed class IssuedConnectionIdComparer : IEqualityComparer<ConnectionId>
{
    public static IssuedConnectionIdComparer Instance { get; } = new();

    public bool Equals(ConnectionId x, ConnectionId y) => x == y;

    public int GetHashCode(ConnectionId obj) =>
        obj.Length >= sizeof(int) ? BinaryPrimitives.ReadInt32LittleEndian(obj.Span) : obj.Length;
}
