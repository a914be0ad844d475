namespace Post.Sockets;

/// <summary>
/// A handler of the application threw. The association continues; the exception was logged, and this event reports it once. An exception
/// from a handler of this event is only logged.
/// </summary>
/// <param name="Association">The association.</param>
/// <param name="Event">The event that the handler was given.</param>
/// <param name="Exception">What it threw.</param>
public sealed record HandlerFailed(Association Association, AssociationEvent Event, Exception Exception) : AssociationEvent(Association);
