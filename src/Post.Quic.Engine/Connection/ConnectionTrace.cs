using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Connection;

/// <summary>
/// Watches a connection for qlog. Called under the connection's gate from the hot path: an implementation copies what
/// it wants and returns. Payloads are in the clear and valid during the call only.
/// </summary>
internal abstract class ConnectionTrace
{
    public virtual void PacketSent(
        long now, Network path, EncryptionLevel level, ulong packetNumber, int size, ReadOnlySpan<byte> payload)
    {
    }

    public virtual void PacketReceived(
        long now, Network? path, EncryptionLevel level, ulong packetNumber, int size, ReadOnlySpan<byte> payload)
    {
    }

    public virtual void PacketDropped(long now, int size, PacketDropReason reason)
    {
    }

    /// <summary>A packet is taken for lost; the number is one of the path's own.</summary>
    public virtual void PacketLost(long now, uint pathId, EncryptionLevel level, ulong packetNumber)
    {
    }

    public virtual void MetricsUpdated(long now, Network path)
    {
    }

    public virtual void KeysChanged(long now, EncryptionLevel level, bool discarded, uint generation)
    {
    }

    public virtual void PathChanged(long now, in PathEvent change)
    {
    }

    public virtual void ConnectionIdChanged(long now, bool ours, ulong sequence, in ConnectionId id, bool retired)
    {
    }

    public virtual void ParametersSet(long now, bool ours, ReadOnlySpan<byte> encoded)
    {
    }

    public virtual void PhaseChanged(long now, ConnectionPhase phase)
    {
    }

    public virtual void Closed(long now, in ConnectionCloseInfo info)
    {
    }

    /// <summary>The version that the connection goes on with (RFC 9368).</summary>
    public virtual void VersionChosen(long now, QuicVersion version)
    {
    }

    public virtual void AlpnChosen(long now, ReadOnlySpan<byte> protocol)
    {
    }
}
