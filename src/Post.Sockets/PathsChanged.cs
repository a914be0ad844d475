namespace Post.Sockets;

/// <summary>A path came, changed or went.</summary>
/// <param name="Association">The association.</param>
/// <param name="Path">The path as it is now.</param>
/// <param name="Change">What happened to it.</param>
/// <param name="Paths">All paths as they are now.</param>
public sealed record PathsChanged(Association Association, PostPath Path, PostPathChange Change, IReadOnlyList<PostPath> Paths)
    : AssociationEvent(Association);
