namespace Post.Sockets.Associations.Sending;

/// <summary>What comes next.</summary>
internal enum SendStep
{
    /// <summary>Nothing can be sent now.</summary>
    None,

    /// <summary>The next bytes of a stream of the application.</summary>
    WriteStream,

    /// <summary>The header of an object whose receiver is to say where it begins.</summary>
    Ask,

    /// <summary>The next bytes of an object that lies in memory.</summary>
    Write,

    /// <summary>A stream for an object.</summary>
    Open,

    /// <summary>The next bytes of an object's source.</summary>
    Feed,

    /// <summary>An object as a datagram.</summary>
    Datagram,

    /// <summary>An object as a stream in one call.</summary>
    WholeStream,
}
