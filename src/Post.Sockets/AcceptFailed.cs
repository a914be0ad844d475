namespace Post.Sockets;

/// <summary>
/// A handler of <see cref="Accept"/> threw, so the association was refused. The exception was logged, and this event reports it once. An
/// exception from a handler of this event is only logged.
/// </summary>
/// <param name="Listener">The listener.</param>
/// <param name="Association">The association that was refused.</param>
/// <param name="Exception">What the handler threw.</param>
public sealed record AcceptFailed(Listener Listener, Association Association, Exception Exception) : ListenerEvent(Listener);
