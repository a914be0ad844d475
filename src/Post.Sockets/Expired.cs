namespace Post.Sockets;

/// <summary>An object was not delivered in time.</summary>
/// <param name="Association">The association.</param>
/// <param name="Object">The object.</param>
/// <param name="Receipt">The receipt, with the reason.</param>
public sealed record Expired(Association Association, SentObject Object, Receipt Receipt) : AssociationEvent(Association);
