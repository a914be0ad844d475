namespace Post.Sockets.Protocol;

/// <summary>The integer with which every stream, and every datagram, begins.</summary>
internal static class StreamType
{
    /// <summary>Unidirectional: HELLO and the control frames after it. One from each side.</summary>
    public const long Control = 0x00;

    /// <summary>Unidirectional, or a datagram: one object.</summary>
    public const long Object = 0x01;

    /// <summary>Bidirectional: a Post stream.</summary>
    public const long PostStream = 0x02;
}
