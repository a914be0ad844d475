namespace Post.Sockets;

/// <summary>
/// Something that an association (<see cref="AssociationEvent"/>) or a listener (<see cref="ListenerEvent"/>) tells its application. Take it
/// with <c>Register&lt;TEvent&gt;</c> or as an async stream.
/// </summary>
public abstract record PostEvent
{
    private protected PostEvent()
    {
    }
}
