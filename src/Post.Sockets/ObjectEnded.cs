namespace Post.Sockets;

/// <summary>An object had its end, whichever; comes after <see cref="Acked"/> or <see cref="Expired"/>.</summary>
/// <param name="Association">Of which association.</param>
/// <param name="Object">The object.</param>
/// <param name="Receipt">The receipt, with end and reason.</param>
public sealed record ObjectEnded(Association Association, SentObject Object, Receipt Receipt) : PostEvent;
