namespace Post.Sockets;

/// <summary>An object was received.</summary>
/// <param name="Association">The association.</param>
/// <param name="Object">The object.</param>
public sealed record Received(Association Association, ReceivedObject Object) : AssociationEvent(Association);
