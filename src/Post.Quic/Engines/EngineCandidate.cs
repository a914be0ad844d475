using Post.Sockets.Transport;

namespace Post.Quic.Engines;

/// <summary>One engine that can be chosen: says whether it can run here, and makes its transport.</summary>
internal sealed record EngineCandidate
{
    /// <summary>The engine.</summary>
    public required PostEngine Engine { get; init; }

    /// <summary>Null where it can run here; otherwise the reason why not, with the remedy.</summary>
    public required Func<PostQuicOptions, string?> FindObstacle { get; init; }

    /// <summary>What it can do here; asked where there is no obstacle.</summary>
    public required Func<PostQuicOptions, TransportCapabilities> GetCapabilities { get; init; }

    /// <summary>Makes its transport.</summary>
    public required Func<PostQuicOptions, EngineServices, PostTransport> Create { get; init; }
}
