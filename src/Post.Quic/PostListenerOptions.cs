using Post.Sockets;

namespace Post.Quic;

/// <summary>
/// How a hosted listener listens. Named options, with the listener's Local as name; in configuration, the subsection <c>Listener</c> of
/// that Local has its numbers.
/// </summary>
public sealed class PostListenerOptions
{
    /// <summary>Associations at a time, 1 or more; beyond it, who comes is refused. 10,000 by default.</summary>
    public int MaxAssociations { get; set; } = ListenerOptions.Default.MaxAssociations;

    /// <inheritdoc cref="ListenerOptions.MaxInterrupted"/>
    public int MaxInterrupted { get; set; } = ListenerOptions.Default.MaxInterrupted;

    /// <inheritdoc cref="ListenerOptions.MaxInterruptedBytes"/>
    public long MaxInterruptedBytes { get; set; } = ListenerOptions.Default.MaxInterruptedBytes;

    /// <summary>What clients must prove; null: what <see cref="PostLocalOptions.TrustedKeys"/> says, and where that is empty, nothing.</summary>
    public PeerTrust? ClientTrust { get; set; }

    /// <summary>Bounds and habits of its associations; null: those of <see cref="PostLocalOptions.Association"/>.</summary>
    public AssociationOptions? Association { get; set; }
}
