using Post.Sockets;

namespace Post.Quic;

/// <summary>How a hosted listener listens. Named options, with the listener's Local as name.</summary>
public sealed class PostListenerOptions
{
    /// <summary>Associations at a time; more are refused.</summary>
    public int MaxAssociations { get; set; } = ListenerOptions.Default.MaxAssociations;

    /// <inheritdoc cref="ListenerOptions.MaxInterrupted"/>
    public int MaxInterrupted { get; set; } = ListenerOptions.Default.MaxInterrupted;

    /// <summary>What clients must prove; null: what <see cref="PostLocalOptions.TrustedKeys"/> says, and where that is empty, nothing.</summary>
    public PeerTrust? ClientTrust { get; set; }

    /// <summary>Bounds and habits of its associations; null: those of <see cref="PostLocalOptions.Association"/>.</summary>
    public AssociationOptions? Association { get; set; }
}
