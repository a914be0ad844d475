namespace Post.Sockets;

/// <summary>
/// A handler of the application threw. The association goes on; the exception was logged and is repeated here, and nowhere else. What a
/// handler of this event throws is only logged.
/// </summary>
/// <param name="Event">The event that the handler was given.</param>
/// <param name="Exception">What it threw.</param>
public sealed record HandlerFailed(PostEvent Event, Exception Exception) : PostEvent;
