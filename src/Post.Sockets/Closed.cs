namespace Post.Sockets;

/// <summary>The association ended; the last event of all.</summary>
/// <param name="Association">The association.</param>
/// <param name="Error">The reason; null when either side closed it in order.</param>
public sealed record Closed(Association Association, PostException? Error) : AssociationEvent(Association);
