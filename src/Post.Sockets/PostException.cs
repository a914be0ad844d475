using Post.Sockets.Transport;

namespace Post.Sockets;

/// <summary>Something about an association, an object or a stream failed; the message says what to do about it.</summary>
public sealed class PostException : IOException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="reason">What went wrong.</param>
    /// <param name="message">The cause and the remedy.</param>
    /// <param name="innerException">What caused it.</param>
    public PostException(PostErrorReason reason, string message, Exception? innerException = null)
        : base(message, innerException) => Reason = reason;

    /// <summary>What went wrong.</summary>
    public PostErrorReason Reason { get; }

    /// <summary>
    /// Why there is no connection, in a form that code can act on: the host is unknown, does not answer, did not prove its identity, refused ours, and so
    /// on. Null where a connection is not what failed.
    /// </summary>
    public TransportErrorReason? TransportReason => (InnerException as TransportException)?.Reason;
}
