namespace Post.Sockets.Associations.Connections;

/// <summary>A stream of the application, which lives and dies with its connection. By the owner.</summary>
internal interface IConnectionStream
{
    /// <summary>Bits per second that are reserved for it.</summary>
    long ReservedBitsPerSecond { get; }

    /// <summary>Ends it with an error.</summary>
    void End(PostException error);
}
