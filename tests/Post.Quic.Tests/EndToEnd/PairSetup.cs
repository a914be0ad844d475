using Post.Quic.Tests.Links;
using Post.Sockets;

namespace Post.Quic.Tests.EndToEnd;

/// <summary>What a scenario wants other than usual of its two ends and of what lies between them.</summary>
internal sealed record PairSetup
{
    public AssociationOptions ClientOptions { get; init; } = new();

    public AssociationOptions ServerOptions { get; init; } = new();

    public Local Client { get; init; } = Local.Anonymous;

    /// <summary>What clients must prove; null: nothing.</summary>
    public PeerTrust? ClientTrust { get; init; }

    /// <summary>What the server must prove; null: that it has its key.</summary>
    public PeerTrust? ServerTrust { get; init; }

    /// <summary>The link between them; null: none, loopback as it is.</summary>
    public LinkShape? Link { get; init; }

    /// <summary>A link between them, as fast as loopback, that can be cut.</summary>
    public bool IsCuttable { get; init; }
}
