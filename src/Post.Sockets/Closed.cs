namespace Post.Sockets;

/// <summary>The association ended; the last event of all.</summary>
/// <param name="Association">Which.</param>
/// <param name="Error">Why; null when it was closed in order, by either side.</param>
public sealed record Closed(Association Association, PostException? Error) : AssociationEvent(Association);
