namespace Post.Sockets;

/// <summary>The peer opened a stream.</summary>
/// <param name="Association">The association.</param>
/// <param name="Stream">The stream; the handler disposes it.</param>
public sealed record StreamOpened(Association Association, PostStream Stream) : AssociationEvent(Association);
