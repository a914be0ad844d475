namespace Post.Sockets;

/// <summary>What went wrong, in a form that code can act on.</summary>
public enum PostErrorReason
{
    /// <summary>No connection could be made, or it broke; the inner exception is the transport's.</summary>
    Transport,

    /// <summary>The association was closed on this side.</summary>
    AssociationEnded,

    /// <summary>The peer closed the association.</summary>
    ClosedByPeer,

    /// <summary>The association was aborted, by this side or the other.</summary>
    Aborted,

    /// <summary>The listener's application refused the association.</summary>
    AssociationRefused,

    /// <summary>The peer broke the rules of post/1.</summary>
    ProtocolViolation,

    /// <summary>The send queue is full: wait with <c>SendAsync</c>, or make it larger.</summary>
    QueueFull,

    /// <summary>The object expired.</summary>
    ObjectExpired,

    /// <summary>The receiver rejected the object.</summary>
    ObjectRejected,

    /// <summary>The sender canceled the object.</summary>
    ObjectCanceled,

    /// <summary>The source of the object failed.</summary>
    SourceFailed,

    /// <summary>The stream was ended early by the other side.</summary>
    StreamEnded,

    /// <summary>The bandwidth asked for cannot be reserved.</summary>
    BandwidthUnavailable,

    /// <summary>
    /// The connection was lost, and with it this stream, or an object whose source can be read only once. The association goes on: open
    /// another stream, or send again.
    /// </summary>
    ConnectionLost,

    /// <summary>
    /// The connection was lost, and the listener does not know the association any more. What became of objects without an end cannot be
    /// known: associate again, and send again what may be delivered twice or is known not to be.
    /// </summary>
    AssociationLost,

    /// <summary>The peer or the transport cannot do that.</summary>
    NotSupported,
}
