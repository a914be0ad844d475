namespace Post.Sockets;

/// <summary>
/// Something an association or a listener tells its application. Take it with <c>Register&lt;TEvent&gt;</c> or as an async stream.
/// </summary>
public abstract record PostEvent;
