namespace Post.Sockets;

/// <summary>
/// The connection under the association was lost, and the association waits for another one; or another one is there, and it goes on.
/// Objects need nothing to be done. Streams have ended with their connection.
/// </summary>
/// <param name="Association">Which.</param>
/// <param name="IsConnected">False: interrupted. True: resumed.</param>
/// <param name="Error">Why it was interrupted; null when it was resumed.</param>
/// <param name="Gap">How long it was interrupted; zero at the beginning of that.</param>
public sealed record ConnectionChanged(Association Association, bool IsConnected, PostException? Error, TimeSpan Gap) : AssociationEvent(Association);
