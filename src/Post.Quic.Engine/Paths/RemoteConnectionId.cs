using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Paths;

/// <summary>One of the peer's connection ids, as a path uses it.</summary>
internal readonly record struct RemoteConnectionId(ulong Sequence, ConnectionId Id);
