namespace Post.Sockets;

/// <summary>An object came.</summary>
/// <param name="Association">By which association.</param>
/// <param name="Object">The object.</param>
public sealed record Received(Association Association, ReceivedObject Object) : AssociationEvent(Association);
