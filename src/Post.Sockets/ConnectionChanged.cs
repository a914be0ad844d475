namespace Post.Sockets;

/// <summary>
/// The association lost its connection and waits for another one, or has another one and continues. Objects continue by themselves; streams have
/// ended with their connection.
/// </summary>
/// <param name="Association">The association.</param>
/// <param name="IsConnected">False: interrupted. True: resumed.</param>
/// <param name="Error">The reason for the interruption; null when it was resumed.</param>
/// <param name="Gap">How long it was interrupted; zero when the interruption begins.</param>
public sealed record ConnectionChanged(Association Association, bool IsConnected, PostException? Error, TimeSpan Gap) : AssociationEvent(Association);
