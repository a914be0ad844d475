namespace Post.Sockets;

/// <summary>The peer handed an object to its application.</summary>
/// <param name="Association">The association.</param>
/// <param name="Object">The object.</param>
/// <param name="Receipt">The receipt.</param>
public sealed record Acked(Association Association, SentObject Object, Receipt Receipt) : AssociationEvent(Association);
