namespace Post.Sockets;

/// <summary>The peer opened a stream.</summary>
/// <param name="Association">On which association.</param>
/// <param name="Stream">The stream; who takes it disposes it.</param>
public sealed record StreamOpened(Association Association, PostStream Stream) : AssociationEvent(Association);
