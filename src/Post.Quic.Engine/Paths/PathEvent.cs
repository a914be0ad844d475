using Post.Quic.Engine.Addressing;

namespace Post.Quic.Engine.Paths;

/// <summary>A change of one path, for the layer above.</summary>
/// <param name="PathId">The path.</param>
/// <param name="NetworkId">Names its network for the life of the connection; ids are not used twice.</param>
/// <param name="Change">What happened.</param>
/// <param name="Local">Our address on it.</param>
/// <param name="Remote">The peer's address on it.</param>
internal readonly record struct PathEvent(uint PathId, int NetworkId, PathChange Change, NetworkAddress Local, NetworkAddress Remote)
{
    /// <summary>What is known of it right after the change, before anything else happens.</summary>
    public PathStatistics Statistics { get; init; }
}
