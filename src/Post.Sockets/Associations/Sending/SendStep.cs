namespace Post.Sockets.Associations.Sending;

/// <summary>What the pump is to do next, as decided under the lock.</summary>
internal enum SendStep
{
    /// <summary>Nothing can be sent now.</summary>
    None,

    /// <summary>A write is prepared.</summary>
    Write,

    /// <summary>An object needs a stream.</summary>
    Open,

    /// <summary>An object's source is to be asked for bytes.</summary>
    Feed,

    /// <summary>A datagram is prepared.</summary>
    Datagram,
}
