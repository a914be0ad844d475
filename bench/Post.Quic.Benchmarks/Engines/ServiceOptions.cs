using Post.Quic.Benchmarks.Links;
using Post.Sockets;

namespace Post.Quic.Benchmarks.Engines;

/// <summary>How the peers of a case talk to each other.</summary>
internal sealed record ServiceOptions
{
    /// <summary>
    /// Bounds of both ends. The defaults, except that a case that breaks off does not wait long, and that what is too large to be
    /// delivered whole is shown as it comes.
    /// </summary>
    public AssociationOptions Association { get; init; } = new()
    {
        DrainTimeout = TimeSpan.FromSeconds(5),
        Incremental = IncrementalDelivery.WhenLarge,
    };

    /// <summary>What lies between the ends; null: loopback as it is. A link serves one client.</summary>
    public LinkOptions? Link { get; init; }

    /// <summary>Where clients keep their sessions, so that they resume; null: nowhere.</summary>
    public ISessionCache? Sessions { get; init; }
}
