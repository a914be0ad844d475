namespace Post.Sockets;

/// <summary>A sent object is complete, whatever its outcome; raised after <see cref="Acked"/> or <see cref="Expired"/>.</summary>
/// <param name="Association">The association.</param>
/// <param name="Object">The object.</param>
/// <param name="Receipt">The receipt, with outcome and reason.</param>
public sealed record ObjectCompleted(Association Association, SentObject Object, Receipt Receipt) : AssociationEvent(Association);
