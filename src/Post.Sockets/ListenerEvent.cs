namespace Post.Sockets;

/// <summary>An event that a listener raises: what <see cref="Listener.Register{TEvent}(Action{TEvent})"/> takes.</summary>
/// <param name="Listener">The listener.</param>
public abstract record ListenerEvent(Listener Listener) : PostEvent;
