namespace Post.Quic.Engine.Datagrams;

/// <summary>Whether a datagram was taken to be sent.</summary>
internal enum DatagramEnqueueResult
{
    Queued,

    /// <summary>The peer takes no datagrams (RFC 9221 section 3), or it is not known yet whether it does.</summary>
    NotSupported,

    /// <summary>Larger than <see cref="DatagramQueue.MaxSize"/>.</summary>
    TooLarge,

    /// <summary>Too many, or too many bytes, wait already.</summary>
    QueueFull,
}
