namespace Post.Sockets;

/// <summary>An event that a listener raises: what <see cref="Listener.Register{TEvent}(Action{TEvent})"/> takes.</summary>
public abstract record ListenerEvent : PostEvent
{
    private protected ListenerEvent(Listener listener) => Listener = listener;

    /// <summary>The listener.</summary>
    public Listener Listener { get; init; }
}
