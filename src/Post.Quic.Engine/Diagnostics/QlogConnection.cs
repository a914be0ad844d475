using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Diagnostics;

/// <summary>What a trace knows of its connection from the start.</summary>
/// <param name="IsServer">We accepted it.</param>
/// <param name="OriginalDestination">The destination id of the client's very first packet.</param>
/// <param name="Local">Our address; its host may be unspecified.</param>
/// <param name="Remote">The peer's address.</param>
internal readonly record struct QlogConnection(
    bool IsServer,
    ConnectionId OriginalDestination,
    NetworkAddress Local,
    NetworkAddress Remote);
